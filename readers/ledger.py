"""How much of a stream was handed out, which is what a cursor tells: less than what was read."""

from collections import deque

import orjson

from journal import events
from journal.log import Batch
from journal.segments import Cursor


class Ledger:
    """Of one stream: the place behind the last event that somebody was handed.

    Batches are entered as they are read, events counted off as they are handed out.
    """

    def __init__(self, place: Cursor) -> None:
        self._place = place  # before the first of the batches
        self._batches: deque[Batch] = deque()
        self._passed = 0  # events of the first batch
        self._summed = (0, 0)  # so many of them have so many bytes

    def enter(self, batch: Batch) -> None:
        """Take down what was read."""
        self._batches.append(batch)
        self.pass_over(0)

    def pass_over(self, count: int) -> None:
        """Count off so many events as handed out."""
        self._passed += count
        while self._batches and self._passed >= len(self._batches[0].lines):
            batch = self._batches.popleft()
            self._passed -= len(batch.lines)
            self._place, self._summed = batch.cursor, (0, 0)

    def pass_over_all(self) -> None:
        """Count off all that was entered."""
        self.pass_over(sum(len(batch.lines) for batch in self._batches) - self._passed)

    @property
    def place(self) -> Cursor:
        """The place behind the last event that was handed out."""
        passed = self._passed
        if passed == 0:
            return self._place
        batch = self._batches[0]
        last = orjson.loads(batch.lines[passed - 1])
        seq = last["seq"] + (last["type"] not in events.CONTROL)
        if batch.ends:
            return Cursor(batch.segment, batch.ends[passed - 1], seq)
        begin = self._place.bytes if self._place.segment == batch.segment else 0
        before, size = self._summed
        size += sum(map(len, batch.lines[before:passed])) + passed - before
        self._summed = (passed, size)
        return Cursor(batch.segment, begin + size, seq)
