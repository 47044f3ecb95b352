"""What befalls a healthy run from outside: outages, links cut for a while, machines that sleep."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tools.bench.lives.script import Script

APART_SECONDS: Final = 1320.0  # work between two troubles
_RECOVERY_SECONDS: Final = 90.0  # retries, a flush, an installation: until readers see it again
_NEAR_QUIET_SECONDS: Final = 330.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble and how long it takes, from and to.

    `is_short` if no reader may take it for a death: with the silence that may come before it, it is
    shorter than three promised ones. Then `seconds` are for a run that promises 200.
    """

    name: str
    chance: float  # that a run has it
    seconds: tuple[float, float]
    stops: bool = False  # the machine
    cuts: bool = False  # the job from its store
    blinds: bool = False  # the readers, too
    is_short: bool = True


KINDS: Final = (
    Kind("outage of the store", 0.10, (60, 5400), cuts=True, blinds=True),
    Kind("short cut-off", 0.05, (10, 280), cuts=True),
    Kind("long cut-off", 0.03, (700, 7200), cuts=True, is_short=False),
    Kind("short pause", 0.06, (10, 370), stops=True),
    Kind("long pause", 0.04, (700, 8 * 3600), stops=True, is_short=False),
)


@dataclass(slots=True)
class Troubles:
    """When what happened, in true time; spans are half-open."""

    names: set[str]
    stops: list[tuple[float, float]]
    cuts: list[tuple[float, float]]
    outages: list[tuple[float, float]]  # the readers see nothing
    apart: list[tuple[float, float]]  # nobody can tell it from a death


def drawn(
    chance: Random, scripts: Sequence[Script], begin: float, until: float, promised: float
) -> Troubles:
    """Draw the troubles between `begin` (a true time) and so much work later."""
    troubles = Troubles(set(), [], [], [], [])
    work, shift = 300.0, 0.0
    kinds = [kind for kind in KINDS if chance.random() < kind.chance]
    chance.shuffle(kinds)
    for kind in kinds:
        low, high = kind.seconds
        seconds = low * (high / low) ** chance.random()
        if kind.is_short and not kind.blinds:
            seconds *= promised / 200.0
        taken = 0.0 if kind.stops else seconds
        last = until - taken - APART_SECONDS
        place = _place(chance, kind, scripts, (work, last), taken)
        if place is None:
            continue
        at = begin + shift + place
        span = (at, at + seconds)
        troubles.names.add(kind.name)
        if kind.stops:
            troubles.stops.append(span)
            shift += seconds
        if kind.cuts:
            troubles.cuts.append(span)
        if kind.blinds:
            troubles.outages.append(span)
        if not kind.is_short:
            troubles.apart.append((at, at + seconds + _RECOVERY_SECONDS))
        work = place + taken + APART_SECONDS
    return troubles


def _place(
    chance: Random,
    kind: Kind,
    scripts: Sequence[Script],
    between: tuple[float, float],
    taken: float,
) -> float | None:
    """Find a place in the work; a quiet one and a silence together would be too long to tell.

    Nor does a long sleep begin in a declared wait: how long that goes on afterwards is up to the
    clock that the job waits by.
    """
    first, last = between
    if last <= first:
        return None
    quiets = [quiet for script in scripts for quiet in script.quiets] if kind.is_short else []
    if kind.stops:
        quiets += [wait for script in scripts for wait in script.waits]
    for _ in range(20):
        place = chance.uniform(first, last)
        near = place - _NEAR_QUIET_SECONDS, place + taken + _NEAR_QUIET_SECONDS
        if all(end < near[0] or near[1] < begin for begin, end in quiets):
            return place
    return None
