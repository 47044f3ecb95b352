"""A day of a run: eight sources side by side, errors, files left out, and hours of silence.

A million files make a day, fewer of them less. The real pump and the real stream writer, on a clock
that is moved by hand.
"""

import random
from collections.abc import Generator, Iterator
from itertools import cycle, repeat

from journal import layout
from journal.compactor import Compactor
from journal.limits import FLUSH_SECONDS
from journal.recorder.source import Source
from journal.stores import Found
from journal.stores.memory import MemoryStore
from tools.bench.chain import Chain
from tools.bench.virtual import VirtualClock
from tools.bench.workload import SOURCES, File, files

_FILE_SECONDS = 0.07  # from one to the next
_SKIPPED = 0.01  # of files
_FAILED = 0.002
_HELD_SECONDS = 1_200.0  # a file that takes so long: the journal beats meanwhile
_HELD = 12  # of them
_FILES = 20_000  # of a source, over and over
_COMPACTED = 0.9  # of the files are in the snapshot


class _Day:
    """A run at work: what it does next, and the time that takes."""

    def __init__(self, store: MemoryStore, clock: VirtualClock, run_id: str, count: int) -> None:
        self._clock = clock
        self._chain = Chain(store, run_id, clock)
        self._count = count
        self._chance = random.Random(run_id)
        self._flush_at = clock.time + FLUSH_SECONDS

    def pass_work(self) -> Iterator[int]:
        """Do all the work, and yield how many files are done."""
        lanes = [self._lane(name) for name in SOURCES]
        held = max(self._count // _HELD, 1)
        for done in range(self._count):
            self._pass(self._chance.expovariate(1 / _FILE_SECONDS))
            next(lanes[self._chance.randrange(len(lanes))], None)
            if done % held == held - 1:
                self._hold()
            yield done
        for lane in lanes:
            lane.close()
        self._chain.flush()

    def _lane(self, name: str) -> Generator[None]:
        """Work on a source: each file is at work until the lane's next turn."""
        source = self._chain.source(name)
        for one in cycle(files(name, _FILES)):
            fate = self._chance.random()
            if fate < _SKIPPED:
                source.file_skipped(one.path, "too short")
                yield
            elif fate < _SKIPPED + _FAILED:
                yield from self._fail(source, one)
            else:
                with source.file(one.path, size=one.bytes) as file:
                    file.advance(one.bytes // 3)
                    yield

    def _fail(self, source: Source, one: File) -> Iterator[None]:
        try:
            with source.file(one.path, size=one.bytes):
                yield
                raise OSError(f"HTTP 503 Slow Down: {one.path}")
        except OSError:
            yield

    def _hold(self) -> None:
        for _ in repeat(None, int(_HELD_SECONDS / FLUSH_SECONDS)):
            self._pass(FLUSH_SECONDS)

    def _pass(self, seconds: float) -> None:
        clock = self._clock
        clock.time += seconds
        if clock.time >= self._flush_at:
            self._chain.flush()
            self._flush_at = clock.time + FLUSH_SECONDS


def write_day(run_id: str, count: int) -> MemoryStore:
    """Write the journal of a day with so many files; its snapshot is an hour or two behind."""
    clock = VirtualClock()
    store = MemoryStore(clock.now)
    with clock.told():
        for done in _Day(store, clock, run_id, count).pass_work():
            if done == int(count * _COMPACTED):
                Compactor(store, run_id).compact()
    return store


def lines_of(store: MemoryStore, run_id: str) -> list[bytes]:
    """Return all lines of the run's main stream."""
    lines: list[bytes] = []
    for entry in store.list(layout.stream_prefix(run_id, layout.MAIN)):
        found = store.get(entry.key)
        lines += found.body.splitlines() if isinstance(found, Found) else []
    return lines
