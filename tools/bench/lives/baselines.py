"""Rules that others use, over the same arrivals: a plain limit, beats alone, an accrual detector.

Each is told of every batch of records when it arrived in the store, and asked at every poll whether
it calls the run dead. None of them knows of declared waits; all know a run's end when they see it.
"""

from collections import deque
from collections.abc import Iterable
from math import erfc, log10, sqrt
from typing import Final, Protocol

from journal import events
from journal.events import Record
from journal.limits import FLUSH_SECONDS, LOST_PROMISES

_PLAIN_SECONDS: Final = 600.0
_THRESHOLD: Final = 8.0
_WINDOW: Final = 1000
_FIRST_SAMPLES: Final = 3
_SILENT: Final = frozenset(
    (events.HEARTBEAT, events.PROGRESS, events.SEGMENT_OPENED, events.SEGMENT_SEALED)
)


class Baseline(Protocol):
    """A rule that calls a run dead, or not."""

    def heard(self, at: float, records: Iterable[Record]) -> None:
        """Take in what arrived."""

    def is_alarmed(self, at: float) -> bool:
        """Tell whether the run counts as dead now."""


class TenMinutes:
    """Ten minutes without an event of the job's own: no file, no phase, no error."""

    def __init__(self) -> None:
        self._last: float | None = None

    def heard(self, at: float, records: Iterable[Record]) -> None:
        if any(r["type"] not in _SILENT and r.get("by") != events.JOURNAL for r in records):
            self._last = at

    def is_alarmed(self, at: float) -> bool:
        return self._last is not None and at - self._last > _PLAIN_SECONDS


class BeatsOnly:
    """Three promised silences without any record; what the beats say does not matter."""

    def __init__(self, promised: float) -> None:
        self._limit = LOST_PROMISES * promised
        self._last: float | None = None

    def heard(self, at: float, records: Iterable[Record]) -> None:
        del records
        self._last = at

    def is_alarmed(self, at: float) -> bool:
        return self._last is not None and at - self._last > self._limit


class PhiAccrual:
    """Suspicion from the distribution of earlier gaps: phi = -log10 P(a gap longer than this).

    Hayashibara, Défago, Yared, Katayama: The φ accrual failure detector, SRDS 2004. Gaps are taken
    as normally distributed over the last 1000 arrivals; the deviation is at least a flush.
    """

    def __init__(self) -> None:
        self._gaps: deque[float] = deque()
        self._last: float | None = None
        self._sum = self._squares = 0.0

    def heard(self, at: float, records: Iterable[Record]) -> None:
        del records
        if self._last is not None:
            self._add(at - self._last)
        self._last = at

    def is_alarmed(self, at: float) -> bool:
        if self._last is None or len(self._gaps) < _FIRST_SAMPLES:
            return False
        mean = self._sum / len(self._gaps)
        variance = max(0.0, self._squares / len(self._gaps) - mean * mean)
        deviation = max(sqrt(variance), FLUSH_SECONDS)
        later = 0.5 * erfc((at - self._last - mean) / (deviation * sqrt(2)))
        return later <= 0.0 or -log10(later) > _THRESHOLD

    def _add(self, gap: float) -> None:
        gaps = self._gaps
        if len(gaps) == _WINDOW:
            oldest = gaps.popleft()
            self._sum -= oldest
            self._squares -= oldest * oldest
        gaps.append(gap)
        self._sum += gap
        self._squares += gap * gap


BASELINES: Final = ("10 minutes", "beats only", "phi accrual")


def baselines(promised: float) -> dict[str, Baseline]:
    """Return a fresh one of each, by name."""
    return {
        "10 minutes": TenMinutes(),
        "beats only": BeatsOnly(promised),
        "phi accrual": PhiAccrual(),
    }
