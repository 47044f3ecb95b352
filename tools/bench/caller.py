"""What `source.file_done` costs the thread that calls it.

Yardstick: build the event's dict, all its seven fields at hand, and `orjson.dumps` it. Both stand
in the same loop, whose own cost (an empty body) is taken off both. The queue is emptied between the
rounds, outside the measured time; no pump runs. The garbage collector is on, as in a job.

Eight threads against one: the same number of events altogether, the CPU time of the threads
themselves (`time.thread_time`) around their calls. Each empties the queue after every thousand of
its events, outside the measured time, as a pump would. They are let change places every millisecond
instead of every five, so that they do get in each other's way in so short a time.
"""

import sys
import threading
from collections.abc import Iterator
from statistics import median
from time import process_time, thread_time

from journal.recorder.intake import Intake
from journal.recorder.source import Source
from tools.bench.measure import Effort, ratio, seconds
from tools.bench.result import TIMES, Result
from tools.bench.workload import File, build, files

_EVENTS = 2_000  # of a round: what a pump finds after its pause in a very busy job
_EVENTS_OF_THREADS = 160_000
_THREADS = 8
_EVENTS_AT_ONCE = 1_000
_SWITCH_SECONDS = 0.001


def run(effort: Effort) -> Iterator[Result]:
    """Measure one thread against the yardstick, then eight threads against one."""
    intake = Intake()
    source = Source(intake, "wikipedia")
    work = files(source.name, _EVENTS)
    calls, builds, nothing = seconds(
        lambda: _call(intake, source, work),
        lambda: build(work),
        lambda: _loop(work),
        rounds=effort.of(600),
    )
    calls = [one - loop for one, loop in zip(calls, nothing, strict=True)]
    builds = [one - loop for one, loop in zip(builds, nothing, strict=True)]
    call_ns, build_ns = (median(taken) / _EVENTS * 1e9 for taken in (calls, builds))
    yield Result(
        "caller",
        ratio(calls, builds),
        1.3,
        TIMES,
        f"file_done {call_ns:.0f} ns, dict + orjson.dumps {build_ns:.0f} ns, CPU; "
        f"median of {len(calls)} rounds of {_EVENTS:,} events in turn, loop taken off",
    )
    yield _threads(intake, source, effort)


def _threads(intake: Intake, source: Source, effort: Effort) -> Result:
    count = _EVENTS_OF_THREADS // (10 if effort.quick else 1)
    work = files(source.name, count // _THREADS)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        many, one = seconds(
            lambda: _in_threads(intake, source, [work] * _THREADS),
            lambda: _in_threads(intake, source, [work * _THREADS]),
            rounds=effort.of(40),
        )
    finally:
        sys.setswitchinterval(usual)
    many_ns, one_ns = (median(taken) / count * 1e9 for taken in (many, one))
    return Result(
        "caller.threads",
        ratio(many, one),
        1.25,
        TIMES,
        f"file_done {many_ns:.0f} ns in {_THREADS} threads, {one_ns:.0f} ns in one, CPU; "
        f"median of {len(many)} rounds of {count:,} events in turn",
    )


def _call(intake: Intake, source: Source, work: list[File]) -> float:
    before = process_time()
    for path, size, took in work:
        source.file_done(path, bytes=size, seconds=took)
    taken = process_time() - before
    intake.queue.clear()
    return taken


def _loop(work: list[File]) -> float:
    before = process_time()
    for _path, _size, _took in work:
        pass
    return process_time() - before


def _in_threads(intake: Intake, source: Source, works: list[list[File]]) -> float:
    """Return the CPU seconds of threads that do one work each, all at once."""
    gate = threading.Barrier(len(works))
    taken: list[float] = []

    def call(work: list[File]) -> None:
        gate.wait()
        mine = 0.0
        for at in range(0, len(work), _EVENTS_AT_ONCE):
            part = work[at : at + _EVENTS_AT_ONCE]
            before = thread_time()
            for path, size, took in part:
                source.file_done(path, bytes=size, seconds=took)
            mine += thread_time() - before
            intake.queue.clear()
        taken.append(mine)

    threads = [threading.Thread(target=call, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(taken)
