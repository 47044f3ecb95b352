"""An event as readers hand it out, and how loud it is. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Literal, NamedTuple, overload

from journal import events
from journal.events import Record
from journal.log import Batch

Level = Literal["debug", "info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error")

# What nobody wants to see who has not asked for it.
QUIET: Final = events.CONTROL | {events.HEARTBEAT}

_LEVELS: Final[dict[str, Level]] = {
    **dict.fromkeys(QUIET | {events.PROGRESS, events.HISTORY}, "debug"),
    **dict.fromkeys((events.FILE_SKIPPED, events.WAITING, events.DROPPED, events.STACK), "warning"),
    events.ERROR: "error",
}


class Event(NamedTuple):
    """A record with the run and the stream it lies in, and its line as stored, less the newline."""

    run_id: str
    stream: str
    record: Record
    line: bytes


@dataclass(frozen=True, slots=True)
class Stretch(Sequence[Event]):
    """Events that follow upon one another in one stream, in columns: most readers need no more."""

    run_id: str
    stream: str
    batch: Batch
    begin: int = 0
    end: int | None = None

    @property
    def lines(self) -> list[bytes]:
        """The lines as stored, without their newlines."""
        return self.batch.lines[self.begin : self.end]

    @property
    def kinds(self) -> list[str]:
        """The types of the records."""
        return self.batch.kinds[self.begin : self.end]

    def __len__(self) -> int:
        return len(range(len(self.batch.lines))[self.begin : self.end])

    def __iter__(self) -> Iterator[Event]:
        records = self.batch.records[self.begin : self.end]
        return map(Event, repeat(self.run_id), repeat(self.stream), records, self.lines)

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> "Stretch": ...
    def __getitem__(self, at: int | slice) -> "Event | Stretch":
        places = range(len(self.batch.lines))[self.begin : self.end][at]
        if isinstance(places, range):
            return Stretch(self.run_id, self.stream, self.batch, places.start, places.stop)
        batch = self.batch
        return Event(self.run_id, self.stream, batch.records[places], batch.lines[places])


def level_of(record: Record) -> Level:
    """Return how loud a record is: an error that is tried again is a warning."""
    kind = record["type"]
    if kind == events.FINISHED:
        return "info" if record.get("status") in ("completed", "preempted") else "error"
    if kind == events.ERROR and record.get("retry"):
        return "warning"
    return _LEVELS.get(kind, "info")
