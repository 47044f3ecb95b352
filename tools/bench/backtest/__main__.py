"""`python -m tools.bench.backtest`: the tables of README, from the recordings of the repository."""

import argparse
from collections.abc import Iterator

from tools.bench.backtest import libraries, table
from tools.bench.backtest.measure import (
    OURS,
    Task,
    history_errors,
    mean_scores,
    source_errors,
)
from tools.bench.backtest.neighbours import neighbours
from tools.bench.backtest.recording import paths, reruns
from tools.bench.backtest.score import HOUR

_CLOCKS = {"a minute": HOUR / 60, "ten hours": HOUR * 10}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.backtest", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--ours", action="store_true", help="without the neighbours")
    options = parser.parse_args()
    for text in _tables(jobs=options.jobs, names=(OURS,) if options.ours else _everybody()):
        print(text, flush=True)
        print()


def _everybody() -> tuple[str, ...]:
    return OURS, *neighbours()


def _tables(*, jobs: int, names: tuple[str, ...]) -> Iterator[str]:
    recordings = paths()
    scores = mean_scores([Task(path, names) for path in recordings], jobs)
    yield f"{len(recordings)} recordings, on the clock of an hour:"
    yield table.errors(scores)
    absent = libraries.missing()
    if absent and len(names) > 1:
        yield f"Not installed and left out (`pip install --group bench`): {', '.join(absent)}."
    yield table.intervals(scores)
    yield table.of_source(source_errors(recordings, jobs))
    yield table.of_history(history_errors(reruns(), jobs))
    by_clock = {
        clock: mean_scores([Task(path, duration=duration) for path in recordings], jobs)
        for clock, duration in _CLOCKS.items()
    }
    yield table.of_clocks({"an hour": scores, **by_clock})


if __name__ == "__main__":
    main()
