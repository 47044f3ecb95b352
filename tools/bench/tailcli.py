"""`journal tail` of a run in S3 against the least that any program pays that asks S3 for an object.

Yardstick: a script that imports boto3, makes a client and gets one object. Both are processes, in
turn; what counts is their CPU time, user's and system's (RUSAGE_CHILDREN). The server is a process
of its own and lives on, so its time is not in it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from journal import layout
from journal.compactor import Compactor
from journal.stores import connect
from tools.bench.chain import Chain
from tools.bench.measure import Effort, child_cpu, compiled, ratio, seconds
from tools.bench.result import TIMES, Result
from tools.bench.server import BUCKET, ROOT, s3_server
from tools.bench.workload import files

JOURNAL = str(Path(sys.executable).with_name("journal"))
_RUN = "short"
_EVENTS = 3_000
_FLUSH_EVENTS = 300
_BARE = f"""
import boto3
client = boto3.client("s3", region_name="us-east-1")
client.get_object(
    Bucket="{BUCKET}", Key="training-runs/{layout.snapshot_key(_RUN)}"
)["Body"].read()
"""


def run(effort: Effort) -> Iterator[Result]:
    """Measure the two processes in turn."""
    with s3_server(), compiled():
        _write()
        tail = [JOURNAL, "tail", "--root", ROOT, _RUN]
        bare = [sys.executable, "-c", _BARE]
        for command in (tail, bare):
            child_cpu(command)  # compiles
        tails, bares = seconds(
            lambda: child_cpu(tail), lambda: child_cpu(bare), rounds=effort.of(25)
        )
    yield Result(
        "tailcli",
        ratio(tails, bares),
        1.2,
        TIMES,
        f"journal tail {median(tails) * 1000:.0f} ms, boto3 and one GET "
        f"{median(bares) * 1000:.0f} ms, CPU of the process; "
        f"median of {len(tails)} rounds in turn",
    )


def _write() -> None:
    store = connect(ROOT)
    chain = Chain(store, _RUN)
    source = chain.source("wikipedia")
    for number, (path, moved, took) in enumerate(files(source.name, _EVENTS), 1):
        source.file_done(path, bytes=moved, seconds=took)
        if number % _FLUSH_EVENTS == 0:
            chain.flush()
    Compactor(store, _RUN).compact()
