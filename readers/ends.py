"""The last records of a stream, read from its end: a ranged GET, as a rule, however long it is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from journal import events, layout
from journal.events import Record
from journal.segments import PRUNED, Cursor
from journal.stores import Found, ReadStore

BYTES_PER_RECORD = 1024  # generous: most lines have 120 to 250 bytes
LEAST_BYTES = 16 * 1024


@dataclass(slots=True)
class End:
    """The last records of a stream in order, with their lines, and the place behind them."""

    cursor: Cursor
    records: list[tuple[Record, bytes]] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)


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
    found = _Part(store, layout.segment_key(run_id, stream, segment), max(0, size - step))
    end = End(Cursor(segment, found.size, found.next_seq), found.records, found.damages)
    if found.sealed is not None:
        end.cursor = Cursor(segment + 1, 0, found.next_seq)
    gaps, is_pruned = 0, found.sealed == PRUNED
    while sum(wanted(record) for record, _ in end.records) < count:
        if found.start > 0:
            # Too few in what was read: the same segment again, from further back.
            step *= 8
            part = _Part(store, found.key, max(0, found.start - step), found.start)
        elif segment > 0 and (found.previous_size or not gaps):
            # Behind one that is missing or damaged another may be sound; more are not searched.
            gaps += not found.previous_size
            segment -= 1
            key = layout.segment_key(run_id, stream, segment)
            part = _Part(store, key, max(0, found.previous_size - step))
            if is_pruned and part.is_missing:
                break
        else:
            break
        end.records[:0] = part.records
        end.damages[:0] = part.damages
        found = part
    return end


class _Part:
    """A part of a segment: the whole lines from `start` to `stop`, or to its end."""

    def __init__(self, store: ReadStore, key: str, start: int, stop: int | None = None) -> None:
        self.key = key
        self.records: list[tuple[Record, bytes]] = []
        self.damages: list[str] = []
        self.next_seq = 0
        self.sealed: str | None = None
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
        for line in body[cut:].split(b"\n")[:-1]:
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            record = events.decode(line)
        except ValueError as wrong:
            self.damages.append(f"{self.key}: a line is damaged: {wrong}")
            return
        kind = record["type"]
        self.next_seq = record["seq"] + (kind not in events.CONTROL)
        self.sealed = str(record.get("reason")) if kind == events.SEGMENT_SEALED else None
        if kind == events.SEGMENT_OPENED:
            prev = record.get("prev")
            size = prev.get("bytes") if isinstance(prev, dict) else 0
            self.previous_size = size if type(size) is int else 0
        self.records.append((record, line))
