"""Records on their way from the pump to the sender: numbered lines, exact bytes, in order."""

from collections import deque
from threading import Event, RLock

from journal.events import renumber
from journal.limits import OUTBOX_BYTES, OUTBOX_SOFT_BYTES
from journal.recorder.intake import Waiter
from journal.segments import Reason


class Outbox:
    """Lines waiting for the store. The pump fills it, the sender empties it; both hold `lock`.

    `unsent_bytes` is what the sender took and the store has not acknowledged yet; it counts against
    the bounds, for it lies in memory as well.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.filled = Event()
        self.lines = bytearray()
        self.count = 0
        self.next_seq = 1  # a new stream's first record, `started`, comes with the claim
        self.unsent_bytes = 0
        self.urgent = False
        self.marks: deque[tuple[int, Waiter]] = deque()
        self.seal: Reason | None = None
        self.closed = False  # nothing more will be sent: what comes is dropped, and flush says so

    @property
    def is_crowded(self) -> bool:
        """Whether heartbeats and progress have to be given up."""
        return self.seal is not None or len(self.lines) + self.unsent_bytes >= OUTBOX_SOFT_BYTES

    @property
    def room(self) -> int:
        """Bytes until everything has to be given up; none left if it is not positive.

        Behind the end of the stream there is none.
        """
        return 0 if self.seal is not None else OUTBOX_BYTES - len(self.lines) - self.unsent_bytes

    def take(self) -> tuple[bytearray, int]:
        """Hand over all lines that wait, and how many records they are."""
        with self.lock:
            lines, count = self.lines, self.count
            self.lines, self.count, self.urgent = bytearray(), 0, False
            return lines, count

    def begin_at(self, seq: int, first_line: bytes) -> None:
        """Let the stream begin at `seq` with a line of its own; what waits already is renumbered.

        Until the claim nobody can know where the stream goes on.
        """
        with self.lock:
            shift = seq + 1 - (self.next_seq - self.count)
            self.lines[:0] = first_line
            if shift:
                self.lines[:] = renumber(bytes(self.lines), seq)
            self.next_seq += shift
            self.count += 1
            self.urgent = True
            self.marks = deque((mark + shift, waiter) for mark, waiter in self.marks)

    def acknowledge(self, seq: int) -> None:
        """Settle the waiters whose every record lies below `seq`; the last place stays open."""
        with self.lock:
            while self.marks and self.marks[0][0] <= seq and self.seal is None:
                self.marks.popleft()[1].settle(ok=True)

    def close(self, *, ok: bool) -> None:
        """Settle every waiter and take nothing more."""
        with self.lock:
            self.closed = True
            while self.marks:
                self.marks.popleft()[1].settle(ok)
            self.lines.clear()
            self.count = 0
