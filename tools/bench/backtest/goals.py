"""Our figures on the recordings, each held against its goal."""

from collections.abc import Iterator
from typing import Final

from tools.bench.backtest.measure import (
    ALIKE,
    IN_PROPORTION,
    OURS,
    WITHOUT,
    Scores,
    Task,
    history_errors,
    mean_scores,
    pooled,
    source_errors,
)
from tools.bench.backtest.neighbours import CONTROL, neighbours
from tools.bench.backtest.ours import Journal
from tools.bench.backtest.recording import MODES, Finished, Recording, Total, paths, reruns
from tools.bench.backtest.score import HOUR, score
from tools.bench.measure import Effort
from tools.bench.result import TIMES, Result

_SOURCES: Final = 8
_FILES: Final = 250
_FILE_BYTES: Final = 1_000_000
_CLOCKS: Final = (HOUR / 60, HOUR * 10)
_T: Final = "of T"


def results(effort: Effort) -> Iterator[Result]:
    """Judge our estimates on all recordings; in a quick run on the smallest."""
    chosen = paths()[-1:] if effort.quick else paths()
    names = (OURS, *neighbours())
    scores = mean_scores([Task(path, names) for path in chosen], jobs=2)
    how = f"{len(chosen)} recordings, {len(names) - 1} neighbours, on the clock of an hour"
    yield from _errors(scores, how)
    yield from _against(scores)
    yield from _intervals(scores)
    yield from _steadiness(scores)
    yield _clocks(scores, Effort(quick=effort.quick))
    errors = source_errors(chosen, jobs=2)
    how = f"MAE / the source's duration; {len(chosen)} recordings"
    yield Result("eta.source", errors[OURS, "all"], 0.21, "of Ts", f"{how}, with bytes")
    yield Result("eta.source.files", errors[OURS, "files_only"], 0.25, "of Ts", f"{how}, without")
    yield _history(effort)
    uniform_error = max(score(uniform(), Journal(), mode).mae for mode in MODES)
    how = f"MAE/T of {_SOURCES} sources of {_FILES} equal files each, the worst mode"
    yield Result("eta.uniform", uniform_error, 0.01, _T, how)


def uniform() -> Recording:
    """Return a run in which all sources and all files are alike, one file a second."""
    names = [f"source-{number}" for number in range(_SOURCES)]
    items = [
        Finished(float(number), name, _FILE_BYTES, 1.0)
        for number, name in enumerate((name for name in names for _ in range(_FILES)), 1)
    ]
    totals = [Total(name, _FILES, _FILES * _FILE_BYTES) for name in names]
    return Recording("uniform", "uniform", "", tuple(totals), tuple(items))


def _errors(scores: Scores, how: str) -> Iterator[Result]:
    whole = pooled(scores, OURS)
    modes = ", ".join(f"{mode} {scores[OURS, mode].mae:.3f}" for mode in MODES)
    yield Result("eta.mae", whole.mae, 0.265, _T, f"MAE/T, mean of the modes: {modes}; {how}")
    modes = ", ".join(f"{mode} {scores[OURS, mode].alr:.3f}" for mode in MODES)
    yield Result("eta.alr", whole.alr, 0.60, "", f"|log ratio|, mean of the modes: {modes}")


def _against(scores: Scores) -> Iterator[Result]:
    """Compare in each mode with the best neighbour, and with the control in the mode's unit."""
    ratios, shown = [], []
    for mode in MODES:
        best = min(
            (one.mae, name)
            for (name, other), one in scores.items()
            if other == mode and name != OURS and not name.startswith(CONTROL)
        )
        ratios.append(scores[OURS, mode].mae / best[0])
        shown.append(f"{mode} {ratios[-1]:.2f} ({best[1]})")
    yield Result("eta.best", max(ratios), 0.8, TIMES, f"MAE/T, of the best: {'; '.join(shown)}")
    for figure in ("mae", "alr"):
        ratios = []
        for mode in MODES:
            control = scores[f"{CONTROL}, {'files' if mode == 'files_only' else 'bytes'}", mode]
            ratios.append(getattr(scores[OURS, mode], figure) / getattr(control, figure))
        shown = [f"{mode} {ratio:.2f}" for mode, ratio in zip(MODES, ratios, strict=True)]
        how = f"{figure} of the hedged mean's: {'; '.join(shown)}"
        yield Result(f"eta.control.{figure}", max(ratios), 1.0, TIMES, how)


def _intervals(scores: Scores) -> Iterator[Result]:
    held = {mode: scores[OURS, mode].cover * 100 for mode in MODES}
    early = {mode: scores[OURS, mode].early * 100 for mode in MODES}
    how = ", ".join(f"{mode} {share:.0f} %" for mode, share in held.items())
    least, most = min(held.values()), max(held.values())
    yield Result("eta.cover", least, 75, "%", f"80 % intervals that held: {how}", is_floor=True)
    yield Result("eta.cover.most", most, 90, "%", "the same: more would be too wide")
    how = ", ".join(f"{mode} {share:.0f} %" for mode, share in early.items())
    yield Result(
        "eta.early", min(early.values()), 60, "%", f"in a run's first third: {how}", is_floor=True
    )


def _steadiness(scores: Scores) -> Iterator[Result]:
    whole = pooled(scores, OURS)
    how = "all moves of the predicted end"
    yield Result("eta.jitter", whole.jitter, 4.5, "T", how)
    yield Result("eta.none", whole.none * 100, 2.0, "%", "moments without an estimate")
    bias = {mode: scores[OURS, mode].bias for mode in MODES}
    how = ", ".join(f"{mode} {value:+.3f}" for mode, value in bias.items())
    yield Result("eta.bias", abs(whole.bias), 0.05, _T, f"mean of the modes: {how}")


def _clocks(scores: Scores, effort: Effort) -> Result:
    chosen = paths()[-1:] if effort.quick else paths()
    hour = pooled(scores, OURS).mae
    others = [
        pooled(mean_scores([Task(path, duration=clock) for path in chosen], jobs=2), OURS).mae
        for clock in _CLOCKS
    ]
    how = "MAE/T of the same runs in a minute and in ten hours, from that in an hour: "
    how += f"{others[0]:.3f}, {others[1]:.3f}, {hour:.3f}"
    return Result("eta.clock", max(abs(other - hour) for other in others), 0.002, _T, how)


def _history(effort: Effort) -> Result:
    pairs = reruns()[:1] if effort.quick else reruns()
    errors = history_errors(pairs, jobs=2)
    shown = "; ".join(
        f"{mode} {errors[ALIKE, mode]:.3f} ({errors[WITHOUT, mode]:.3f} without it, "
        f"{errors[IN_PROPORTION, mode]:.3f} with it as much slower or faster as it was)"
        for mode in MODES
    )
    how = f"MAE/T of {len(pairs)} second runs with the first one's journal: {shown}"
    return Result("eta.history", errors[ALIKE, "lazy"], 0.19, _T, how)
