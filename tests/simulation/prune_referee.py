"""Holds prunes against their promises: what may be removed, and that nobody is un-fenced by it."""

from journal import layout, segments
from journal.fold import fold
from journal.layout import MAIN
from journal.limits import PRUNE_MIN_SECONDS
from journal.log import Batch
from journal.segments import Cursor
from journal.state import StreamState
from tests.simulation.referee import Referee
from tests.simulation.scheduler import Scheduler

PRUNER = "pruner"  # what the names of prunes begin with

_WHOLE_SECOND = 1.0  # of a store that tells no fractions


class PruneReferee(Referee):
    """Looks at the consequences, not at the order of a prune's steps.

    What lies in the store is fed to the chains until a chain's end is taken by a prune; what
    somebody puts into it after that is a stray, which nobody may be told is in the journal.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self.written: dict[str, float] = {}  # by a stream's own writers, when last
        self.taken: set[str] = set()
        self.removed: dict[str, float] = {}  # streams of which something is gone, since when
        self.gone: dict[str, set[int]] = {}  # segments of each stream that were deleted
        self.strays: set[tuple[str, int]] = set()
        self._judged = (0, False)  # of how many of main's records, whether it has finished

    def changed(self, key: str, old: bytes | None, new: bytes, by: str) -> None:
        """Take in that a put was applied."""
        place = layout.parse_segment_key(key)
        if place is None:
            super().changed(key, old, new, by)
            return
        _, stream, segment = place
        if stream in self.taken and by.startswith(PRUNER) and old is not None:
            self._remove(stream, key)
        elif stream in self.taken and by.startswith(PRUNER) and self._is_next(stream, segment):
            super().changed(key, old, new, by)
        elif stream in self.taken:
            self.strays.add((stream, segment))
            self.counts["strays"] += 1
        elif not by.startswith(PRUNER):
            super().changed(key, old, new, by)
            self.written[stream] = self._scheduler.now
        elif new.startswith(old or b""):
            self._check_over(stream, key)
            super().changed(key, old, new, by)
            self.taken.add(stream)
            self.counts["ends taken"] += 1
        else:
            self._remove(stream, key)

    def deleted(self, key: str) -> None:
        """Take in that a delete was applied."""
        place = layout.parse_segment_key(key)
        if place is None:
            return
        _, stream, segment = place
        if (stream, segment) in self.strays:
            self.strays.discard((stream, segment))
        else:
            self._remove(stream, key)
            gone = self.gone.setdefault(stream, set())
            gone.add(segment)
            if len(gone) != segment:
                self.fail(f"{key} was deleted, and before it others are left: more holes than one")

    def acknowledged(self, by: str, stream: str, first: int, lines: list[bytes]) -> None:
        """Take in that a writer was told its records are durable."""
        super().acknowledged(by, stream, first, lines)
        if self.written.get(stream, 0.0) > self.removed.get(stream, float("inf")):
            self.fail(f"{by} writes to {stream}, of which events were removed")

    def fenced(self, by: str, stream: str, segment: int, sent: bytes, *, counted: bool) -> None:
        """Take in that a writer was fenced; what a prune has removed, it cannot know any more."""
        if stream not in self.removed:
            super().fenced(by, stream, segment, sent, counted=counted)
        self.counts["fenced by a prune"] += stream in self.removed

    def read(self, by: str, before: Cursor, batch: Batch) -> None:
        """Take in what a reader was given: of a pruned stream less, but nothing else, and said."""
        if batch.stream not in self.removed:
            super().read(by, before, batch)
            return
        self.counts["batches of pruned"] += 1
        chain = self.chain(batch.stream)
        start, end = chain.index(before), chain.index(batch.cursor)
        told = bool(batch.damages) or segments.is_pruned(batch.lines[-1] + b"\n")
        as_it_was = start is not None and end is not None and chain.lines[start:end] == batch.lines
        if not (told or as_it_was or (batch.stream, batch.segment) in self.strays):
            self.fail(f"{by} was given other lines than lie behind {before}, and not told why")

    def compacted(self, by: str, damages: list[str]) -> None:
        """Take in that a compaction came to its end; it may meet a prune half-way."""
        super().compacted(by, [] if self.removed else damages)

    def is_finished(self) -> bool:
        """Tell whether main has said `finished` last."""
        records = self.chain(MAIN).decoded
        if self._judged[0] != len(records):
            self._judged = len(records), fold(StreamState(), records).finish is not None
        return self._judged[1]

    def _is_next(self, stream: str, segment: int) -> bool:
        return segment == len(self.chain(stream).segments)

    def _remove(self, stream: str, key: str) -> None:
        self._check_over(stream, key)
        self.removed.setdefault(stream, self._scheduler.now)
        self.chain(stream).is_deleted = True

    def _check_over(self, stream: str, key: str) -> None:
        """The run is over, and nobody has written to main or to this stream for a week."""
        if not self.is_finished():
            self.fail(f"{key} was pruned, and the run has not finished")
        last = max(self.written.get(name, 0.0) for name in (stream, MAIN))
        if self._scheduler.now - last < PRUNE_MIN_SECONDS - _WHOLE_SECOND:
            self.fail(f"{key} was pruned {self._scheduler.now - last:.0f} s after the last write")
