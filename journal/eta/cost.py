"""What a source's files cost, and so what is left of it costs. Pure.

Costs are told in seconds of wall time. A source of which few files are seen is taken to be like
the others of its sub-phase, at its own level as far as that is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, log1p
from typing import Final

from journal.eta.agenda import Item
from journal.work import Work, fit

_LIKE_FILES: Final = 60.0  # what the others tell of a source weighs as much as so many of its files
# A source's level against the others (log) has about this variance: unzip and lzma differ by e².
_LEVEL_VARIANCE: Final = 3.0
_LIKE_RATIO: Final = 2.0  # files as whose the others' ratio of wall time to seconds weighs
_DRIFT_POWER: Final = 0.3  # how much of a recent change of speed lasts
_DRIFT_MAX: Final = 10.0
_AHEAD_VARIANCE: Final = 0.15  # what is to come differs, though the past was told apart exactly
# Files that cost alike leave no doubt of those to come; relative variance at which half is left.
_EVEN_VARIANCE: Final = 0.05
_VARIANCE_MIN: Final = 0.0004
_IN_FLIGHT_FILES: Final = 3.0  # the file now in flight is at most so many mean ones, or the longest
# Nothing takes less or longer, whatever a journal says: what is reckoned from it stays a number.
SECONDS_MIN: Final = 1e-9
SECONDS_MAX: Final = 1e12
_LEFT_SHARE: Final = 0.02  # of a source is left as long as it is at work


@dataclass(slots=True)
class Cost:
    """What a source costs: a file, a byte, and what is left of it, in seconds of wall time."""

    item: Item
    fixed: float
    per_byte: float
    spent: float
    left: float
    variance: float  # of the logarithm of `left`
    unevenness: float = 1.0  # of files in its sub-phase: 0 if all cost what was expected of them

    @property
    def whole(self) -> float:
        """What it costs from begin to end, without waits."""
        return bounded(self.spent + self.left)

    def of(self, files: float | None, size: float | None) -> float:
        """Return what so many files and bytes would cost here."""
        return bounded(self.fixed * (files or 0.0) + self.per_byte * (size or 0.0))


def bounded(seconds: float) -> float:
    """Return a time as it can be."""
    return min(max(seconds, SECONDS_MIN), SECONDS_MAX)


def costs(items: Sequence[Item], at: float) -> list[Cost]:
    """Return what the begun sources of one sub-phase cost; empty if nothing is done there."""
    pool = _pool(items, at)
    if pool is None:
        return []
    return [_cost(item, pool, at) for item in items]


@dataclass(slots=True)
class _Pool:
    """All the sources of a sub-phase as one."""

    sums: Work
    fixed: float
    per_byte: float
    ratio: float  # of wall time to the seconds of files: below 1 where several are at work
    unevenness: float = 1.0


def _pool(items: Sequence[Item], at: float) -> _Pool | None:
    sums = Work()
    for work in (item.work for item in items):
        sums.files += work.files
        sums.seconds += work.seconds
        sums.wall += work.wall
        sums.w += work.w
        sums.wx += work.wx
        sums.wxx += work.wxx
        sums.wy += work.wy
        sums.wxy += work.wxy
    if sums.seconds > SECONDS_MIN and sums.wall > SECONDS_MIN:
        fixed, per_byte = fit(sums.w, sums.wx, sums.wxx, sums.wy, sums.wxy)
        return _Pool(sums, fixed, per_byte, sums.wall / sums.seconds, _unevenness(items))
    # Not one file yet: bytes inside of the first ones are all there is.
    moved = sum(item.unfinished for item in items)
    passed = sum(at - item.work.last for item in items if item.begun is not None)
    return _Pool(sums, 0.0, passed / moved, 1.0) if moved > 0.0 and passed > SECONDS_MIN else None


def _unevenness(items: Sequence[Item]) -> float:
    files, variance = 0, 0.0
    for work in (item.work for item in items):
        if work.files > 1 and work.seconds > SECONDS_MIN:
            files += work.files
            variance += max(work.unexplained, 0.0) * (work.files / work.seconds) ** 2
    return variance / (variance + _EVEN_VARIANCE * files) if files else 1.0


def _cost(item: Item, pool: _Pool, at: float) -> Cost:
    work = item.work
    fixed, per_byte, level_variance = _fitted(work, pool)
    ratio = pool.ratio
    if work.seconds > SECONDS_MIN and work.wall > SECONDS_MIN:
        own = log(work.wall / work.seconds)
        ratio = exp((own * work.files + log(ratio) * _LIKE_RATIO) / (work.files + _LIKE_RATIO))
    cost = Cost(item, fixed * ratio, per_byte * ratio, work.wall, 0.0, 1.0, pool.unevenness)
    files, size = _left_of(item)
    if item.is_done or (not files and not size):
        return cost
    left = bounded(cost.of(files, size) * _drift(work, ratio))
    # What is under way is done in part, as its bytes or else the time since the last file tell.
    mean = left / max(files, 1.0)
    longest = max(_IN_FLIGHT_FILES * mean, work.longest * ratio)
    under_way = max(min(at - work.last, longest), cost.per_byte * item.unfinished, 0.0)
    cost.left = max(left - under_way, left * _LEFT_SHARE)
    # The fewer and the more unequal its files, past and to come, the less is known.
    chance = min(level_variance * (1.0 + work.files / max(files, 1.0)), 4.0) if work.files else 1.0
    cost.variance = log1p(chance) + _AHEAD_VARIANCE * pool.unevenness + _VARIANCE_MIN
    return cost


def _fitted(work: Work, pool: _Pool) -> tuple[float, float, float]:
    """Return a source's fixed part, its part per byte, and the relative variance of its level."""
    if work.files == 0 or work.seconds <= SECONDS_MIN:
        return pool.fixed, pool.per_byte, 1.0
    variance = 1.0
    if work.files > 1:
        variance = min(max(work.unexplained / work.seconds**2, 0.0), 1.0)
    expected = pool.fixed * work.files + pool.per_byte * work.bytes
    level = work.seconds / expected if expected > SECONDS_MIN else 1.0
    level **= _LEVEL_VARIANCE / (_LEVEL_VARIANCE + variance)
    fixed, per_byte = pool.fixed * level, pool.per_byte * level
    sums = pool.sums
    share = _LIKE_FILES / sums.files
    w, wx, wxx = sums.w * share, sums.wx * share, sums.wxx * share
    fixed, per_byte = fit(
        work.w + w,
        work.wx + wx,
        work.wxx + wxx,
        work.wy + fixed * w + per_byte * wx,
        work.wxy + fixed * wx + per_byte * wxx,
    )
    return fixed, per_byte, variance


def _left_of(item: Item) -> tuple[float, float]:
    """Return the files and bytes left, the ones from the others where only those are known."""
    files, size, work = item.files, item.bytes, item.work
    mean = work.bytes / work.files if work.files else 0.0
    if size is None:
        size = (files or 0.0) * mean
    if files is None:
        files = size / mean if mean > 0.0 else 1.0 if size else 0.0
    return files, size


def _drift(work: Work, ratio: float) -> float:
    """Return how much dearer things have become of late, as far as that lasts."""
    if work.recent_expected <= SECONDS_MIN or work.recent_wall <= SECONDS_MIN or ratio <= 0.0:
        return 1.0
    recent = work.recent_wall / work.recent_expected / ratio
    return min(max(float(recent**_DRIFT_POWER), 1 / _DRIFT_MAX), _DRIFT_MAX)
