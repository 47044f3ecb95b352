"""What estimates are worth: asked at 2 %, 3 %, … 98 % of a run and held against what came true.

With T the run's duration, y the seconds that were left in truth and p what was said:

mae      mean of |p - y| / T, each at most 1; who says nothing is taken to have said 0
alr      mean of |ln((p + e) / (y + e))|, e = T / 100, each at most 3: too much and too little weigh
         the same, so that saying less on principle gains nothing
jitter   by how much of T the predicted end moved, all moves added up, each at most 1
bias     mean of (p - y) / T, each between -1 and 1
none     share of the moments without an estimate
cover    share of the moments with low ≤ y ≤ high; early: of those in the run's first third
width    mean of (high - low) / T, each at most 2
winkler  mean interval score at 80 % / T, each at most 5 (Gneiting and Raftery 2007)
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from statistics import fmean
from typing import Any, Final, Protocol

from tools.bench.backtest.recording import Event, Recording

FRACTIONS: Final = tuple(percent / 100 for percent in range(2, 99))
HOUR: Final = 3600.0
_OUTSIDE: Final = 0.2  # what an 80 % interval leaves out

Said = tuple[float | None, tuple[float, float] | None]


class Estimator(Protocol):
    """What is asked how long a run will take."""

    def start(self, header: Event) -> None:
        """Begin a run of which so much is known."""

    def observe(self, event: Event) -> None:
        """See that a source began or that a file is done."""

    def estimate(self, now: float) -> Said:
        """Return the seconds left and the interval in which they are with 80 %."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One question and the truth, in shares of the run's duration."""

    fraction: float
    left: float
    said: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one run, or their means; NaN where there was nothing to judge."""

    mae: float
    alr: float
    jitter: float
    bias: float
    none: float
    cover: float
    early: float
    width: float
    winkler: float


def score(
    recording: Recording, estimator: Estimator, mode: str, duration: float | None = HOUR
) -> Score:
    """Replay a recording to an estimator and judge what it says."""
    return judged(samples(recording, estimator, mode, duration))


def samples(
    recording: Recording, estimator: Estimator, mode: str, duration: float | None
) -> list[Sample]:
    """Replay a recording; return what was said at each moment."""
    whole = recording.seconds if duration is None else duration
    estimator.start(recording.header(mode))
    asked = [_Question(fraction, fraction * whole, whole) for fraction in FRACTIONS]
    answers: list[Sample] = []
    for t, event in recording.replay(mode, duration):
        while len(answers) < len(asked) and asked[len(answers)].now < t:
            answers.append(asked[len(answers)].put_to(estimator))
        if len(answers) == len(asked):
            return answers
        estimator.observe(event)
    return answers + [question.put_to(estimator) for question in asked[len(answers) :]]


@dataclass(frozen=True, slots=True)
class _Question:
    fraction: float
    now: float
    whole: float

    def put_to(self, estimator: Estimator) -> Sample:
        said, interval = estimator.estimate(self.now)
        if said is not None:
            said = max(said, 0.0) / self.whole if math.isfinite(said) else None
        if interval is not None:
            interval = interval[0] / self.whole, interval[1] / self.whole
        return Sample(self.fraction, (self.whole - self.now) / self.whole, said, interval)


def judged(answers: Sequence[Sample]) -> Score:
    """Return the figures of one replay."""
    given = [(sample, sample.said) for sample in answers if sample.said is not None]
    spans = [(sample, *sample.interval) for sample in answers if sample.interval is not None]
    ends = [1.0 - sample.left + said for sample, said in given]
    return Score(
        mae=fmean(min(abs((sample.said or 0.0) - sample.left), 1.0) for sample in answers),
        alr=fmean(_log_ratio(sample.said or 0.0, sample.left) for sample in answers),
        jitter=sum(min(abs(end - before), 1.0) for before, end in pairwise(ends)),
        bias=_mean(max(-1.0, min(1.0, said - sample.left)) for sample, said in given),
        none=1.0 - len(given) / len(answers),
        cover=_mean(low <= sample.left <= high for sample, low, high in spans),
        early=_mean(
            low <= sample.left <= high for sample, low, high in spans if sample.fraction <= 1 / 3
        ),
        width=_mean(min(high - low, 2.0) for _, low, high in spans),
        winkler=_mean(_interval_score(sample.left, low, high) for sample, low, high in spans),
    )


def mean(scores: Sequence[Score]) -> Score:
    """Return the mean of each figure; each run weighs the same."""
    rows: Any = {
        field.name: _mean(
            value for value in (getattr(one, field.name) for one in scores) if not math.isnan(value)
        )
        for field in fields(Score)
    }
    return Score(**rows)


def _log_ratio(said: float, left: float) -> float:
    return min(abs(math.log((said + 0.01) / (left + 0.01))), 3.0)


def _interval_score(left: float, low: float, high: float) -> float:
    missed = max(low - left, 0.0) + max(left - high, 0.0)
    return min(high - low + 2 / _OUTSIDE * missed, 5.0)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return fmean(listed) if listed else math.nan
