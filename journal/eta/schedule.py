"""How sources follow one another: how many at once, and when the last of them ends. Pure."""

from collections.abc import Sequence
from heapq import heapify, heapreplace

from journal.eta.agenda import Item


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


def makespan(at_work: Sequence[float], coming: Sequence[float], places: int) -> float:
    """Return when all is done if each free place takes the next of what is to come."""
    free = [*at_work, *[0.0] * (places - len(at_work))]
    heapify(free)
    for seconds in coming:
        heapreplace(free, free[0] + seconds)
    return max(free)
