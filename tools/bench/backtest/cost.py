"""What the estimates cost: folding a file, and asking once. CPU times.

The yardstick of the fold is `orjson.loads` of the same lines: reading a journal costs that anyway.
"""

from collections.abc import Iterator
from statistics import median
from typing import Final

import orjson

from journal.events import Record
from journal.fold import fold
from journal.state import StreamState
from tools.bench.backtest.ours import Journal
from tools.bench.backtest.recording import FOLDER, load
from tools.bench.backtest.score import HOUR
from tools.bench.measure import Effort, cpu, ratio, seconds
from tools.bench.result import TIMES, Result

_RECORDING: Final = "hash-usrshare-seq"  # ten sources
_CALLS: Final = 50  # of a round


def results(effort: Effort) -> Iterator[Result]:
    """Measure both on a run of which half is over."""
    journal = Journal()
    recording = load(FOLDER / f"{_RECORDING}.json.xz")
    journal.start(recording.header("all"))
    for t, event in recording.replay("all", HOUR):
        if t > HOUR / 2:
            break
        journal.observe(event)
    yield _fold(list(journal.unfolded), effort)
    yield _forecast(journal, effort)


def _fold(records: list[Record], effort: Effort) -> Result:
    lines = [orjson.dumps(record) for record in records]
    folds, loads = seconds(
        lambda: cpu(lambda: fold(StreamState(), records)),
        lambda: cpu(lambda: [orjson.loads(line) for line in lines]),
        rounds=effort.of(20),
    )
    fold_us, loads_us = (median(taken) / len(records) * 1e6 for taken in (folds, loads))
    return Result(
        "eta.fold",
        ratio(folds, loads),
        8.0,
        TIMES,
        f"folding a file {fold_us:.2f} µs, orjson.loads of its line {loads_us:.2f} µs, CPU; "
        f"median of {len(folds)} rounds of {len(records):,} records in turn",
    )


def _forecast(journal: Journal, effort: Effort) -> Result:
    journal.forecast(HOUR / 2)
    asked, _ = seconds(
        lambda: cpu(lambda: [journal.forecast(HOUR / 2) for _ in range(_CALLS)]),
        lambda: 0.0,
        rounds=effort.of(20),
    )
    taken = median(asked) / _CALLS * 1e3
    how = f"forecast of a run, its sources and phases, CPU; {len(journal.state.sources)} of 10 seen"
    return Result("eta.forecast", taken, 1.0, "ms", how)
