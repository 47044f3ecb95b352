"""Reading the log: the records of a stream from a cursor, and the streams of a run.

A reader sees a growing prefix. What contradicts the format is damage: it is reported with its
place, and reading goes on behind it as far as the bytes are sound.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from journal import events, layout
from journal.segments import START, Cursor, check_version
from journal.stores.contract import Absent, Found, ReadStore, Unchanged, Version

DAMAGES_KEPT: Final = 8  # of a segment; a foreign file would give one for each line


@dataclass(slots=True)
class Batch:
    """What one read of one segment gave: lines with their records, damage, and the place after.

    `lines` are without their newlines. `sealed` is the reason if the segment ended with its seal.
    """

    stream: str
    segment: int
    cursor: Cursor
    lines: list[bytes] = field(default_factory=list)
    records: list[events.Record] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)
    sealed: str | None = None


class StreamReader:
    """Reads one stream from a cursor on, as far as it goes now, and again as it grows."""

    def __init__(
        self, store: ReadStore, run_id: str, stream: str, cursor: Cursor = START, *, exists: int = 0
    ) -> None:
        """Start at a cursor; `exists` is the highest segment known to be there (from a listing).

        A segment that is absent below it is damage, one above it is yet to come.
        """
        self.stream = stream
        self.cursor = cursor
        self.exists = exists
        self.sealed: str | None = None  # the reason, while what was read ends with a seal
        self.misplaced = False  # the cursor names a place that is not there
        self.store_time: float | None = None
        self._store = store
        self._run_id = run_id
        self._version: Version | None = None
        # Hash of the active segment so far; None when it was not read from its first byte.
        self._hash = hashlib.sha256() if cursor.bytes == 0 else None
        self._previous_sha256: str | None = None
        self._resync = False  # behind damage the next line's seq is taken as it is

    def read(self) -> Iterator[Batch]:
        """Yield a batch for each segment that has something new; nothing new, no batch.

        Raises Unavailable, Refused and, for a later version of the format, Corrupt.
        """
        while True:
            key = layout.segment_key(self._run_id, self.stream, self.cursor.segment)
            answer = self._store.get(key, start=self.cursor.bytes, unless=self._version)
            self.store_time = answer.store_time
            if isinstance(answer, Unchanged):
                return
            batch = Batch(self.stream, self.cursor.segment, self.cursor)
            if isinstance(answer, Absent):
                self.misplaced |= self.cursor.bytes > 0
                if self.cursor.segment >= self.exists and self.cursor.bytes == 0:
                    return
                batch.damages.append(f"{key}: the segment is missing")
            elif answer.size < self.cursor.bytes:
                self.misplaced = True
                batch.damages.append(
                    f"{key}: {answer.size} bytes, fewer than the {self.cursor.bytes} read before"
                )
            else:
                self._version = answer.version
                self._take(key, answer, batch)
            go_on = self._leave(batch)
            if batch.lines or batch.damages:
                yield batch
            if not go_on:
                return

    def _take(self, key: str, found: Found, batch: Batch) -> None:
        """Decode what is new in the active segment and move the cursor behind it."""
        at, seq = self.cursor.bytes, self.cursor.seq
        start = at
        body = found.body
        end = body.rfind(b"\n") + 1
        if end < len(body):
            batch.damages.append(f"{key}: the line at byte {at + end} has no end")
        if at == 0 and end:
            self._check_opening(key, body[: body.index(b"\n")], batch)
        for line in body[:end].split(b"\n")[:-1]:
            try:
                record = events.decode(line)
            except ValueError as wrong:
                if len(batch.damages) < DAMAGES_KEPT:
                    batch.damages.append(f"{key}: the line at byte {at} is damaged: {wrong}")
                self._resync = True
                at += len(line) + 1
                continue
            kind = record["type"]
            if record["seq"] != seq and not self._resync:
                batch.damages.append(
                    f"{key}: the line at byte {at} has seq {record['seq']} where {seq} is next"
                )
            self._resync = False
            seq = record["seq"] + (kind not in events.CONTROL)
            if kind == events.SEGMENT_SEALED:
                self._check_seal(key, record, body[: at - start], at, batch)
            batch.lines.append(line)
            batch.records.append(record)
            at += len(line) + 1
            if batch.sealed is not None:
                break
        self._check_end(key, start + len(body) - at, batch)
        if self._hash is not None:
            self._hash.update(body[:end])
        self.cursor = batch.cursor = Cursor(batch.segment, at, seq)

    def _check_opening(self, key: str, line: bytes, batch: Batch) -> None:
        """Check a segment's first line: ours, of a known version, and chained to the one before."""
        try:
            opened = events.decode(line)
        except ValueError:
            return  # reported with the other lines
        if opened["type"] != events.SEGMENT_OPENED:
            batch.damages.append(f"{key}: it does not begin with segment_opened")
            return
        check_version(opened, key)
        place = (self._run_id, self.stream, batch.segment)
        if (opened.get("run_id"), opened.get("stream"), opened.get("segment")) != place:
            batch.damages.append(f"{key}: it says it is a segment of another place")
        prev = opened.get("prev")
        said = prev.get("sha256") if isinstance(prev, dict) else None
        if self._previous_sha256 is not None and said != self._previous_sha256:
            batch.damages.append(f"{key}: the segment before it is not the one it was chained to")

    def _check_end(self, key: str, rest: int, batch: Batch) -> None:
        """Check that a seal is last, and that only the last segment is open."""
        if batch.sealed is not None and rest:
            batch.damages.append(f"{key}: {rest} bytes behind its seal")
        elif batch.sealed is None and batch.segment < self.exists and not batch.damages:
            batch.damages.append(f"{key}: it has no seal, though a segment follows it")

    def _check_seal(
        self, key: str, seal: events.Record, before: bytes, at: int, batch: Batch
    ) -> None:
        batch.sealed = str(seal.get("reason"))
        if self._hash is None:
            return
        digest = self._hash.copy()
        digest.update(before)
        if seal.get("bytes") != at or seal.get("sha256") != digest.hexdigest():
            batch.damages.append(f"{key}: its content does not match the hash in its seal")

    def _leave(self, batch: Batch) -> bool:
        """Go to the next segment if this one is at its end, or past saving; tell whether it is."""
        self.sealed = batch.sealed
        if batch.sealed is None and not (batch.damages and batch.segment < self.exists):
            return False
        sound = batch.sealed is not None and not batch.damages and self._hash is not None
        self._previous_sha256 = self._hash.hexdigest() if sound and self._hash else None
        self._resync = self._resync or batch.sealed is None
        self.cursor = batch.cursor = Cursor(batch.segment + 1, 0, self.cursor.seq)
        self._version = None
        self._hash = hashlib.sha256()
        return True


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing of a run found: the highest segment of each stream, and foreign objects."""

    streams: dict[str, int]
    foreign: list[str]


def stream_names(store: ReadStore, run_id: str) -> list[str]:
    """Return the names of a run's streams, by one listing with a delimiter."""
    entries = store.list(layout.streams_prefix(run_id), delimiter="/")
    names = (layout.parse_stream_prefix(entry.key) for entry in entries)
    return sorted(name for name in names if name is not None)


def listing(store: ReadStore, run_id: str) -> Listing:
    """List all that lies in a run's journal: a request for each thousand segments."""
    streams: dict[str, int] = {}
    foreign: list[str] = []
    for entry in store.list(layout.streams_prefix(run_id)):
        place = layout.parse_segment_key(entry.key)
        if place is None or place[0] != run_id:
            foreign.append(entry.key)
        else:
            streams[place[1]] = max(place[2], streams.get(place[1], 0))
    return Listing(streams, foreign)
