"""How sources follow one another: how many at once, and when the last of them ends. Pure."""

from collections.abc import Sequence
from heapq import heapify, heapreplace
from typing import Final

from journal.eta.agenda import Item

_TURNS_SHARE: Final = 0.75  # of the time they are open at work, or less: sources take turns


def concurrency(items: Sequence[Item], at: float) -> float:
    """Return how many sources were at work at once, later times weighing more."""
    changes = []
    for item in items:
        if item.begun is not None:
            end = max(item.work.last, item.begun) if item.is_done else at
            changes += [(item.begun, 1), (max(end, item.begun), -1)]
    if not changes:
        return 1.0
    changes.sort()
    origin = before = changes[0][0]
    count, weighted, total = 0, 0.0, 0.0
    for instant, change in changes:
        if count > 0 and instant > before:
            weight = (instant - origin) ** 2 - (before - origin) ** 2
            weighted += count * weight
            total += weight
        count += change
        before = instant
    return weighted / total if total > 0.0 else 1.0


def in_turns(items: Sequence[Item], at: float) -> float | None:
    """Return how many sources were at work at once if they took turns, None if they did not.

    Sources that have all begun need not be all at work: then their own times come to less than the
    time for which they were open.
    """
    begun = [(item.begun, item) for item in items if item.begun is not None]
    ends = [item.work.last if item.is_done else at for _, item in begun]
    open_seconds = sum(max(end - start, 0.0) for end, (start, _) in zip(ends, begun, strict=True))
    worked_seconds = sum(item.work.wall for _, item in begun)
    if not 0.0 < worked_seconds < _TURNS_SHARE * open_seconds:
        return None
    span = max(item.work.last for _, item in begun) - min(start for start, _ in begun)
    return worked_seconds / span if span > 0.0 else None


def makespan(at_work: Sequence[float], coming: Sequence[float], places: int) -> float:
    """Return when all is done if each free place takes the next of what is to come."""
    free = [*at_work, *[0.0] * (places - len(at_work))]
    heapify(free)
    for seconds in coming:
        heapreplace(free, free[0] + seconds)
    return max(free)
