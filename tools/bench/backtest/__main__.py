"""`python -m tools.bench.backtest`: the tables of README, from the recordings of the repository."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from tools.bench.backtest import libraries, table
from tools.bench.backtest.measure import (
    OURS,
    Task,
    history_errors,
    mean_scores,
    source_errors,
)
from tools.bench.backtest.neighbours import neighbours
from tools.bench.backtest.recording import APART, FOLDER, paths, reruns
from tools.bench.backtest.score import HOUR

_CLOCKS = {"a minute": HOUR / 60, "ten hours": HOUR * 10}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.backtest", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--ours", action="store_true", help="without the neighbours")
    parser.add_argument("--apart", action="store_true", help="recordings nothing was fitted to")
    options = parser.parse_args()
    names = (OURS,) if options.ours else (OURS, *neighbours())
    for text in _tables(APART if options.apart else FOLDER, names, jobs=options.jobs):
        print(text, flush=True)
        print()


def _tables(folder: Path, names: tuple[str, ...], *, jobs: int) -> Iterator[str]:
    recordings = paths(folder)
    scores = mean_scores([Task(path, names) for path in recordings], jobs)
    yield f"{len(recordings)} recordings, on the clock of an hour:"
    yield table.errors(scores)
    absent = libraries.missing()
    if absent and len(names) > 1:
        yield f"Not installed and left out (`pip install --group bench`): {', '.join(absent)}."
    yield table.intervals(scores)
    yield table.of_source(source_errors(recordings, jobs))
    if reruns(folder):
        yield table.of_history(history_errors(reruns(folder), jobs))
    by_clock = {
        clock: mean_scores([Task(path, duration=duration) for path in recordings], jobs)
        for clock, duration in _CLOCKS.items()
    }
    yield table.of_clocks({"an hour": scores, **by_clock})


if __name__ == "__main__":
    main()
