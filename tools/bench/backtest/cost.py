"""What the estimates cost: what a file adds to the fold, and asking once. CPU times.

The yardstick of a file is `orjson.loads` of the same lines: reading a journal costs that anyway.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final
from unittest.mock import patch

import orjson

from journal.eta import score
from journal.events import Record
from journal.fold import fold
from journal.limits import TIME_MAX
from journal.state import StreamState
from journal.work import Work
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
    yield from _fold(list(journal.unfolded), effort)
    yield _forecast(journal, effort)


def _fold(records: list[Record], effort: Effort) -> Iterator[Result]:
    """Fold as it is; without the predictions that a run keeps; without a file's sums either."""
    lines = [orjson.dumps(record) for record in records]
    whole, silent, bare, loads = seconds(
        lambda: _folding(records),
        lambda: _without_predictions(lambda: _folding(records)),
        lambda: _without_predictions(lambda: _without_sums(records)),
        lambda: cpu(lambda: [orjson.loads(line) for line in lines]),
        rounds=effort.of(40),
    )
    own = [one - other for one, other in zip(silent, bare, strict=True)]
    own_us, silent_us, loads_us = (
        median(taken) / len(records) * 1e6 for taken in (own, silent, loads)
    )
    kept_ms = median(one - other for one, other in zip(whole, silent, strict=True)) * 1e3
    how = (
        f"orjson.loads of a file's line {loads_us:.2f} µs, CPU; "
        f"median of {len(loads)} rounds of {len(records):,} records in turn"
    )
    yield Result(
        "eta.observe", ratio(own, loads), 1.5, TIMES, f"a file's sums {own_us:.2f} µs, {how}"
    )
    yield Result("eta.fold", ratio(silent, loads), 7.0, TIMES, f"{silent_us:.2f} µs, {how}")
    how = "what a run of half an hour spends on the predictions it is judged by later, CPU"
    yield Result("eta.predictions", kept_ms, 200.0, "ms", how)


def _folding(records: list[Record]) -> float:
    return cpu(lambda: fold(StreamState(), records))


def _without_predictions(work: Callable[[], float]) -> float:
    def never(state: StreamState, _at: float) -> None:
        state.predict_at = TIME_MAX

    with patch.object(score, "predict", never):
        return work()


def _without_sums(records: list[Record]) -> float:
    with patch.object(Work, "file", lambda *_: None):
        return _folding(records)


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
