"""How good the journal's estimates of the time left are, on recorded runs of real work.

`ESTIMATORS` is what a backtest asks: ours (`tools.bench.backtest`), or any other that loads this
file by its path.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:
    sys.path.append(_ROOT)  # loaded by its path, from anywhere; what is installed goes first

from tools.bench.backtest import cost, goals  # noqa: E402 - the path comes first
from tools.bench.backtest.ours import Journal  # noqa: E402
from tools.bench.measure import Effort  # noqa: E402
from tools.bench.result import Result  # noqa: E402

ESTIMATORS: Final[dict[str, Callable[[], Journal]]] = {"journal": Journal}


def run(effort: Effort) -> Iterator[Result]:
    """Judge the estimates on the recordings, then what they cost."""
    yield from goals.results(effort)
    yield from cost.results(effort)
