"""What the network and the store do to requests, each kind seen with real ones."""

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from journal.errors import Conflict, JournalError, Refused, Unavailable


class Fault(Enum):
    """What may happen to a request. Those of the second group happen to puts only."""

    LOST = "request lost"
    UNHEARD = "reply lost"
    LATE = "applied late"
    OVERLOADED = "503"
    STALLED = "stalled"
    REFUSED = "403"
    DOUBLED = "doubled"
    BUSY = "409"
    FALSE_412 = "false 412"
    FALSE_404 = "false 404"


_OF_ALL = (Fault.LOST, Fault.UNHEARD, Fault.OVERLOADED, Fault.STALLED)
_OF_PUTS = (*_OF_ALL, Fault.LATE, Fault.DOUBLED, Fault.BUSY, Fault.FALSE_412, Fault.FALSE_404)


@dataclass(frozen=True, slots=True)
class Fate:
    """How a request fares: when it arrives (more than once, or never) and what is answered.

    Times are seconds from now. `answer` is None for the store's own, to the arrival `heard`.
    """

    arrivals: tuple[float, ...]
    answered: float
    answer: JournalError | None = None
    heard: int = 0
    fault: Fault | None = None


class Weather:
    """Draws the fate of each request. How bad it is, each history draws anew."""

    def __init__(self, rng: Random) -> None:
        self.counts: Counter[str] = Counter()
        self._rng = rng
        self._puts = rng.choice((0.0, 0.02, 0.1, 0.25, 0.4))
        self._others = rng.choice((0.0, 0.0, 0.02, 0.1))
        # Histories with few kinds of fault reach states that a mixture of all rarely does.
        kinds = _OF_PUTS if rng.random() < 0.5 else rng.sample(_OF_PUTS, 2)
        self._kinds = (*kinds, Fault.REFUSED) if rng.random() < 0.1 else tuple(kinds)
        self._latency = rng.choice((0.02, 0.1, 0.5))
        self._patience = rng.choice((3.0, 20.0))
        self._lateness = rng.choice((2.0, 15.0, 120.0))
        self.is_out = False  # no request gets through

    def clear_up(self) -> None:
        """Let no more faults happen; what is under way still arrives."""
        self._puts = self._others = 0.0
        self.is_out = False

    def rule_out(self, *faults: Fault) -> None:
        """Let these faults not happen."""
        self._kinds = tuple(k for k in self._kinds if k not in faults) or (Fault.LOST,)

    def get(self) -> Fate:
        """Draw the fate of a request that changes nothing."""
        rng = self._rng
        if self.is_out:
            return self._bad(Fault.LOST)
        if self._others and rng.random() < self._others:
            return self._bad(rng.choice(_OF_ALL))
        return self._good()

    def put(self, *, create: bool) -> Fate:
        """Draw the fate of a put."""
        rng = self._rng
        if self.is_out:
            return self._bad(Fault.LOST)
        if self._puts and rng.random() < self._puts:
            fault = rng.choice(self._kinds)
            if fault is not Fault.FALSE_404 or not create:
                return self._bad(fault)
        return self._good()

    def _good(self) -> Fate:
        there = self._rng.random() * self._latency
        return Fate((there,), there + self._rng.random() * self._latency)

    def _bad(self, fault: Fault) -> Fate:
        self.counts[fault.value] += 1
        rng = self._rng
        good = self._good()
        there, answered = good.arrivals[0], good.answered
        if fault is Fault.STALLED:
            there += rng.random() * self._patience
            return Fate((there,), there + rng.random() * self._patience, fault=fault)
        if fault is Fault.DOUBLED:
            again = there + rng.random() * self._lateness
            heard = rng.randrange(2)
            return Fate((there, again), answered + heard * (again - there), None, heard, fault)
        answer, applied = _ANSWERS[fault]
        if fault is Fault.LATE:
            there += rng.random() * self._lateness
        if answer is _SILENCE:
            answered += rng.random() * self._patience
        # The library may keep what it is told, so each is told an error of its own.
        error = type(answer)(*answer.args)
        return Fate((there,) if rng.random() < applied else (), answered, error, fault=fault)


_SILENCE: Final = Unavailable("no reply")

# What is answered, and how often the request is applied all the same.
_ANSWERS: Final[dict[Fault, tuple[JournalError, float]]] = {
    Fault.LOST: (_SILENCE, 0.0),
    Fault.UNHEARD: (_SILENCE, 1.0),
    Fault.LATE: (_SILENCE, 1.0),
    Fault.OVERLOADED: (Unavailable("503"), 0.3),
    Fault.BUSY: (Unavailable("409"), 0.2),
    Fault.REFUSED: (Refused("403"), 0.0),
    Fault.FALSE_412: (Conflict("false 412"), 0.0),
    Fault.FALSE_404: (Conflict("false 404"), 0.0),
}
