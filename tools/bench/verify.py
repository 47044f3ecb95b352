"""`journal replay --verify` of a day with a million files, against `orjson.loads` of each line.

The journal lies in memory, in segments as the writer makes them, with a snapshot that is a few
hours behind. Both stand in one process, in turn. What the estimate of the time left costs is left
out once: neither sums over files nor predictions are kept then, so that the snapshot, which has
them, cannot be compared; everything else is checked and folded.
"""

import gc
from collections.abc import Callable, Iterator
from statistics import median
from unittest.mock import patch

import orjson

from journal.cli import GARBAGE_THRESHOLD
from journal.eta import score
from journal.limits import TIME_MAX
from journal.state import StreamState
from journal.stores import ReadStore, read_only
from journal.work import Work
from readers.verify import verify
from tools.bench.day import lines_of, write_day
from tools.bench.measure import Effort, cpu, ratio, seconds
from tools.bench.result import TIMES, Result

_RUN = "day"
_FILES = 1_000_000


def run(effort: Effort) -> Iterator[Result]:
    """Write the day, then verify it and read its lines in turn."""
    written = write_day(_RUN, _FILES // 100 if effort.quick else _FILES)
    lines = lines_of(written, _RUN)
    store = read_only(written)
    gc.set_threshold(GARBAGE_THRESHOLD)  # as in the command
    whole, bare, loads = seconds(
        lambda: cpu(lambda: _verify(store)),
        lambda: _without_estimates(lambda: cpu(lambda: verify(store, _RUN))),
        lambda: cpu(lambda: _load(lines)),
        rounds=effort.of(7),
    )
    rounds = f"median of {len(loads)} rounds in turn"
    for name, taken, limit, how in (
        ("verify", bare, 0.4, "the estimates left out"),
        ("verify.whole", whole, 0.2, f"with them; {len(lines):,} lines, {_told(lines)}"),
    ):
        rate, loads_rate = (len(lines) / median(one) for one in (taken, loads))
        yield Result(
            name,
            ratio(loads, taken),
            limit,
            TIMES,
            f"{rate:,.0f} events/s, orjson.loads {loads_rate:,.0f}, CPU; {how}; {rounds}",
            is_floor=True,
        )


def _verify(store: ReadStore) -> None:
    done = verify(store, _RUN)
    if not done.is_sound:
        raise RuntimeError(str(done.damages[0]))


def _without_estimates(work: Callable[[], float]) -> float:
    def never(state: StreamState, _at: float) -> None:
        state.predict_at = TIME_MAX

    with patch.object(score, "predict", never), patch.object(Work, "take", lambda *_: None):
        return work()


def _load(lines: list[bytes]) -> None:
    for line in lines:
        orjson.loads(line)


def _told(lines: list[bytes]) -> str:
    return f"{sum(map(len, lines)) / 1e6:.0f} MB"
