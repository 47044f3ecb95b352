"""A run as it could be known at an earlier time: what was in the journal by then, and no more.

A record was known no earlier than it was said, and no earlier than the segment was opened in which
it lies: what waits for a store that is down comes late, in segments of their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from journal import health, snapshot
from journal.clock import StampReader, local
from journal.errors import Missing
from journal.events import CONTROL, HEARTBEAT, SEGMENT_OPENED, Record
from journal.fold import fold
from journal.foreign import instant, offset
from journal.segments import Cursor
from journal.snapshot import Folded
from journal.state import StreamState
from readers.event import Event
from readers.status import Status

_TOGETHER: Final = 4096  # records folded at once


@dataclass(slots=True)
class Past:
    """The streams of a run, folded up to a time (seconds since the epoch, the store's clock)."""

    at: float
    _streams: dict[str, "_Stream"] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take the next event of the run."""
        stream = self._streams.get(event.stream)
        if stream is None:
            stream = self._streams[event.stream] = _Stream()
        stream.take(event.record, self.at)

    def run(self) -> dict[str, Folded]:
        """Return the streams that had said anything."""
        return {name: stream.folded() for name, stream in self._streams.items() if stream.has_any}

    @property
    def first(self) -> float | None:
        """When the first record was known."""
        return min((one.first for one in self._streams.values() if one.first), default=None)


@dataclass(slots=True)
class _Stream:
    state: StreamState = field(default_factory=StreamState)
    first: float | None = None
    has_any: bool = False
    _waiting: list[Record] = field(default_factory=list)
    _read: StampReader = field(default_factory=StampReader)
    _offset: float = 0.0
    _opened: float = 0.0
    _is_over: bool = False
    _seq: int = 0

    def take(self, record: Record, at: float) -> None:
        if self._is_over:
            return  # what comes later was said later, whatever its time
        if record["type"] in (SEGMENT_OPENED, HEARTBEAT):
            self._offset = offset(record.get("clock_offset"), self._offset)
        said = instant(record["ts"], self._read)
        known = max(self._opened, (said or 0.0) + self._offset)
        if record["type"] == SEGMENT_OPENED:
            self._opened = known
        self.first = known if self.first is None else self.first
        if known > at:
            self._is_over = True
            return
        self.has_any = True
        self._seq = record["seq"] + (record["type"] not in CONTROL)
        self._waiting.append(record)
        if len(self._waiting) >= _TOGETHER:
            self._fold()

    def _fold(self) -> None:
        self.state = fold(self.state, self._waiting)
        self._waiting = []

    def folded(self) -> Folded:
        self._fold()
        return Folded(Cursor(seq=self._seq), self.state)


def status_at(run_id: str, events: Iterable[Event], at: float) -> Status:
    """Return the state and the verdict as they could be known at a time (epoch seconds).

    Raises Missing if nothing of the run could be known then.
    """
    past = Past(at)
    for event in events:
        past.take(event)
    run = past.run()
    if not run:
        first = past.first
        said = f"; its first record is of {local(first).isoformat(' ', 'seconds')}" if first else ""
        raise Missing(f"nothing was known of run {run_id} then{said}")
    return status_of(run_id, run, at)


def status_of(run_id: str, run: dict[str, Folded], at: float) -> Status:
    """Return the status of folded streams at a time."""
    document = snapshot.render(run_id, run, {})
    verdict = health.verdict(document, at)
    return Status(
        run_id=run_id,
        document=document,
        verdict=verdict,
        store_time=at,
        complaints=[],
        is_damaged=False,
        is_pruned=False,
    )
