"""Work as data preparation does it: heavy-tailed files, pauses nobody declares, waits that are.

Nothing here is ever without a trace for longer than _QUIET_SECONDS: more than that, with no word
and no counter, nobody could tell from a hang.
"""

from dataclasses import dataclass
from math import exp
from random import Random
from typing import Any, Final

from journal import events
from tools.bench.lives.script import Burn, Flight, Script

_QUIET_SECONDS: Final = 600.0
_CPU_SECONDS: Final = 38 * 60.0  # of one file that shows nothing but CPU
_FILE_SECONDS: Final = 2.5 * 3600
_DECLARED_SECONDS: Final = (960.0, 3000.0)
_FILES: Final = 800  # of a process, about


@dataclass(frozen=True, slots=True)
class Kind:
    """How a source's files are worked on: what shows of it while one is in flight."""

    name: str
    moves: bool  # the job counts bytes on the way
    cpu: tuple[float, float]  # CPU seconds a second, from and to
    io: tuple[float, float]  # bytes a second
    sub_phase: str


SLOW: Final = "trickle"
KINDS: Final = (
    Kind("download", moves=True, cpu=(0.01, 0.3), io=(1e5, 5e7), sub_phase="downloading"),
    Kind("fetch", moves=False, cpu=(0.01, 0.3), io=(1e5, 5e7), sub_phase="downloading_policy"),
    Kind(SLOW, moves=True, cpu=(0.0, 0.002), io=(100, 3000), sub_phase="downloading"),
    Kind("extract", moves=False, cpu=(0.3, 1.0), io=(1e5, 1e8), sub_phase="extracting"),
    Kind("copy", moves=False, cpu=(0.0, 0.004), io=(2e3, 1e8), sub_phase="extracting"),
    Kind("compute", moves=False, cpu=(0.2, 1.0), io=(0, 100), sub_phase="processing"),
)
WEIGHTS: Final = (30, 20, 8, 15, 12, 15)


@dataclass(frozen=True, slots=True)
class Manner:
    """What else there is in a run's work."""

    waits: bool = False
    limits: bool = False  # a stall limit is declared for each phase
    retries: bool = False
    quiets: bool = False


class Worker:
    """Writes the script of one process."""

    def __init__(self, chance: Random, manner: Manner, name: str) -> None:
        self.script = Script()
        self._chance = chance
        self._manner = manner
        self._name = name
        self._median = 1.0
        self._sigma = 1.0
        self._tail = 0.0

    def work(self, seconds: float, lanes: int) -> Script:
        """Work through some sources for about so long; the last files take as long as they do."""
        chance, script = self._chance, self.script
        script.lanes = lanes
        sources = chance.randint(1, 8)
        self._sigma = chance.uniform(0.5, 1.9)
        self._tail = chance.choice((0.0, 0.002, 0.01))
        mean = exp(self._sigma**2 / 2)
        self._median = max(chance.uniform(1, 40), seconds * lanes / _FILES / mean)
        at = chance.uniform(0.1, 30)
        for number in range(sources):
            kind = chance.choices(KINDS, WEIGHTS)[0]
            fields: dict[str, Any] = {"phase": "data_prep"}
            if self._manner.limits:
                # It holds for CPU alone as well, so such work would not be declared like this.
                kind = chance.choice(KINDS[:3])
                fields["stall_seconds"] = round(chance.uniform(*_DECLARED_SECONDS))
            source = f"{self._name}-{kind.name}-{number}"
            script.say(at, events.PHASE, **fields, sub_phase=kind.sub_phase)
            at += 0.01
            script.begin_source(at, source, kind.sub_phase)
            at = max(
                self._lane(lane, kind, source, at, at + seconds / sources) for lane in range(lanes)
            )
            script.say(at, events.SOURCE_DONE, source)
            at += self._between(at, lanes)
        script.end = at + 1.0
        script.says.sort(key=lambda say: say.at)
        return script

    def _lane(self, lane: int, kind: Kind, source: str, at: float, until: float) -> float:
        """Let one thread work through its part of a source; return when it is done."""
        number = 0
        while at < until:
            at = self._file(lane, kind, source, f"part-{lane}/{number:05d}.xml", at)
            number += 1
            if self._manner.retries and self._chance.random() < 0.01:
                at = self._retry(lane, source, at)
            elif self.script.lanes == 1:
                at += self._between(at, 1, likely=0.01)
        return at

    def _file(self, lane: int, kind: Kind, source: str, path: str, at: float) -> float:
        chance = self._chance
        seconds = chance.lognormvariate(0.0, self._sigma) * self._median
        if chance.random() < self._tail:
            seconds = 600.0 * chance.paretovariate(1.2)
        shows = kind.moves or kind.io[0] > 0
        seconds = min(seconds, _FILE_SECONDS if shows else _CPU_SECONDS)
        cpu = chance.uniform(*kind.cpu)
        io = _between(chance, *kind.io)
        size = int(max(1.0, io * seconds)) if kind.io[0] else chance.randint(1, 10**7)
        flight = Flight(at, at + seconds, source, path, size, kind.moves, lane)
        self.script.file(flight, cpu, io)
        return at + seconds

    def _retry(self, lane: int, source: str, at: float) -> float:
        """Fail some times at a file, with longer and longer pauses, and go on."""
        for retry in range(1, self._chance.randint(2, 6)):
            fields: dict[str, Any] = {"message": "503 Slow Down", "error": "HTTPError"}
            fields |= {"fatal": False, "retry": retry}
            self.script.say(at, events.ERROR, source, lane=lane, **fields)
            pause = min(5.0 * 2**retry, 300.0) * self._chance.uniform(0.5, 1.0)
            self.script.quiets.append((at, at + pause))
            at += pause
        return at

    def _between(self, at: float, lanes: int, *, likely: float = 0.4) -> float:
        """Return how long nothing is done now: a declared wait, or a short one that is not."""
        chance, script = self._chance, self.script
        if self._manner.waits and chance.random() < likely:
            way = chance.random()
            if way < 0.2:
                promised = 10 ** chance.uniform(2, 3.9)
                script.say(at, events.EXTENDED, reason="index", until=at + promised)
                script.waits.append((at, at + promised))
                return promised * chance.uniform(0.3, 1.0)
            if way < 0.6:
                seconds = 10 ** chance.uniform(1, 3.5)
                script.say(at, events.WAITING, reason="rate limit")
                script.waits.append((at, at + seconds))
                return seconds
            promised = 10 ** chance.uniform(1, 4)
            seconds = max(1.0, promised * chance.uniform(0.3, 1.0) + chance.uniform(-60, 240))
            script.say(at, events.WAITING, reason="restore from the archive", until=at + promised)
            script.waits.append((at, at + max(promised, seconds)))
            return seconds
        if self._manner.quiets and chance.random() < likely:
            seconds = 10 ** chance.uniform(0, 2.78)
            script.quiets.append((at, at + min(seconds, _QUIET_SECONDS)))
            return min(seconds, _QUIET_SECONDS)
        return 0.5 * lanes


def _between(chance: Random, low: float, high: float) -> float:
    """Draw a rate: each order of magnitude is as likely."""
    return float(low * (high / low) ** chance.random()) if low > 0 else chance.uniform(low, high)


def idle(chance: Random, seconds: float) -> Script:
    """Return the script of a process that starts others and waits for them."""
    script = Script(end=seconds)
    script.say(chance.uniform(0.1, 5), events.PHASE, phase="data_prep")
    script.burns.append(Burn(0.0, seconds, 0.001, 20.0))
    return script
