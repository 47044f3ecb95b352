"""What a run of six hours with 50,000 files asks of its store, and what a reader that follows it.

The real pump, sender and reader at default settings, on a clock that is moved by hand: no thread
runs, none sleeps. Eight sources are worked on at a time, their files' sizes with a heavy tail,
`advance` called as bytes come in; the reader asks every second. The store is in memory and counts.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import patch

from journal import clock, events
from journal.limits import FLUSH_SECONDS, HEARTBEAT_SECONDS, PUMP_SECONDS
from journal.recorder.intake import Intake, Waiter
from journal.recorder.opening import Opening, Start
from journal.recorder.outbox import Outbox
from journal.recorder.pump import Pump
from journal.recorder.sender import Sender
from journal.recorder.source import Source
from journal.recorder.vitals import Vitals
from journal.stores import read_only
from journal.stores.memory import MemoryStore
from journal.stream import Stream
from readers.tail import Tail
from tools.bench.counted import Counted
from tools.bench.measure import Effort
from tools.bench.result import Result
from tools.bench.virtual import BEGIN, VirtualClock
from tools.bench.workload import SOURCES, File, files

_RUN = "six-hours"
_SECONDS = 6 * 3600.0
_FILES = 50_000


class _Job:
    """A run at work, with the loops of its two threads laid out in one."""

    def __init__(self, clock: VirtualClock, store: Counted, seconds: float, count: int) -> None:
        self._clock = clock
        self._overdue_at = clock.time + 2 * seconds
        self._intake = Intake()
        self._outbox = Outbox()
        stream = Stream(
            store=store,
            run_id=_RUN,
            name="main",
            host="bench",
            pid=os.getpid(),
            flush_seconds=FLUSH_SECONDS,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            clock=clock,
        )
        start = Start(
            ts=clock.stamp(),
            job="bench",
            fields={"sources_total": len(SOURCES)},
            resume=False,
            force=False,
            join=False,
        )
        self._sender = Sender(Opening(stream, start), self._outbox, Waiter(), self._intake.say)
        self._pump = Pump(
            self._intake,
            self._outbox,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            vitals=lambda: Vitals(0.0, 0, 0, 0),
            clock_offset=lambda: 0.0,
        )
        self._pump.start(clock.now_ns())
        self._send_at = clock.time
        self._work = self._all_work(seconds, count)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and all happen that happens meanwhile."""
        until = self._clock.time + seconds
        while self._clock.time < until:
            self._clock.time += PUMP_SECONDS
            next(self._work, None)
            self._pump.step(self._clock.now_ns())
            filled = self._outbox.filled
            if filled.is_set() or self._clock.time >= self._send_at:
                filled.clear()
                self._send_at = self._clock.time + self._sender.step(self._clock.time)

    def is_overdue(self) -> bool:
        """Tell whether the run should have ended long ago."""
        return self._clock.time > self._overdue_at

    def _all_work(self, seconds: float, count: int) -> Iterator[None]:
        """Work on all sources side by side, then end the run; each step is a moment."""
        self._intake.say(events.PHASE, {"phase": "data_prep", "sub_phase": "downloading"})
        each = [files(name, count // len(SOURCES)) for name in SOURCES]
        longest = max(sum(file.seconds for file in one) for one in each)
        workers = [
            self._worker(name, one, seconds / longest)
            for name, one in zip(SOURCES, each, strict=True)
        ]
        for _ in itertools.zip_longest(*workers):
            yield
        self._intake.say(events.FINISHED, {"status": "completed"})
        self._intake.await_durable("finish")

    def _worker(self, name: str, work: list[File], slowness: float) -> Iterator[None]:
        source = Source(self._intake, name)
        source.start({"source": name, "sub_phase": "downloading", "files": len(work)})
        done_at = self._clock.time
        with source:
            for path, size, took in work:
                begun_at, done_at = done_at, done_at + took * slowness
                with source.file(path, size=size) as file:
                    while self._clock.time < done_at:
                        moved = size * (self._clock.time - begun_at) / (done_at - begun_at)
                        file.advance(int(moved) - file.bytes)
                        yield


def run(effort: Effort) -> Iterator[Result]:
    """Live through the run with a reader that follows it, and say what was asked for."""
    seconds, count = (120.0, 400) if effort.quick else (_SECONDS, _FILES)
    virtual = VirtualClock()
    memory = MemoryStore(virtual.now)
    writes, reads = Counted(memory), Counted(memory)
    with ExitStack() as patches:
        patches.enter_context(virtual.told())
        job = _Job(virtual, writes, seconds, count)
        job.pass_time(1.0)
        lists = _follow(reads, job, patches)
    hours = (virtual.time - BEGIN) / 3600
    yield Result(
        "requests",
        writes.of("put"),
        10_000,
        "puts",
        f"run of {hours:.1f} h with {count:,} files on a virtual clock: {_told(writes)}",
    )
    yield Result(
        "requests.lists",
        lists,
        0,
        "lists",
        f"of a reader while it follows, one stream, asking every second; in all: {_told(reads)}",
    )


def _follow(store: Counted, job: _Job, patches: ExitStack) -> int:
    """Follow the run to its end; return how many lists that took until its end was read."""
    patches.enter_context(patch.object(clock, "sleep", job.pass_time))
    tail = Tail(read_only(store), _RUN, _fail)
    seen = sum(1 for _ in tail.last(20))
    before = during = store.of("list")
    for event in tail.follow(job.is_overdue):
        seen += 1
        during = store.of("list") if event.record["type"] == events.FINISHED else during
    if tail.status != "completed":
        raise RuntimeError(f"the reader saw {seen} events and the end {tail.status}")
    return during - before


def _fail(complaint: str) -> None:
    raise RuntimeError(complaint)


def _told(store: Counted) -> str:
    """Tell of all requests by verb and kind of key, with the bytes of bodies."""
    return ", ".join(
        f"{number:,} {verb} {kind}" + (f" ({size / 1e6:.1f} MB)" if size >= 1e5 else "")
        for (verb, kind), number in sorted(store.requests.items())
        for size in (store.bytes[verb, kind],)
    )
