"""All of a long journal through `journal tail -n all`: as JSON, and as lines for people.

The journal lies in a folder, in segments as the writer makes them. Both are processes that write
into a pipe; what counts is their CPU time, less that of the same command on a run that has hardly
begun. Yardstick: `orjson.loads` of each of its lines, in a loop.
"""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import orjson

from journal.stores import Found, connect
from journal.stores.contract import ABSENT
from journal.stores.memory import MemoryStore
from tools.bench.day import lines_of, write_day
from tools.bench.measure import Effort, compiled, cpu, ratio, seconds
from tools.bench.result import TIMES, Result

_JOURNAL = str(Path(sys.executable).with_name("journal"))
_EVENTS = 200_000
_PIPE_BYTES = 65_536


def run(effort: Effort) -> Iterator[Result]:
    """Write both runs, then read them in turn."""
    day = write_day("day", _EVENTS // 100 if effort.quick else _EVENTS)
    lines = lines_of(day, "day")
    with tempfile.TemporaryDirectory() as root, compiled():
        _copy(day, root)
        _copy(write_day("begun", 1), root)
        texts, texts_begun, humans, humans_begun, loads = seconds(
            lambda: _tail(root, "day", "json")[0],
            lambda: _tail(root, "begun", "json")[0],
            lambda: _tail(root, "day", "human")[0],
            lambda: _tail(root, "begun", "human")[0],
            lambda: cpu(lambda: _load(lines)),
            rounds=effort.of(9),
        )
        shown = _tail(root, "day", "human")[1]
    texts, humans = (
        [max(one - start, 1e-9) for one, start in zip(whole, begun, strict=True)]
        for whole, begun in ((texts, texts_begun), (humans, humans_begun))
    )
    how = f"start-up of {median(texts_begun):.2f} s taken off; median of {len(loads)} rounds"
    yield Result(
        "tailjson",
        ratio(loads, texts),
        0.5,
        TIMES,
        f"{len(lines) / median(texts):,.0f} events/s of {len(lines):,}, "
        f"orjson.loads {len(lines) / median(loads):,.0f}, CPU; {how}",
        is_floor=True,
    )
    yield Result(
        "tailjson.human",
        shown / median(humans),
        50_000,
        "lines/s",
        f"{shown:,} lines into a pipe, CPU; {how}",
        is_floor=True,
    )


def _copy(store: MemoryStore, root: str) -> None:
    there = connect(root)
    for entry in store.list(""):
        found = store.get(entry.key)
        if isinstance(found, Found):
            there.put(entry.key, found.body, expect=ABSENT)


def _tail(root: str, run_id: str, output: str) -> tuple[float, int]:
    """Return the CPU seconds of the command, and how many lines came through its pipe."""
    command = [_JOURNAL, "tail", "--root", root, "-n", "all", "-o", output, run_id]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    count = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        while part := tail.stdout.read1(_PIPE_BYTES):  # type: ignore[attr-defined]
            count += part.count(b"\n")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if tail.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with code {tail.returncode}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, count


def _load(lines: list[bytes]) -> None:
    for line in lines:
        orjson.loads(line)
