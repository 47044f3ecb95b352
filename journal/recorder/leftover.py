"""What an earlier process of a stream left in the spool, and which of it the store never got.

Judged after the claim only, when nothing of that process can arrive any more: from the front, a
spooled line that is byte for byte the store's line of its number is stored; the first that is not,
and all behind it, are missing.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from journal import events, segments
from journal.errors import Corrupt
from journal.recorder.spool import Spool
from journal.stream import Stream, StreamWriter

log: Final = logging.getLogger("journal")


@dataclass(slots=True)
class Leftover:
    """The part of a spool, from `start` to `end`, that the store does not have."""

    spool: Spool
    start: int
    end: int
    stored: int  # records before it, which the store has
    damaged: int  # lines that are no records: they stay out, and are told of

    def lines(self, attempt: int) -> Iterator[bytes]:
        """Yield the missing lines, some at a time; each `started` gets the attempt after the last.

        `attempt` is the number of the last attempt in the store. Raises OSError.
        """
        for chunk in self.spool.chunks(self.start, self.end):
            sound = bytearray()
            for line in chunk.splitlines(keepends=True):
                kind = _type_of(line)
                if kind is None:
                    continue
                if kind == events.STARTED:
                    # It was never sent: what it said of its number was a guess.
                    attempt += 1
                    sound += events.encode({**events.decode(line), "attempt": attempt})
                else:
                    sound += line
            yield bytes(sound)

    def look_through(self) -> int:
        """Count the lines that are no records; return how many attempts begin. Raises OSError."""
        attempts = 0
        for chunk in self.spool.chunks(self.start, self.end):
            for line in chunk.splitlines():
                kind = _type_of(line)
                attempts += kind == events.STARTED
                self.damaged += kind is None
        return attempts


def leftover_of(spool: Spool, stream: Stream, writer: StreamWriter) -> Leftover:
    """Compare what was in the spool when it was opened with the store, whose claim is made.

    Raises Unavailable, Refused, Corrupt, OSError.
    """
    at = stored = damaged = 0
    there: _Stored | None = None
    for chunk in spool.chunks(0, spool.base):
        for line in chunk.splitlines(keepends=True):
            seq = _seq_of(line)
            if seq is not None:
                there = there or _Stored(stream, writer, seq)
                if there.line(seq) != line:
                    return Leftover(spool, at, spool.base, stored, damaged)
                stored += 1
            damaged += seq is None
            at += len(line)
    return Leftover(spool, at, spool.base, stored, damaged)


class _Stored:
    """The record lines of a stream from a number on, up to the writer's claim."""

    def __init__(self, stream: Stream, writer: StreamWriter, seq: int) -> None:
        self._lines = _stored_from(stream, writer, seq)
        self._seq = seq - 1

    def line(self, seq: int) -> bytes | None:
        """Return the line of a number, None if there is none; numbers asked for must rise."""
        line = None
        while self._seq < seq:
            self._seq, line = next(self._lines, (seq, None))
        return line if self._seq == seq else None


def _stored_from(
    stream: Stream, writer: StreamWriter, seq: int
) -> Iterator[tuple[int, bytes | None]]:
    if not 0 <= seq < writer.next_seq:
        return
    first = writer.segment - 1
    while first > 0 and _opening_seq(_body(stream, first)) > seq:
        first -= 1
    for segment in range(first, writer.segment):
        for line in _body(stream, segment).splitlines(keepends=True):
            record = events.decode(line)
            if record["type"] not in events.CONTROL and record["seq"] >= seq:
                yield record["seq"], line


def _body(stream: Stream, segment: int) -> bytes:
    found = stream.read(segment)
    if found is None:
        raise Corrupt(f"{stream.key(segment)}: the segment is missing")
    return found.body


def _opening_seq(body: bytes) -> int:
    return segments.tail_of(body, "a segment").opened["seq"]  # type: ignore[no-any-return]


def _seq_of(line: bytes) -> int | None:
    try:
        return int(events.decode(line)["seq"])
    except ValueError:
        return None


def _type_of(line: bytes) -> str | None:
    try:
        return str(events.decode(line)["type"])
    except ValueError:
        return None
