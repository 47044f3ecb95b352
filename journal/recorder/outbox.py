"""Records on their way from the pump to the sender: numbered lines, exact bytes, in order.

What waits is a row of parts: lines in memory, and ranges of the spool once memory has enough of
them. Whatever the pump makes goes into the spool as well, until the store has it.
"""

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, RLock
from typing import Final

from journal.errors import Unavailable
from journal.events import renumber
from journal.limits import OUTBOX_BYTES, OUTBOX_SOFT_BYTES, SPOOL_BYTES, SPOOL_CUT_BYTES
from journal.recorder.intake import Waiter
from journal.recorder.spool import Spool
from journal.segments import Reason

log: Final = logging.getLogger("journal")


@dataclass(slots=True)
class _Part:
    """Lines that wait: in memory, or from `start` to `end` of the spool."""

    count: int
    lines: bytearray | None
    start: int = 0
    end: int = 0


class Outbox:
    """Lines waiting for the store. The pump fills it, the sender empties it; both hold `lock`.

    `unsent_bytes` is what the sender took and the store has not acknowledged yet; it counts against
    the bounds, for it lies in memory as well.
    """

    def __init__(self, spool: Spool | None = None, started: bytes = b"") -> None:
        """Begin with `started` in the spool, in case that the claim is never made."""
        self.lock = RLock()
        self.filled = Event()
        self.fresh = bytearray()  # what the pump makes, until it commits it
        self.fresh_count = 0
        self.count = 0  # records that wait
        self.next_seq = 1  # a new stream's first record, `started`, comes with the claim
        self.unsent_bytes = 0
        self.urgent = False
        self.unsynced = Event()  # something urgent is in the spool and may not be on the disk
        self.marks: deque[tuple[int, Waiter]] = deque()
        self.seal: Reason | None = None
        self.closed = False  # nothing more will be sent; what comes goes to the spool alone
        self.spool = spool
        self.trouble: str | None = None  # why the spool does not take records
        self._parts: deque[_Part] = deque()
        self._memory_bytes = 0
        self._own_seq: int | None = None  # of the first record that no earlier process left
        if started:
            self._append(started, 0, 1)

    @property
    def is_crowded(self) -> bool:
        """Whether heartbeats and progress have to be given up."""
        spilled = any(part.lines is None for part in self._parts)
        held = self._memory_bytes + len(self.fresh) + self.unsent_bytes
        return self.seal is not None or spilled or held >= OUTBOX_SOFT_BYTES

    @property
    def room(self) -> int:
        """Bytes until everything has to be given up; none left if it is not positive.

        Behind the end of the stream there is none.
        """
        if self.seal is not None:
            return 0
        memory = 0 if self.closed else OUTBOX_BYTES - self._memory_bytes - self.unsent_bytes
        disk = SPOOL_BYTES - self.spool.size if self.spool and not self.trouble else 0
        return max(memory, disk) - len(self.fresh)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait to be taken."""
        ranges = sum(part.end - part.start for part in self._parts)
        return self._memory_bytes + ranges

    def commit(self) -> None:
        """Let what the pump has made go its way: into the spool, and behind what waits."""
        lines, count = self.fresh, self.fresh_count
        if not count:
            return
        self.fresh, self.fresh_count = bytearray(), 0
        at = self._append(lines, self.next_seq - count, count)
        if at is not None and self.urgent:
            self.unsynced.set()
        if self.closed:
            return
        self.count += count
        held = self._memory_bytes + self.unsent_bytes + len(lines)
        if at is not None and held > OUTBOX_SOFT_BYTES:
            self._wait_in_spool(at, at + len(lines), count)
        else:
            self._wait_in_memory(lines, count)

    def take(self) -> tuple[bytearray, int]:
        """Hand over lines that wait, in their order, and how many records they are.

        Raises Unavailable if they are in the spool, and it cannot be read.
        """
        with self.lock:
            self.urgent = False
            if not self._parts:
                return bytearray(), 0
            part = self._parts[0]
            lines, count = part.lines, part.count
            if lines is None:
                lines = self._from_spool(part)
                count = lines.count(b"\n")
                part.start += len(lines)
                part.count -= count
            else:
                part.count = 0
                self._memory_bytes -= len(lines)
            if not part.count:
                self._parts.popleft()
            self.count -= count
            return lines, count

    def begin_at(self, seq: int, head: Iterable[bytes], *, own: int = 1) -> None:
        """Let the stream go on at `seq` with the lines of `head`; what waits is numbered anew.

        Until the claim nobody can know where the stream goes on. The last `own` lines of the head
        are this process's, the others an earlier one left. The spool is replaced whole before any
        of it is sent. Raises Unavailable if it cannot be, and something waits only there.
        """
        with self.lock:
            before, waiting = self.next_seq, self.count
            is_spilled = any(part.lines is None for part in self._parts)
            try:
                parts = self._rewrite(seq, head)
            except OSError as failed:
                if is_spilled or (self.spool and self.spool.base):
                    raise Unavailable(f"the spool cannot be rewritten: {failed}") from failed
                self._give_up_spool(failed)
                parts = self._rewrite(seq, head)
            self._parts = parts
            self._memory_bytes = sum(len(part.lines or b"") for part in parts)
            self.count = sum(part.count for part in parts)
            self.next_seq = seq + self.count
            self._own_seq = self.next_seq - waiting - own
            self.urgent = True
            shift = self.next_seq - before
            self.marks = deque((mark + shift, waiter) for mark, waiter in self.marks)

    def acknowledge(self, seq: int) -> None:
        """Settle the waiters whose every record lies below `seq`; the last place stays open."""
        with self.lock:
            while self.marks and self.marks[0][0] <= seq and self.seal is None:
                self.marks.popleft()[1].settle(ok=True)
            with suppress(OSError):  # what is left in the spool is only longer than it need be
                self._cut(seq)

    def close(self, *, ok: bool) -> None:
        """Settle every waiter; nothing more will be sent."""
        with self.lock:
            self.closed = True
            while self.marks:
                self.marks.popleft()[1].settle(ok)
            self._parts.clear()
            self._memory_bytes = self.count = self.unsent_bytes = 0

    def set_aside(self, writer: str, seq: int) -> None:
        """Keep this process's records from `seq` on, and all that come, from ever being sent."""
        with self.lock:
            spool = self.spool
            if spool is None:
                return
            try:
                spool.cut(seq, 1)
                own = self._own_seq
                spool.set_aside(writer, spool.base if own is None else spool.offset_of(own))
            except OSError as failed:
                log.warning("the spool %s could not be set aside: %s", spool.folder, failed)

    def leave_spool(self, *, remove: bool = False) -> None:
        """Let go of the spool; `remove` what this process put there, which will not be missed."""
        with self.lock:
            spool, self.spool = self.spool, None
            if spool is None:
                return
            with suppress(OSError):
                if remove and spool.base:
                    spool.drop_own()
                if not spool.size or (remove and not spool.base):
                    spool.remove()
                else:
                    spool.leave()

    def sync(self) -> bool:
        """Make durable on the disk what is in the spool; False if there is none. Raises OSError."""
        with self.lock:
            if self.spool is None:
                return False
            file = self.spool.descriptor()
        try:
            os.fdatasync(file)
        finally:
            os.close(file)
        return True

    def _append(self, lines: bytes | bytearray, first_seq: int, count: int) -> int | None:
        """Append to the spool; return where, None if it does not take it."""
        if self.spool is None:
            return None
        try:
            if self.spool.size + len(lines) > SPOOL_BYTES:
                raise OSError(f"{self.spool.folder} holds {self.spool.size} bytes, the most it may")
            at = self.spool.append(lines, first_seq, count)
        except OSError as failed:
            if self.trouble is None:
                log.warning(
                    "the spool cannot be written: %s; until it can, what the store has not taken "
                    "is kept in memory alone",
                    failed,
                )
            self.trouble = str(failed)
            return None
        self.trouble = None
        return at

    def _wait_in_memory(self, lines: bytearray, count: int) -> None:
        self._memory_bytes += len(lines)
        last = self._parts[-1] if self._parts else None
        if last is not None and last.lines is not None:
            last.lines += lines
            last.count += count
        else:
            self._parts.append(_Part(count, lines))

    def _wait_in_spool(self, start: int, end: int, count: int) -> None:
        last = self._parts[-1] if self._parts else None
        if last is not None and last.lines is None and last.end == start:
            last.end = end
            last.count += count
        else:
            self._parts.append(_Part(count, None, start, end))

    def _from_spool(self, part: _Part) -> bytearray:
        if self.spool is None:
            raise Unavailable("what waits is in the spool, and the spool is gone")
        try:
            return bytearray(self.spool.read(part.start, part.end))
        except OSError as failed:
            raise Unavailable(f"the spool cannot be read: {failed}") from failed

    def _rewrite(self, seq: int, head: Iterable[bytes]) -> deque[_Part]:
        """Give all new numbers, in the spool if there is one; return where it waits now."""
        whole = self._numbered(seq, head)
        if self.spool is None:
            lines = bytearray(b"".join(chunk for _, chunk in whole))
            return deque([_Part(lines.count(b"\n"), lines)])
        self.spool.replace(whole)
        count = sum(chunk.count(b"\n") for chunk in self.spool.chunks(0, self.spool.size))
        return deque([_Part(count, None, 0, self.spool.size)] if count else [])

    def _numbered(self, seq: int, head: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        for lines in self._in_order(head):
            chunk = renumber(lines, seq)
            yield seq, chunk
            seq += chunk.count(b"\n")

    def _in_order(self, head: Iterable[bytes]) -> Iterator[bytes]:
        yield from head
        for part in self._parts:
            if part.lines is not None:
                yield bytes(part.lines)
            elif self.spool is not None:
                yield from self.spool.chunks(part.start, part.end)

    def _give_up_spool(self, failed: OSError) -> None:
        """Go on without a spool; what it holds must not be taken for missing later."""
        log.warning("the spool cannot be used: %s; the journal works from memory", failed)
        if self.spool is not None:
            self.spool.clear()
        self.leave_spool(remove=True)

    def _cut(self, seq: int) -> None:
        """Drop from the spool what the store has."""
        spool = self.spool
        if spool is None or self.closed or not spool.size:
            return
        if seq >= self.next_seq:
            spool.clear()
            return
        done = spool.cut(seq, max(SPOOL_CUT_BYTES, spool.size // 2))
        for part in self._parts:
            part.start -= done
            part.end -= done
