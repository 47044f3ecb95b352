"""The end of a stream, read backwards: its last records, or where those since a time begin.

For the last records one ranged GET does as a rule, however long the stream is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from journal import events, layout
from journal.clock import StampReader
from journal.events import Record
from journal.foreign import instant, offset
from journal.log import Batch
from journal.segments import PRUNED, START, Cursor
from journal.stores import Found, ReadStore

BYTES_PER_RECORD = 1024  # generous: most lines have 120 to 250 bytes
LEAST_BYTES = 16 * 1024
SKEW_SECONDS = 3600.0  # between the clocks of those who wrote a stream one after another
_GAPS_MAX = 8  # a stray object with a high number must not cost a request for each number below it


@dataclass(slots=True)
class End:
    """The last records of a stream, batch after batch, and the places before and behind them."""

    start: Cursor
    cursor: Cursor
    batches: list[Batch] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)

    def take(self, part: "_Part") -> None:
        """Put a part in front."""
        if part.batch.records:
            if not self.batches:
                self.cursor = replace(self.cursor, seq=part.next_seq)
            self.start = Cursor(part.batch.segment, part.start, part.batch.records[0]["seq"])
            self.batches.insert(0, part.batch)
        self.damages[:0] = part.damages


def end_of(
    store: ReadStore,
    run_id: str,
    stream: str,
    place: tuple[int, int],
    *,
    count: int,
    wanted: Callable[[Record], bool],
) -> End:
    """Read the end of a stream from `place` back: at least `count` wanted records, if there are.

    `place` is a segment that exists and about how many bytes it has, 0 if nobody knows. What lies
    behind that segment is not looked for. Raises Unavailable, Refused.
    """
    segment, size = place
    step = max(LEAST_BYTES, count * BYTES_PER_RECORD)
    found = _Part(store, run_id, stream, segment, start=max(0, size - step))
    end = End(found.batch.cursor, found.batch.cursor)
    end.take(found)
    gaps, is_pruned, there = 0, found.batch.sealed == PRUNED, _count(found, wanted)
    # Of a stream whose end is one long line, only what is before it tells which record comes next.
    while there < count or not end.batches:
        if found.start > 0:
            # Too few in what was read: the same segment again, from further back.
            step *= 8
            begin = max(0, found.start - step)
            part = _Part(store, run_id, stream, segment, start=begin, stop=found.start)
        elif segment > 0 and (found.previous_size or not gaps):
            # Behind one that is missing or damaged another may be sound; more are not searched.
            gaps += not found.previous_size
            segment -= 1
            begin = max(0, found.previous_size - step)
            part = _Part(store, run_id, stream, segment, start=begin)
            if is_pruned and part.is_missing:
                break
        else:
            break
        end.take(part)
        there += _count(part, wanted)
        found = part
    return end


def start_of(store: ReadStore, run_id: str, stream: str, segment: int, since: str) -> Cursor:
    """Return a place in a stream before all its records since a `ts`, going back from a segment.

    What was written before a segment was opened is no younger than its opening, by the clock of
    whoever wrote it. Another who wrote before may have had another clock: SKEW_SECONDS are allowed
    for. Raises Unavailable, Refused.
    """
    gaps = 0
    while segment > 0 and gaps < _GAPS_MAX:
        answer = store.get(layout.segment_key(run_id, stream, segment))
        line = answer.body.split(b"\n", 1)[0] if isinstance(answer, Found) else b""
        try:
            opened = events.decode(line)
        except ValueError:
            opened = {}  # nobody knows of when it is
            gaps += 1
        if opened.get("type") == events.SEGMENT_OPENED and _is_before(opened, since):
            return Cursor(segment, 0, opened["seq"])
        segment -= 1
    return START


def _is_before(opened: Record, since: str) -> bool:
    """Tell whether all that is before a segment was said before a time."""
    ts: str = opened["ts"]
    if opened.get("epoch") == 1:
        return ts < since
    read = StampReader()
    at, begin = instant(ts, read), instant(since, read)
    skew = max(0.0, offset(opened.get("clock_offset"), 0.0)) + SKEW_SECONDS
    return at is not None and begin is not None and at + skew < begin


def _count(part: "_Part", wanted: Callable[[Record], bool]) -> int:
    return sum(map(wanted, part.batch.records))


class _Part:
    """A part of a segment: the whole lines from `start` to `stop`, or to its end."""

    def __init__(
        self,
        store: ReadStore,
        run_id: str,
        stream: str,
        segment: int,
        *,
        start: int,
        stop: int | None = None,
    ) -> None:
        key = self._key = layout.segment_key(run_id, stream, segment)
        self.batch = Batch(stream, segment, START)
        self.damages: list[str] = []
        self.next_seq = 0
        self.previous_size = 0
        answer = store.get(key, start=start)
        body = answer.body if isinstance(answer, Found) else b""
        self.size = answer.size if isinstance(answer, Found) else 0
        self.is_missing = not isinstance(answer, Found)
        if self.is_missing:
            self.damages.append(f"{key}: the segment is missing")
        if stop is not None:
            body = body[: stop - start]
        # Somewhere in the middle, the first line is most likely cut: it belongs to what is before.
        cut = body.find(b"\n") + 1 if start else 0
        self.start = start + cut
        at = self.start
        for line in body[cut:].split(b"\n")[:-1]:
            at += len(line) + 1
            self._take(line, at)
        is_over = self.batch.sealed is not None  # what is behind a seal lies in the next segment
        self.batch.cursor = Cursor(segment + is_over, 0 if is_over else at, self.next_seq)

    def _take(self, line: bytes, end: int) -> None:
        try:
            record = events.decode(line)
        except ValueError as wrong:
            self.damages.append(f"{self._key}: a line is damaged: {wrong}")
            return
        kind = record["type"]
        self.next_seq = record["seq"] + (kind not in events.CONTROL)
        self.batch.sealed = str(record.get("reason")) if kind == events.SEGMENT_SEALED else None
        if kind == events.SEGMENT_OPENED:
            prev = record.get("prev")
            size = prev.get("bytes") if isinstance(prev, dict) else 0
            self.previous_size = size if type(size) is int else 0
        self.batch.add(line, record, end)
