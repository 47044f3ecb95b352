"""Time that is moved by hand: what took a day is written in a minute."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from journal.clock import stamp

BEGIN = 1_754_400_000.0  # seconds since the epoch: any time will do
_READERS = ("journal.recorder.intake", "journal.recorder.source", "tools.bench.chain")


class VirtualClock:
    """Time that passes when it is told to; a stream takes it for its clock."""

    def __init__(self) -> None:
        self.time = BEGIN
        self.offset = 0.0

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self.time

    def now_ns(self) -> int:
        """Return the time in nanoseconds since the epoch, in whole microseconds."""
        return int(self.time * 1e6) * 1000

    def stamp(self) -> str:
        """Return the time as a record's `ts`."""
        return stamp(self.time)

    def saw(self, store_time: float) -> None:
        """Take in the store's time, which is this very clock's."""

    @contextmanager
    def told(self) -> Iterator[None]:
        """Let the recorder, and the chain of the benches, have their time from here."""
        with ExitStack() as patches:
            for module in _READERS:
                patches.enter_context(patch(f"{module}.now_ns", self.now_ns))
            yield
