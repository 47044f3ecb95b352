"""What really lies in a stream: every change of its segments, held against the protocol.

The chain is fed each put at the moment it is applied, so a broken rule is found at the put that
broke it, not at its consequences.
"""

from dataclasses import dataclass, field
from hashlib import sha256

import orjson

from journal.events import CONTROL, SEGMENT_OPENED, SEGMENT_SEALED, Record
from journal.segments import Cursor


class Broken(Exception):
    """What lies in the store contradicts the protocol."""


@dataclass
class Segment:
    """A segment: which claim opened it, and which processes wrote to it."""

    writer: str
    epoch: int
    creator: str  # the process
    touched: set[str] = field(default_factory=set)  # the processes whose puts changed it
    sealed: str | None = None
    body: bytes = b""


@dataclass
class Chain:
    """A stream as it lies in the store."""

    stream: str
    segments: list[Segment] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)  # all of them, without newlines
    decoded: list[Record] = field(default_factory=list)
    places: dict[tuple[int, int], int] = field(default_factory=dict)  # where each line begins
    records: list[bytes] = field(default_factory=list)  # those that are no control lines, by seq
    said: dict[str, int] = field(default_factory=dict)  # of each process the last event
    is_deleted: bool = False

    def index(self, cursor: Cursor) -> int | None:
        """Return how many lines lie before a cursor, None if it is no place between two."""
        return self.places.get((cursor.segment, cursor.bytes))

    def change(self, number: int, old: bytes | None, new: bytes, by: str) -> None:
        """Take in that a segment was put. Raises Broken."""
        if old is None:
            self._open(number, by)
        segment = self.segments[number]
        if not new.startswith(segment.body):
            raise Broken(f"segment {number} was not extended but replaced")
        if segment.sealed is not None and len(new) > len(segment.body):
            raise Broken(f"segment {number} was sealed, and grew")
        if number < len(self.segments) - 1:
            raise Broken(f"segment {number} was written to behind its successor")
        at = len(segment.body)
        if not new.endswith(b"\n"):
            raise Broken("a torn line")
        for line in new[at:].split(b"\n")[:-1]:
            self._add(number, segment, line, new[:at], by)
            at += len(line) + 1
            self.places[number, at] = len(self.lines)
        if segment.sealed is not None:
            self.places[number + 1, 0] = len(self.lines)
        segment.touched.add(by)
        segment.body = new

    def _open(self, number: int, by: str) -> None:
        if number != len(self.segments):
            raise Broken(f"segment {number} was created, {len(self.segments)} is next")
        if number and self.segments[-1].sealed is None:
            raise Broken(f"segment {number} was created before {number - 1} was sealed")
        self.segments.append(Segment("", 0, by))
        self.places[number, 0] = len(self.lines)

    def _add(self, number: int, segment: Segment, line: bytes, before: bytes, by: str) -> None:
        record = orjson.loads(line)
        if record["seq"] != len(self.records):
            raise Broken(f"seq {record['seq']} where {len(self.records)} is next")
        kind = record["type"]
        if (kind == SEGMENT_OPENED) != (not before):
            raise Broken(f"segment {number}: {kind} at byte {len(before)}")
        if segment.sealed is not None:
            raise Broken(f"segment {number}: a line behind its seal")
        if kind == SEGMENT_OPENED:
            self._opened(number, segment, record)
        elif kind == SEGMENT_SEALED:
            if (record["bytes"], record["sha256"]) != (len(before), sha256(before).hexdigest()):
                raise Broken(f"segment {number}: its seal does not fit")
            if record["reason"] == "takeover" and by == segment.creator:
                raise Broken(f"segment {number}: {by} took over from itself")
            segment.sealed = record["reason"]
        if kind not in CONTROL:
            self.records.append(line)
            self._said(str(record.get("uid") or record.get("path") or ""))
        self.lines.append(line)
        self.decoded.append(record)

    def _opened(self, number: int, segment: Segment, record: Record) -> None:
        segment.writer, segment.epoch = record["writer"], record["epoch"]
        if record["segment"] != number or record["stream"] != self.stream:
            raise Broken(f"segment {number} says it is another")
        if not number:
            return
        former = self.segments[number - 1]
        prev = record["prev"]
        if prev["sha256"] != sha256(former.body).hexdigest() or prev["bytes"] != len(former.body):
            raise Broken(f"segment {number} is not chained to the one before it")
        if segment.writer == former.writer and former.sealed != "takeover":
            if segment.epoch != former.epoch:
                raise Broken(f"segment {number}: a writer changed its epoch")
        elif segment.epoch <= former.epoch:
            raise Broken(f"segment {number}: epoch {segment.epoch} again, of another writer")

    def _said(self, uid: str) -> None:
        """Each process numbers what it says: all of it has to come once and in order."""
        who, colon, number = uid.rpartition(":")
        if not colon:
            return
        last = self.said.get(who, -1)
        if int(number) != last + 1:
            raise Broken(f"event {uid} of {who} comes after event {last}")
        self.said[who] = int(number)
