"""Estimators on recordings, in several processes; each recording weighs the same in a mean."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final, TypeVar

from tools.bench.backtest import current
from tools.bench.backtest.neighbours import answers_in, neighbours
from tools.bench.backtest.ours import Journal
from tools.bench.backtest.recording import MODES, load
from tools.bench.backtest.score import HOUR, Estimator, Score, mean, score

OURS: Final = "journal"
OWN_BAR: Final = "a bar of its own"
WITHOUT: Final = "without the first one's journal"
ALIKE: Final = "with it, both runs an hour long"
IN_PROPORTION: Final = "with it, as much slower or faster as it was"

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")

Scores = dict[tuple[str, str], Score]
"""By estimator and mode."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked on one recording: estimators by name, and the clock they see it on."""

    path: Path
    names: tuple[str, ...] = (OURS,)
    duration: float = HOUR


def mean_scores(tasks: Iterable[Task], jobs: int = 1) -> Scores:
    """Return the means over the recordings."""
    together: dict[tuple[str, str], list[Score]] = {}
    for scores in each(_scores, list(tasks), jobs):
        for key, one in scores.items():
            together.setdefault(key, []).append(one)
    return {key: mean(scores) for key, scores in together.items()}


def pooled(scores: Mapping[tuple[str, str], Score], name: str) -> Score:
    """Return the mean over the modes in which an estimator answers."""
    return mean([scores[name, mode] for mode in MODES if (name, mode) in scores])


def source_errors(paths: list[Path], jobs: int = 1) -> dict[tuple[str, str], float]:
    """Return the error of the current source's estimates, by estimator and mode."""
    return _means(each(_source_errors, paths, jobs))


def history_errors(pairs: list[tuple[Path, Path]], jobs: int = 1) -> dict[tuple[str, str], float]:
    """Return MAE/T of second runs, without and with the first one's journal, by mode.

    The first run takes an hour like the second, as all runs do here, or stands to it as it stood:
    up to twice as slow.
    """
    return _means(each(_history_errors, pairs, jobs))


def _scores(task: Task) -> Scores:
    recording = load(task.path)
    known: dict[str, Callable[[], Estimator]] = {OURS: Journal, **neighbours()}
    return {
        (name, mode): score(recording, known[name](), mode, task.duration)
        for name in task.names
        for mode in MODES
        if answers_in(name, mode)
    }


def _source_errors(path: Path) -> dict[tuple[str, str], float]:
    recording = load(path)
    known: dict[str, Callable[[], current.SourceEstimator]] = {
        OURS: Journal,
        OWN_BAR: current.OwnBar,
    }
    return {
        (name, mode): current.error(recording, factory(), mode)
        for name, factory in known.items()
        for mode in current.MODES
    }


def _history_errors(pair: tuple[Path, Path]) -> dict[tuple[str, str], float]:
    first, second = map(load, pair)
    errors = {}
    clocks = {ALIKE: HOUR, IN_PROPORTION: HOUR * first.seconds / second.seconds}
    for mode in MODES:
        errors[WITHOUT, mode] = score(second, Journal(), mode).mae
        for name, clock in clocks.items():
            informed = Journal()
            informed.load_history(first, clock)
            errors[name, mode] = score(second, informed, mode).mae
    return errors


def each(work: Callable[[_Asked], _Found], tasks: list[_Asked], jobs: int) -> list[_Found]:
    """Return what each task's work finds, done by so many processes."""
    if jobs == 1:
        return list(map(work, tasks))
    with ProcessPoolExecutor(jobs) as processes:
        return list(processes.map(work, tasks))


def _means(rows: Iterable[dict[tuple[str, str], float]]) -> dict[tuple[str, str], float]:
    listed = list(rows)
    return {key: fmean(row[key] for row in listed) for key in listed[0]}
