"""`python -m tools.bench.backtest.ahead`: what is gained by looking at the sources beforehand.

Two ways of looking. Sizes first: the totals of all sources are listed before the first byte (from
mode `lazy` to mode `all`). A sample first: a few files of each source are worked on before the rest
(`journal.sampled`). The same recordings are replayed in that order, each file at the cost it was
recorded with: the first files of a source, or some from all over it.

Recordings with several files at work at once are left out: what a file of theirs would have cost in
another place cannot be told. So is the pipeline: there is nothing to extract before the download.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

from journal.sampling import sampled
from tools.bench.backtest import table
from tools.bench.backtest.measure import OURS, Scores, each
from tools.bench.backtest.ours import Journal
from tools.bench.backtest.recording import MODES, Finished, Recording, load, paths, reordered
from tools.bench.backtest.score import mean, score

_OVERLAP_MAX: Final = 0.01  # of the run; more, and files were at work at once
_COUNTS: Final = (4, 12, 40)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.backtest.ahead")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    recordings = [path for path in paths() if is_sampleable(load(path))]
    tasks = [(path, name) for name in ORDERS for path in recordings]
    scores = each(_scores, tasks, options.jobs)
    print(f"{len(recordings)} recordings with one file at work at a time:\n")
    print(table.of_orders({name: _mean_of(scores, tasks, name) for name in ORDERS}))


def is_sampleable(recording: Recording) -> bool:
    """Tell whether its files could have been worked on in another order at the same cost."""
    overlap = sum(
        max(0.0, before.t - (item.t - item.seconds)) for before, item in pairwise(recording.items)
    )
    return overlap <= _OVERLAP_MAX * recording.seconds and recording.kind != "pipeline"


def with_sample_first(recording: Recording, count: int) -> Recording:
    """Return the recording as if the first files of each source had been worked on first."""
    unread = ((source, iter(costs)) for source, costs in _by_source(recording).items())
    return _in_order(recording, sampled(unread, count))


def with_spread_first(recording: Recording, count: int) -> Recording:
    """Return the recording as if files from all over each source had been worked on first."""
    return _in_order(recording, sampled(_by_source(recording).items(), count))


_Cost = tuple[float, Finished]  # from the finished file before to this one


def _by_source(recording: Recording) -> dict[str, list[_Cost]]:
    costs: dict[str, list[_Cost]] = {}
    before = 0.0
    for item in recording.items:
        costs.setdefault(item.source, []).append((item.t - before, item))
        before = item.t
    return costs


def _in_order(recording: Recording, costs: Iterator[tuple[str, _Cost]]) -> Recording:
    items: list[Finished] = []
    t = 0.0
    for _, (passed, item) in costs:
        t += passed
        items.append(item._replace(t=t))
    return reordered(recording, items)


ORDERS: Final[dict[str, Callable[[Recording], Recording]]] = {
    "as recorded": lambda recording: recording,
    **{
        f"the first {count} files of each source first": partial(with_sample_first, count=count)
        for count in _COUNTS
    },
    "12 files from all over each source first": partial(with_spread_first, count=12),
}


def _scores(task: tuple[Path, str]) -> Scores:
    path, name = task
    recording = ORDERS[name](load(path))
    return {(OURS, mode): score(recording, Journal(), mode) for mode in MODES}


def _mean_of(scores: list[Scores], tasks: list[tuple[Path, str]], name: str) -> Scores:
    chosen = [one for one, (_, order) in zip(scores, tasks, strict=True) if order == name]
    return {(OURS, mode): mean([one[OURS, mode] for one in chosen]) for mode in MODES}


if __name__ == "__main__":
    main()
