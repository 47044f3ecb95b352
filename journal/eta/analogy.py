"""What sources cost that nobody has begun: by those begun, and by the last time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, log, log1p, tanh
from typing import Final

from journal.eta.agenda import Item
from journal.eta.cost import Cost, bounded

_ANALOGUES: Final = 12  # of the sources begun, the latest: older ones weigh next to nothing
_AGE_POWER: Final = 0.8  # each one older weighs by e to this less
_RIPE_SHARE: Final = 0.15  # a source of which so much is done weighs half as much as a finished one
# How much of a difference in size comes true, as a difference in time, with and without bytes.
_SIZE_POWER: Final = 0.9
_COUNT_POWER: Final = 0.65
_FAR: Final = 4.0  # beyond e to this nothing is learned from a size
# Variance (log) of a source's time against its analogues, held before it is seen: with and without
# totals. It weighs as much as one source.
_SIZED_VARIANCE: Final = 1.0
_UNSIZED_VARIANCE: Final = 2.0
_VARIANCE_MAX: Final = 3.0
_OTHER_PHASE_VARIANCE: Final = 1.5  # more, for analogues that do something else
# Variance (log) between two runs of the same source, and the sources as which the former speed
# weighs against today's.
_AGAIN_VARIANCE: Final = 0.1
_AGAIN_SOURCES: Final = 2.0


@dataclass(frozen=True, slots=True)
class Guess:
    """What a source may cost, in seconds of wall time, and its variance (log) of its own."""

    seconds: float
    variance: float


@dataclass(frozen=True, slots=True)
class Guesses:
    """What the sources to come may cost, and the variance (log) that they have in common."""

    each: list[Guess]
    common: float

    @property
    def median(self) -> float:
        """The median of their sum."""
        mean, variance = self._moments()
        return mean * exp(-variance / 2)

    @property
    def variance(self) -> float:
        """The variance (log) of their sum: chances of many even out, a common error does not."""
        return self._moments()[1] + self.common

    def _moments(self) -> tuple[float, float]:
        means = [guess.seconds * exp(guess.variance / 2) for guess in self.each]
        total = sum(means)
        squares = sum(
            mean**2 * expm1(guess.variance) for mean, guess in zip(means, self.each, strict=True)
        )
        return total, log1p(squares / total**2) if total > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Again:
    """How long sources take against the last time (log), how sure, and by how much they differ."""

    level: float = 0.0
    variance: float = _AGAIN_VARIANCE
    weight: float = 0.0

    def of(self, item: Item) -> float | None:
        """Return what a source would take by the last time."""
        former = item.former
        if former is None or former.wall_seconds <= 0.0:
            return None
        scale = 1.0
        if item.bytes_total and former.bytes:
            scale = item.bytes_total / former.bytes
        elif item.files_total and former.files:
            scale = item.files_total / former.files
        return bounded(former.wall_seconds * scale * exp(self.level))


def again(costs: Sequence[Cost]) -> Again:
    """Compare what is known today with the last time."""
    weights = total = squares = 0.0
    for cost in costs:
        before = Again().of(cost.item)
        if before is None or cost.spent <= 0.0:
            continue
        ratio, weight = log(cost.whole / before), cost.spent / cost.whole
        weights += weight
        total += weight * ratio
        squares += weight * ratio * ratio
    level = total / (weights + _AGAIN_SOURCES)
    differing = squares - 2 * level * total + level * level * weights
    variance = (differing + 2 * _AGAIN_VARIANCE) / (weights + 2)
    level = min(max(level, -_FAR), _FAR)
    return Again(level, min(max(variance, 0.0), _VARIANCE_MAX), weights)


def remember(costs: Sequence[Cost], last_time: Again, at: float) -> None:
    """Correct what is left of sources at work by what they took the last time."""
    for cost in costs:
        whole = last_time.of(cost.item)
        if whole is None or cost.item.is_done or cost.left <= 0.0:
            continue
        item = cost.item
        share = item.bytes / item.bytes_total if item.bytes and item.bytes_total else None
        if share is None:
            share = item.files / item.files_total if item.files and item.files_total else 1.0
        left = bounded(whole * min(share, 1.0))
        left -= min(max(at - item.work.last, 0.0), left / 2)
        weight = cost.variance / (cost.variance + last_time.variance)
        cost.left = exp((1 - weight) * log(cost.left) + weight * log(left))
        cost.variance *= 1 - weight


def guesses(
    coming: Sequence[Item], costs: Sequence[Cost], last_time: Again, *, elsewhere: bool = False
) -> Guesses | None:
    """Guess what the sources to come cost; `elsewhere`: those known are of another sub-phase.

    None if there is nothing to go by.
    """
    likes = _likes(costs)
    each, has_history = [], False
    effective = likes.effective
    for item in coming:
        guess = _by_analogy(item, likes, elsewhere=elsewhere) if likes.costs else None
        before = last_time.of(item)
        if before is not None:
            has_history = True
            guess = _combined(guess, Guess(before, last_time.variance), effective)
        if guess is None:
            return None
        each.append(guess)
    common = sum(guess.variance for guess in each) / len(each) / effective
    if has_history:
        common += (last_time.variance + _AGAIN_VARIANCE) / (last_time.weight + 1)
    return Guesses(each, common)


@dataclass(frozen=True, slots=True)
class _Likes:
    costs: Sequence[Cost]
    weights: Sequence[float]  # they add up to 1

    @property
    def effective(self) -> float:
        """As how many sources of equal weight they count."""
        return 1 / sum(weight * weight for weight in self.weights) if self.weights else 1.0


def _likes(costs: Sequence[Cost]) -> _Likes:
    latest = sorted(costs, key=lambda cost: -(cost.item.begun or 0.0))[:_ANALOGUES]
    weights = []
    for age, cost in enumerate(latest):
        share = cost.spent / cost.whole
        weights.append(exp(-_AGE_POWER * age) * share / (share + _RIPE_SHARE) + 1e-9)
    total = sum(weights)
    return _Likes(latest, [weight / total for weight in weights])


def _by_analogy(item: Item, likes: _Likes, *, elsewhere: bool) -> Guess:
    is_sized = item.files is not None or item.bytes is not None
    logs = []
    for cost in likes.costs:
        like = log(cost.whole)
        if is_sized:
            power = _COUNT_POWER if item.bytes is None else _SIZE_POWER
            more = log(cost.of(item.files, item.bytes)) - like
            like += power * _FAR * tanh(more / _FAR)
        logs.append(like)
    mean = sum(weight * like for weight, like in zip(likes.weights, logs, strict=True))
    squares = sum(w * (like - mean) ** 2 for w, like in zip(likes.weights, logs, strict=True))
    effective = likes.effective
    prior = _SIZED_VARIANCE if is_sized else _UNSIZED_VARIANCE
    if not elsewhere:
        prior *= sum(w * c.unevenness for w, c in zip(likes.weights, likes.costs, strict=True))
    seen = squares * effective / max(effective - 1, 0.5) if effective > 1.01 else 0.0
    variance = (max(effective - 1, 0.0) * seen + prior) / max(effective, 1.0)
    variance = min(variance, _VARIANCE_MAX) + (_OTHER_PHASE_VARIANCE if elsewhere else 0.0)
    return Guess(bounded(exp(mean)), variance)


def _combined(guess: Guess | None, before: Guess, effective: float) -> Guess:
    """Weigh two guesses by what is known of their errors."""
    if guess is None:
        return before
    # Others that cost all alike say nothing against what this very source took.
    variance = max(guess.variance, _SIZED_VARIANCE) * (1 + 1 / effective)
    weight = variance / (variance + before.variance)
    seconds = exp((1 - weight) * log(guess.seconds) + weight * log(before.seconds))
    return Guess(seconds, before.variance * weight)
