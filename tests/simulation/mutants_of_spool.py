"""Rules of the spool switched off, one by one."""

import fcntl
from collections import deque
from collections.abc import Iterable
from typing import Any

from journal.recorder import leftover, opening, recovery, spool
from journal.recorder.leftover import Leftover
from journal.recorder.outbox import Outbox
from journal.recorder.spool import Spool
from journal.stream import Stream, StreamWriter
from tests.simulation.mutant import Replaced, mutant


@mutant(opening, "leftover_of")
def spool_is_judged_by_numbers(_: Replaced) -> Replaced:
    """What has a number below the store's next counts as stored."""

    def judge(spool: Spool, stream: Stream, writer: StreamWriter) -> Leftover:
        at = 0
        for chunk in spool.chunks(0, spool.base):
            for line in chunk.splitlines(keepends=True):
                if (leftover._seq_of(line) or 0) >= writer.next_seq:
                    return Leftover(spool, at, spool.base, 0, 0)
                at += len(line)
        return Leftover(spool, at, spool.base, 0, 0)

    return judge


@mutant(opening, "leftover_of")
def spool_is_sent_whole(_: Replaced) -> Replaced:
    """All that is in the spool is sent."""

    def judge(spool: Spool, stream: Stream, writer: StreamWriter) -> Leftover:
        return Leftover(spool, 0, spool.base, 0, 0)

    return judge


@mutant(recovery, "leftover_of")
def recovery_sends_the_whole_spool(_: Replaced) -> Replaced:
    """All that is in the spool is sent by whoever recovers it."""

    def judge(spool: Spool, stream: Stream, writer: StreamWriter) -> Leftover:
        return Leftover(spool, 0, spool.base, 0, 0)

    return judge


@mutant(Outbox, "_rewrite")
def spool_is_renumbered_in_memory(_: Replaced) -> Replaced:
    """The file keeps the old numbers when a claim gives new ones."""

    def rewrite(self: Outbox, seq: int, head: Iterable[bytes]) -> deque[Any]:
        lines = bytearray(b"".join(chunk for _, chunk in self._numbered(seq, head)))
        self.count = 0
        parts: deque[Any] = deque()
        former, self._parts = self._parts, parts
        self._wait_in_memory(lines, lines.count(b"\n"))
        self._parts = former
        return parts

    return rewrite


@mutant(Outbox, "set_aside")
def fenced_words_are_sent_later(_: Replaced) -> Replaced:
    """The spool of a fenced writer is like any other."""
    return lambda self, writer, seq: None


@mutant(spool, "_whole")
def torn_line_stays(_: Replaced) -> Replaced:
    """What comes next is appended behind a line without an end."""
    return lambda file: spool.os.fstat(file).st_size


@mutant(fcntl, "flock")
def spool_is_not_locked(_: Replaced) -> Replaced:
    """Whoever comes takes the spool of a process that lives."""
    return lambda file, how: None


@mutant(Outbox, "_cut")
def spool_loses_what_was_sent(_: Replaced) -> Replaced:
    """What was sent is dropped before the store has it."""

    def hasty(self: Outbox, seq: int) -> None:
        if self.spool is not None and not self._parts:
            self.spool.clear()

    return hasty


@mutant(Spool, "cut")
def spool_is_cut_too_far(cut: Replaced) -> Replaced:
    """A record more than the store has is dropped."""
    return lambda self, seq, least_bytes: cut(self, seq + 1, least_bytes)
