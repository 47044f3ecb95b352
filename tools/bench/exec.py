"""`journal exec -- true` with the local store against bare Python (`python -c pass`).

Both are processes, in turn. CPU time is user's and system's (RUSAGE_CHILDREN), of the command and
of what copies its stderr, too; the wall's time is that until the process has ended.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from unittest.mock import patch

from tools.bench.measure import Effort, child_cpu, compiled, ratio, seconds
from tools.bench.result import TIMES, Result
from tools.bench.tailcli import JOURNAL

_LIMIT = 7


def run(effort: Effort) -> Iterator[Result]:
    """Measure the two processes in turn, by the CPU first and by the wall then."""
    ours, bare = [JOURNAL, "exec", "--", "true"], [sys.executable, "-c", "pass"]
    with compiled(), tempfile.TemporaryDirectory() as home, patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("JOURNAL_")]:
            del os.environ[name]
        os.environ["JOURNAL_ROOT"] = str(Path(home, "runs"))
        os.environ["JOURNAL_SPOOL"] = str(Path(home, "spool"))
        for what, taken in (("CPU", child_cpu), ("wall", _wall)):
            for command in (ours, bare):
                taken(command)  # compiles, and the store is tried
            wrapped, bares = seconds(
                lambda taken=taken: taken(ours),  # type: ignore[misc]
                lambda taken=taken: taken(bare),  # type: ignore[misc]
                rounds=effort.of(60),
            )
            yield Result(
                f"exec, {what}",
                ratio(wrapped, bares),
                _LIMIT,
                TIMES,
                f"journal exec -- true {median(wrapped) * 1000:.1f} ms, python -c pass "
                f"{median(bares) * 1000:.1f} ms, {what}; median of {len(wrapped)} rounds in turn",
            )


def _wall(command: list[str]) -> float:
    began = perf_counter()
    child_cpu(command)
    return perf_counter() - began
