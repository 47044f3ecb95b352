"""What a network and a store do to requests, and when: by a script, or by a seed."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from random import Random
from threading import Lock


class Fault(Enum):
    """What may happen to a request."""

    RESET_BEFORE = "reset, not applied"
    RESET_AFTER = "applied, reset"
    UPLOAD_CUT = "upload cut"
    ANSWER_CUT = "answer cut"
    HEAD_CUT = "answer cut in its headers"
    ERROR = "500"
    SLOW_DOWN = "503, not applied"
    SLOW_DOWN_AFTER = "applied, 503"
    TOO_MANY = "429"
    BUSY = "409, not applied"
    BUSY_AFTER = "applied, 409"
    STRAY = "404 of a gateway"
    LATENCY = "latency"
    TRICKLE = "trickle"
    BLACK_HOLE = "taken, never answered"
    LATE = "reset, applied late"
    DOUBLED = "applied, sent again"


@dataclass(frozen=True, slots=True)
class Blow:
    """A fault with its measure: `share` of the bytes that get through, or of the longest wait."""

    fault: Fault
    share: float = 0.5


@dataclass(frozen=True, slots=True)
class Request:
    """A request as far as its fate depends on it; `target` has the path and the query."""

    verb: str
    target: str


Fate = Callable[[Request], Blow | None]


def calm(_request: Request) -> None:
    """Let nothing happen."""


class Script:
    """Deals its blows to the next requests of a verb, one each."""

    def __init__(self, verb: str, blows: Iterable[Blow | Fault]) -> None:
        self._verb = verb
        self._blows = iter([blow if isinstance(blow, Blow) else Blow(blow) for blow in blows])

    def __call__(self, request: Request) -> Blow | None:
        return next(self._blows, None) if request.verb == self._verb else None


class Storm:
    """Strikes requests at random with the probability `rate`, the same ones for the same seed.

    Of `kinds` none comes again before all others have come.
    """

    def __init__(self, seed: str, kinds: Iterable[Fault] = Fault, *, rate: float) -> None:
        self.counts: Counter[Fault] = Counter()
        self._chance = Random(seed)
        self._kinds = list(kinds)
        self._deck: list[Fault] = []
        self._rate = rate
        self._lock = Lock()

    def __call__(self, _request: Request) -> Blow | None:
        with self._lock:
            if self._chance.random() >= self._rate:
                return None
            self._deck = self._deck or self._chance.sample(self._kinds, len(self._kinds))
            blow = Blow(self._deck.pop(), self._chance.random())
            self.counts[blow.fault] += 1
            return blow


class ByRun:
    """Gives each run a fate of its own; its id has to look like `trial-RESET_AFTER-0`."""

    def __init__(self) -> None:
        self.fates: dict[str, Fate] = {}

    def __call__(self, request: Request) -> Blow | None:
        run = re.search(r"trial-\w+-\d+", request.target)
        return self.fates.get(run[0], calm)(request) if run else None
