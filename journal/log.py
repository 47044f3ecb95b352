"""Reading the log: the records of a stream from a cursor, and the streams of a run.

A reader sees a growing prefix. What contradicts the format is damage: it is reported with its
place, and reading goes on behind it as far as the bytes are sound.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

import orjson

from journal import events, layout
from journal.segments import PRUNED, START, Cursor, Link, check_version
from journal.stores.contract import Absent, Found, ReadStore, Unchanged, Version

DAMAGES_KEPT: Final = 8  # of a segment's lines; a foreign file would give one for each
_PLACE: Final = itemgetter("seq", "type", "ts")
_LINK: Final = ("segment", "bytes", "sha256")  # what `prev` says of the segment before


@dataclass(frozen=True, slots=True)
class Damage:
    """What contradicts the format: the object, the kind of damage (one word), what it is, where.

    `at` is the byte where it begins, `seq` that of the line there, `expected` what the format asks
    for; each None where it cannot be told.
    """

    key: str
    kind: str
    what: str
    at: int | None = None
    seq: int | None = None
    expected: Any = None
    found: Any = None

    def __str__(self) -> str:
        return f"{self.key}: {self.what}"


@dataclass(slots=True)
class Batch:
    """What one read of one segment gave: lines with their records, damage, and the place after.

    `lines` are without their newlines, `kinds` the types of their records. `sealed` is the reason
    if the segment ended with its seal. `ends` are the bytes at which the lines end, where they may
    not follow upon one another.
    """

    stream: str
    segment: int
    cursor: Cursor
    lines: list[bytes] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    sealed: str | None = None
    ends: list[int] = field(default_factory=list)
    decoded: list[events.Record] | None = None

    @property
    def records(self) -> list[events.Record]:
        """The records of the lines."""
        if self.decoded is None:
            self.decoded = [orjson.loads(line) for line in self.lines]
        return self.decoded

    def add(self, line: bytes, record: events.Record, end: int) -> None:
        """Put a line behind the others, if each of them was put so."""
        if self.decoded is None:
            self.decoded = []
        self.lines.append(line)
        self.kinds.append(record["type"])
        self.decoded.append(record)
        self.ends.append(end)


class StreamReader:
    """Reads one stream from a cursor on, as far as it goes now, and again as it grows."""

    def __init__(
        self,
        store: ReadStore,
        run_id: str,
        stream: str,
        cursor: Cursor = START,
        *,
        exists: int = 0,
        keep: bool = True,
    ) -> None:
        """Start at a cursor; `exists` is the highest segment known to be there (from a listing).

        A segment that is absent up to it is damage, one above it is yet to come. Without `keep`
        records are decoded once more when somebody asks for them: to drop each at once spares a
        third of reading lines that are only passed on.
        """
        self.stream = stream
        self.cursor = cursor
        self.exists = exists
        self.sealed: str | None = None  # the reason, while what was read ends with a seal
        self.misplaced = False  # the cursor names a place that is not there
        self.store_time: float | None = None
        self._store = store
        self._run_id = run_id
        self._keep = keep
        self._version: Version | None = None
        # Hash of the active segment so far; None when it was not read from its first byte.
        self._hash = hashlib.sha256() if cursor.bytes == 0 else None
        self._previous: Link | None = None  # the segment before, if it was read whole and is sound
        self._resync = False  # behind damage the next line's seq is taken as it is

    def read(self) -> Iterator[Batch]:
        """Yield a batch for each segment that has something new; nothing new, no batch.

        Raises Unavailable, Refused and, for a later version of the format, Corrupt.
        """
        while self.sealed != PRUNED:
            segment = self.cursor.segment
            key = layout.segment_key(self._run_id, self.stream, segment)
            answer = self._store.get(key, start=self.cursor.bytes, unless=self._version)
            self.store_time = answer.store_time
            if isinstance(answer, Unchanged):
                return
            batch, following = Batch(self.stream, segment, self.cursor), segment + 1
            if isinstance(answer, Absent):
                self.misplaced |= self.cursor.bytes > 0
                # Of 0 nobody knows whether it exists: a reader may be there before the writer.
                if (segment > self.exists or not self.exists) and self.cursor.bytes == 0:
                    return
                following = self._behind_hole(key)
                others = f", and {following - segment - 1} behind it" * (following > segment + 1)
                batch.damages.append(Damage(key, "missing", f"the segment is missing{others}"))
            elif answer.size < self.cursor.bytes:
                self.misplaced = True
                fewer = f"{answer.size} bytes, fewer than the {self.cursor.bytes} read before"
                batch.damages.append(Damage(key, "shrunk", fewer, at=answer.size))
            else:
                self._version = answer.version
                self._take(key, answer, batch)
            go_on = self._leave(batch, following)
            if batch.lines or batch.damages:
                yield batch
            if not go_on:
                return

    def skip(self) -> None:
        """Give up the active segment, which cannot be read, and go on with the next."""
        self._go_to(self.cursor.segment + 1)
        self._previous = None
        self._resync = True

    def _behind_hole(self, key: str) -> int:
        """Return the next segment that exists behind an absent one.

        It is looked for: one stray object with a high number must not cost a request for each
        number below it.
        """
        segment = self.cursor.segment + 1
        if segment < self.exists:
            folder = layout.stream_prefix(self._run_id, self.stream)
            places = (layout.parse_segment_key(e.key) for e in self._store.list(folder, after=key))
            segment = next((place[2] for place in places if place is not None), self.exists)
        return segment

    def _take(self, key: str, found: Found, batch: Batch) -> None:
        """Decode what is new in the active segment and move the cursor behind it."""
        start, body = self.cursor.bytes, found.body
        end = body.rfind(b"\n") + 1
        if end < len(body):
            torn = f"the line at byte {start + end} has no end"
            batch.damages.append(Damage(key, "torn", torn, at=start + end))
        if start == 0 and end:
            self._check_opening(key, body[: body.index(b"\n")], batch)
        lines = body[:end].split(b"\n")[:-1]
        if not self._resync and self._is_sound(lines, batch):
            at = start + end
        else:
            at = self._take_each(key, lines, batch)
        seq, last = self.cursor.seq, orjson.loads(batch.lines[-1]) if batch.lines else None
        if last is not None:
            seq = last["seq"] + (last["type"] not in events.CONTROL)
        hashed = 0
        if last is not None and last["type"] == events.SEGMENT_SEALED:
            hashed = at - start - len(batch.lines[-1]) - 1
            self._check_seal(key, last, memoryview(body)[:hashed], start + hashed, batch)
        self._check_end(key, at, start + len(body) - at, batch)
        if self._hash is not None:
            self._hash.update(memoryview(body)[hashed:end])
        self.cursor = batch.cursor = Cursor(batch.segment, at, seq)

    def _take_each(self, key: str, lines: list[bytes], batch: Batch) -> int:
        """Decode line by line, up to a seal, and say what is wrong; return the place behind."""
        at, seq = self.cursor.bytes, self.cursor.seq
        damages: list[Damage] = []
        for line in lines:
            try:
                record = events.decode(line)
            except ValueError as wrong:
                damages.append(_damaged(key, "line", at, f"is damaged: {wrong}"))
                self._resync = True
                at += len(line) + 1
                continue
            kind, number = record["type"], record["seq"]
            if number != seq and not self._resync:
                what = f"has seq {number} where {seq} is next"
                damages.append(
                    _damaged(key, "seq", at, what, seq=number, expected=seq, found=number)
                )
            if kind == events.SEGMENT_OPENED and at > 0:
                damages.append(_damaged(key, "opening", at, f"is a second {kind}", seq=number))
            self._resync = False
            seq = number + (kind not in events.CONTROL)
            at += len(line) + 1
            batch.add(line, record, at)
            del damages[DAMAGES_KEPT:]
            if kind == events.SEGMENT_SEALED:
                break
        batch.damages += damages[:DAMAGES_KEPT]
        return at

    def _is_sound(self, lines: list[bytes], batch: Batch) -> bool:
        """Decode lines that are all sound and in sequence from the cursor on; False if any is not.

        As a rule all are, and looking at whole columns costs half of looking at line after line.
        """
        first, records = self.cursor.seq, None
        try:
            if self._keep:
                records = [*map(orjson.loads, lines)]
                numbers, kinds, stamps = zip(*map(_PLACE, records), strict=True)
            else:
                numbers, kinds, stamps = zip(*map(_PLACE, map(orjson.loads, lines)), strict=True)
        except (ValueError, KeyError, TypeError):
            return False
        if {*map(type, numbers)} != {int} or {*map(type, kinds), *map(type, stamps)} != {str}:
            return False
        opened = int(self.cursor.bytes == 0 and kinds[0] == events.SEGMENT_OPENED)
        sealed = int(kinds[-1] == events.SEGMENT_SEALED)
        control = kinds.count(events.SEGMENT_OPENED) + kinds.count(events.SEGMENT_SEALED)
        last = first + len(lines) - opened - sealed
        in_sequence = (*[first] * opened, *range(first, last), *[last] * sealed)
        if control != opened + sealed or numbers != in_sequence:
            return False
        batch.lines, batch.kinds, batch.decoded = lines, list(kinds), records
        return True

    def _check_opening(self, key: str, line: bytes, batch: Batch) -> None:
        """Check a segment's first line: ours, of a known version, and chained to the one before."""
        try:
            opened = events.decode(line)
        except ValueError:
            return  # reported with the other lines
        seq = opened["seq"]
        if opened["type"] != events.SEGMENT_OPENED:
            what = "it does not begin with segment_opened"
            batch.damages.append(Damage(key, "opening", what, at=0, seq=seq, found=opened["type"]))
            return
        check_version(opened, key)
        place = [self._run_id, self.stream, batch.segment]
        said = [opened.get("run_id"), opened.get("stream"), opened.get("segment")]
        if said != place:
            what = "it says it is a segment of another place"
            batch.damages.append(Damage(key, "opening", what, 0, seq, place, said))
        link, previous = opened.get("prev"), self._previous
        prev = None if not isinstance(link, dict) else [link.get(part) for part in _LINK]
        if previous is not None and prev != [previous.segment, previous.size, previous.sha256]:
            what = "the segment before it is not the one it was chained to"
            there = [previous.segment, previous.size, previous.sha256]
            batch.damages.append(Damage(key, "chain", what, 0, seq, prev, there))
        elif (prev is None) != (batch.segment == 0):
            what = "only the first segment is chained to none"
            batch.damages.append(Damage(key, "chain", what, 0, seq, found=prev))

    def _check_end(self, key: str, at: int, rest: int, batch: Batch) -> None:
        """Check that a seal is last, and that only the last segment is open."""
        if batch.sealed is not None and rest:
            what = f"{rest} bytes behind its seal"
            batch.damages.append(Damage(key, "behind", what, at=at))
        elif batch.sealed is None and batch.segment < self.exists and not batch.damages:
            what = "it has no seal, though a segment follows it"
            batch.damages.append(Damage(key, "unsealed", what, at=at))

    def _check_seal(
        self, key: str, seal: events.Record, before: memoryview, at: int, batch: Batch
    ) -> None:
        batch.sealed = str(seal.get("reason"))
        if self._hash is None:
            return
        self._hash.update(before)
        there, said = [at, self._hash.hexdigest()], [seal.get("bytes"), seal.get("sha256")]
        if said != there:
            what = "its content does not match the hash in its seal"
            batch.damages.append(Damage(key, "seal", what, None, seal["seq"], said, there))

    def _leave(self, batch: Batch, following: int) -> bool:
        """Go to the next segment if this one is at its end, or past saving; tell whether it is."""
        self.sealed = batch.sealed
        if batch.sealed is None and not (batch.damages and batch.segment < self.exists):
            return False
        self._previous = None
        if batch.sealed is not None and not batch.damages and self._hash is not None:
            self._previous = Link(batch.segment, self.cursor.bytes, self._hash.hexdigest())
        self._resync = self._resync or batch.sealed is None
        self._go_to(following)
        batch.cursor = self.cursor
        return True

    def _go_to(self, segment: int) -> None:
        self.cursor = Cursor(segment, 0, self.cursor.seq)
        self._version = None
        self._hash = hashlib.sha256()


def _damaged(key: str, kind: str, at: int, what: str, **facts: Any) -> Damage:
    return Damage(key, kind, f"the line at byte {at} {what}", at, **facts)


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
