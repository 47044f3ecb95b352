"""What a process does, in the order of its own time: what it says, moves and burns.

Times are seconds of work since the process began; they stand still while it is stopped.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final

from journal import events

FLIGHT_SECONDS: Final = 5.0  # a shorter file is never seen in flight
CPU: Final = 0  # the rates of a process
IO: Final = 1


@dataclass(frozen=True, slots=True)
class Say:
    """A call of the API. Of a `file_done`, `fields` holds `path`, `bytes` and `seconds`."""

    at: float
    kind: str
    source: str | None
    fields: dict[str, Any]
    lane: int = 0


@dataclass(frozen=True, slots=True)
class Flight:
    """A file at work; its bytes are counted on the way if it `moves`, until it is `stuck`."""

    begin: float
    end: float
    source: str
    path: str
    bytes: int
    moves: bool
    lane: int = 0
    stuck: float = inf

    @property
    def closes(self) -> float:
        """When it is no longer in flight."""
        return self.end if self.end <= self.stuck else inf

    def moved(self, at: float) -> int:
        """Return the bytes counted so far."""
        passed = min(at, self.stuck) - self.begin
        if not self.moves or passed <= 0:
            return 0
        return int(self.bytes * min(1.0, passed / (self.end - self.begin)))


@dataclass(frozen=True, slots=True)
class Burn:
    """What the process takes of its machine for a while: CPU seconds and bytes of I/O a second."""

    begin: float
    end: float
    cpu: float
    io: float
    lane: int = 0


@dataclass(slots=True)
class Script:
    """All that a process does. `quiets` are stretches in which nothing shows that it works."""

    says: list[Say] = field(default_factory=list)
    flights: list[Flight] = field(default_factory=list)
    burns: list[Burn] = field(default_factory=list)
    quiets: list[tuple[float, float]] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)  # declared; to their very end
    end: float = 0.0
    lanes: int = 1

    def say(
        self, at: float, kind: str, source: str | None = None, *, lane: int = 0, **fields: Any
    ) -> None:
        """Add a call of the API."""
        self.says.append(Say(at, kind, source, fields, lane))

    def begin_source(self, at: float, source: str, sub_phase: str) -> None:
        """Say that a source begins."""
        self.say(at, events.SOURCE_STARTED, source, sub_phase=sub_phase)

    def file(self, flight: Flight, cpu: float, io: float) -> None:
        """Add a file and what it takes."""
        if flight.end - flight.begin >= FLIGHT_SECONDS:
            self.flights.append(flight)
        self.burns.append(Burn(flight.begin, flight.end, cpu, io, flight.lane))
        self.say(
            flight.end,
            events.FILE_DONE,
            flight.source,
            lane=flight.lane,
            path=flight.path,
            bytes=flight.bytes,
            seconds=round(flight.end - flight.begin, 3),
        )

    def stopped(self, at: float, lanes: Iterable[int]) -> "Script":
        """Return the script with these lanes hung from `at` on: what is in flight stays there."""
        hung = frozenset(lanes)
        return replace(
            self,
            says=[say for say in self.says if say.at <= at or say.lane not in hung],
            flights=[
                replace(flight, stuck=min(flight.stuck, at)) if flight.lane in hung else flight
                for flight in self.flights
                if flight.begin <= at or flight.lane not in hung
            ],
            burns=[
                replace(burn, end=min(burn.end, at)) if burn.lane in hung else burn
                for burn in self.burns
                if burn.begin <= at or burn.lane not in hung
            ],
        )

    def busy_until(self, lanes: Iterable[int], at: float, gap: float) -> float:
        """Return until when these lanes work on from `at`, with no pause as long as `gap`."""
        kept = frozenset(lanes)
        burns = (burn for burn in self.burns if burn.lane in kept and burn.end > at)
        for burn in sorted(burns, key=lambda burn: burn.begin):
            if burn.begin >= at + gap:
                break
            at = max(at, burn.end)
        return at


class Meter:
    """Sums up burns: CPU seconds and bytes of I/O since the process began."""

    def __init__(self, burns: Iterable[Burn]) -> None:
        turns: dict[float, list[float]] = {}
        for burn in burns:
            for at, sign in ((burn.begin, 1.0), (burn.end, -1.0)):
                turn = turns.setdefault(at, [0.0, 0.0])
                turn[CPU] += sign * burn.cpu
                turn[IO] += sign * burn.io
        self._at = sorted(turns)
        self._sums: list[tuple[float, float]] = []
        self._rates: list[tuple[float, float]] = []
        cpu = io = cpu_rate = io_rate = before = 0.0
        for at in self._at:
            cpu += cpu_rate * (at - before)
            io += io_rate * (at - before)
            cpu_rate += turns[at][CPU]
            io_rate += turns[at][IO]
            before = at
            self._sums.append((cpu, io))
            self._rates.append((max(0.0, cpu_rate), max(0.0, io_rate)))

    def read(self, at: float) -> tuple[float, float]:
        """Return CPU seconds and bytes of I/O until a time."""
        place = bisect_right(self._at, at) - 1
        if place < 0:
            return 0.0, 0.0
        passed = at - self._at[place]
        (cpu, io), (cpu_rate, io_rate) = self._sums[place], self._rates[place]
        return cpu + cpu_rate * passed, io + io_rate * passed
