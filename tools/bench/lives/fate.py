"""How runs go wrong: what a script becomes when its process hangs, spins or loses its link."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from random import Random
from typing import Any, Final, Literal

from journal import events
from tools.bench.lives.script import Burn, Script

_GAP_SECONDS: Final = 540.0  # without work in any thread: nobody has any left
Ill = Literal["dead", "hung", "livelock", "unknowable"]


@dataclass(frozen=True, slots=True)
class Fate:
    """A way for a run to end: `ill` says what it is from its onset on, None for a good end."""

    name: str
    weight: int
    ill: Ill | None = None
    stops_pump: bool = False  # no record comes any more, as if the process were gone


FATES: Final = {
    fate.name: fate
    for fate in (
        Fate("completes", 46),
        Fate("fails", 4),
        Fate("crash", 12, "dead", stops_pump=True),
        Fate("hang in a socket", 9, "hung"),
        Fate("hang in a lock", 6, "hung"),
        Fate("black hole in one thread", 6, "hung"),
        Fate("hang holding the interpreter's lock", 4, "dead", stops_pump=True),
        Fate("hang beside a busy thread", 3, "livelock"),
        Fate("livelock of CPU", 4, "livelock"),
        Fate("livelock of errors", 4, "livelock"),
        Fate("cut off for good", 2, "unknowable"),
    )
}


def struck(fate: Fate, script: Script, at: float, chance: Random) -> tuple[Script, float]:
    """Return what a script becomes if that fate strikes at a time of work, and the true onset.

    The onset is the last moment at which anything could show that work is done.
    """
    strike = _STRIKES.get(fate.name)
    if strike is None:
        return script, at
    hung, onset = strike(script, at, chance)
    hung.says.sort(key=lambda say: say.at)
    hung.end = inf
    return hung, onset


def _hang(script: Script, at: float, chance: Random) -> tuple[Script, float]:
    hung = script.stopped(at, range(script.lanes))
    # Threads that wait wake up now and then, and somebody writes a line to a log.
    hung.burns.append(Burn(at, inf, chance.uniform(0, 0.004), chance.uniform(0, 250)))
    return hung, at


def _black_hole(script: Script, at: float, chance: Random) -> tuple[Script, float]:
    """One thread hangs; the others go on until the source has nothing left for them."""
    if script.lanes < 2:
        return _hang(script, at, chance)
    dones = (say.at for say in script.says if say.kind == events.SOURCE_DONE and say.at > at)
    left = script.stopped(at, [0]).stopped(min(dones, default=inf), range(script.lanes))
    onset = left.busy_until(range(1, script.lanes), at, _GAP_SECONDS)
    hung = left.stopped(onset, range(script.lanes))
    hung.burns.append(Burn(onset, inf, chance.uniform(0, 0.004), chance.uniform(0, 250)))
    return hung, onset


def _busy(script: Script, at: float, chance: Random) -> tuple[Script, float]:
    hung = script.stopped(at, range(script.lanes))
    hung.burns.append(Burn(at, inf, chance.uniform(0.02, 0.3), chance.uniform(0, 250)))
    return hung, at


def _spin(script: Script, at: float, chance: Random) -> tuple[Script, float]:
    hung = script.stopped(at, range(script.lanes))
    hung.burns.append(Burn(at, inf, chance.uniform(0.7, 1.0), 0.0))
    return hung, at


def _fail_for_ever(script: Script, at: float, chance: Random) -> tuple[Script, float]:
    """Try again and again what cannot succeed, and say so each time."""
    hung = script.stopped(at, range(script.lanes))
    source = next((say.source for say in reversed(hung.says) if say.source), None)
    pause = chance.uniform(10, 120)
    for retry in range(int(3 * 3600 / pause)):
        when = at + (retry + chance.random()) * pause
        fields: dict[str, Any] = {"message": "connection refused", "error": "OSError"}
        hung.say(when, events.ERROR, source, **fields, fatal=False, retry=retry + 1)
    hung.burns.append(Burn(at, inf, chance.uniform(0, 0.02), chance.uniform(0, 250)))
    return hung, at


def ended(script: Script, at: float) -> Script:
    """Return the script of a process that is told to end early."""
    return replace(script.stopped(at, range(script.lanes)), end=at)


_STRIKES: Final[dict[str, Callable[[Script, float, Random], tuple[Script, float]]]] = {
    "hang in a socket": _hang,
    "hang in a lock": _hang,
    "black hole in one thread": _black_hole,
    "hang beside a busy thread": _busy,
    "livelock of CPU": _spin,
    "livelock of errors": _fail_for_ever,
}
