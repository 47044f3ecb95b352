"""`journal --help` against bare Python (`python -c pass`).

Both are processes, in turn; what counts is their CPU time, user's and system's (RUSAGE_CHILDREN).
"""

import sys
from collections.abc import Iterator
from statistics import median

from tools.bench.measure import Effort, child_cpu, compiled, ratio, seconds
from tools.bench.result import TIMES, Result
from tools.bench.tailcli import JOURNAL


def run(effort: Effort) -> Iterator[Result]:
    """Measure the two processes in turn."""
    ours, bare = [JOURNAL, "--help"], [sys.executable, "-c", "pass"]
    with compiled():
        for command in (ours, bare):
            child_cpu(command)  # compiles
        helps, bares = seconds(
            lambda: child_cpu(ours), lambda: child_cpu(bare), rounds=effort.of(60)
        )
    yield Result(
        "help",
        ratio(helps, bares),
        6,
        TIMES,
        f"journal --help {median(helps) * 1000:.1f} ms, python -c pass "
        f"{median(bares) * 1000:.1f} ms, CPU of the process; "
        f"median of {len(helps)} rounds in turn",
    )
