"""From `file_done` in one process to its line on `journal tail -f` in another, in SeaweedFS.

Files are done at random times, and both processes look at the same clock (CLOCK_MONOTONIC). The
times hold whatever the machine does besides: they are by the clock, not by the CPU.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from journal.limits import FLUSH_SECONDS
from tools.bench.measure import Effort
from tools.bench.result import Result
from tools.bench.server import ROOT
from tools.bench.weed import weed_server

_JOURNAL = str(Path(sys.executable).with_name("journal"))
_EVENTS = 300
_MEAN_SECONDS = 0.25  # from one to the next
_PROGRAM = """
import json, random, sys, time
import journal
root, run_id, flush, count, mean = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
chance, said = random.Random(1), {}
with journal.start_run(run_id, root=root, job="latency", flush_seconds=flush) as run:
    run.flush()
    print("ready", flush=True)
    sys.stdin.readline()
    with run.source("files") as source:
        for number in range(int(count)):
            time.sleep(chance.expovariate(1 / mean))
            said[f"{number}"] = time.monotonic()
            source.file_done(f"{number}", bytes=1, seconds=0.1)
print(json.dumps(said))
"""


def run(effort: Effort) -> Iterator[Result]:
    """Measure at default settings, then with a flush every second."""
    count = 20 if effort.quick else _EVENTS
    with weed_server():
        for name, flush, limits in (
            ("latency", FLUSH_SECONDS, (5.0, 10.0)),
            ("latency.quick", 1.0, (1.5, 3.0)),
        ):
            taken = _latencies(f"run-{flush:.0f}", flush, count)
            percents = quantiles(taken, n=100, method="inclusive")
            for percent, limit in zip((50, 99), limits, strict=True):
                yield Result(
                    f"{name}.p{percent}",
                    percents[percent - 1],
                    limit,
                    "s",
                    f"{len(taken)} files at random times, flush_seconds={flush:.0f}; "
                    f"the latest after {max(taken):.2f} s",
                )


def _latencies(run_id: str, flush_seconds: float, count: int) -> list[float]:
    """Let a job do its files while somebody follows it; return how long each was under way."""
    arguments = [ROOT, run_id, str(flush_seconds), str(count), str(_MEAN_SECONDS)]
    job = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    tail = None
    try:
        assert job.stdin is not None
        assert job.stdout is not None
        job.stdout.readline()
        command = [_JOURNAL, "tail", "-f", "-n", "all", "-o", "json", "--root", ROOT, run_id]
        tail = subprocess.Popen(command, stdout=subprocess.PIPE)
        seen = _seen(tail, job)
        said: dict[str, float] = json.loads(job.stdout.readline())
    finally:
        for process in (job, tail):
            if process is not None:
                process.kill()
                process.wait()
    return [seen[path] - at for path, at in said.items()]


def _seen(tail: subprocess.Popen[bytes], job: subprocess.Popen[str]) -> dict[str, float]:
    """Return when the line of each file came, up to the end of the run."""
    assert tail.stdout is not None
    assert job.stdin is not None
    seen: dict[str, float] = {}
    for line in tail.stdout:
        at = time.monotonic()
        if not seen and not job.stdin.closed:
            job.stdin.close()  # the reader follows: the job may begin
        record = json.loads(line)
        if record["type"] == "file_done":
            seen[record["path"]] = at
    return seen
