"""The time left as a distribution, looked at from an instant that is no special one. Pure.

Somebody who looks at a run looks at it more often the longer it lasts: of two runs that look alike
so far, one twice as long is half as likely to be the one that is before us at such an instant. So
each length of the run counts by one over it. That, and no constant, keeps what is told of the
first, long sources from being taken for the rule.
"""

from dataclasses import dataclass
from math import exp, sqrt
from typing import Final

# Middles of nine parts of equal probability of the normal distribution.
_MIDDLES: Final = (-1.5932, -0.9674, -0.5895, -0.2822, 0.0, 0.2822, 0.5895, 0.9674, 1.5932)
_ONE: Final = (0.0,)
# What the variances leave out: the interval is wider than they say by so much.
_WIDER: Final = 1.15
# Where each length counts by one over its square, the error relative to the whole length is least;
# by one over itself, the error of the logarithm is. Nearer to the first, which is told too early.
_MIDDLE_POWER: Final = 1.75


@dataclass(frozen=True, slots=True)
class Outlook:
    """Seconds left: `known` of what is at work and `coming` of what is not, as medians.

    Their variances are of the logarithm. `least` is the longest of what is at work: however many
    are at work beside it, it takes its time.
    """

    known: float
    known_variance: float
    coming: float = 0.0
    coming_variance: float = 0.0
    least: float = 0.0


def interval(outlook: Outlook, elapsed: float) -> tuple[float, float, float]:
    """Return low, middle and high of the seconds left, `elapsed` seconds into it.

    Low and high hold 80 %. The middle is where errors are least, relative to the whole length.
    """
    middle = _quantile(_lengths(outlook, 1.0), elapsed, _MIDDLE_POWER, 0.5)
    lengths = _lengths(outlook, _WIDER)
    low, high = _quantile(lengths, elapsed, 1, 0.1), _quantile(lengths, elapsed, 1, 0.9)
    return min(low, middle), middle, max(high, middle)


def _lengths(outlook: Outlook, wider: float) -> list[float]:
    known_spread = sqrt(outlook.known_variance) * wider
    coming_spread = sqrt(outlook.coming_variance) * wider
    coming = [
        outlook.coming * exp(coming_spread * middle)
        for middle in (_MIDDLES if outlook.coming > 0.0 else _ONE)
    ]
    lengths = []
    for middle in _MIDDLES if outlook.known > 0.0 else _ONE:
        factor = exp(known_spread * middle)
        known, least = outlook.known * factor, outlook.least * factor
        lengths += [max(known + more, least) for more in coming]
    lengths.sort()
    return lengths


def _quantile(lengths: list[float], elapsed: float, power: float, share: float) -> float:
    weights = [float((elapsed / (elapsed + length)) ** power) for length in lengths]
    wanted = sum(weights) * share
    passed = middle_before = before = 0.0
    for length, weight in zip(lengths, weights, strict=True):
        middle = passed + weight / 2
        if middle >= wanted:
            if passed == 0.0:
                return length
            return before + (length - before) * (wanted - middle_before) / (middle - middle_before)
        passed += weight
        middle_before, before = middle, length
    return lengths[-1]
