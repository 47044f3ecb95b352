"""The time left of the source that is at work, as a bar of its own would show it.

Each source that takes at least 1.5 % of its run and has at least 30 files is asked about at 5 %,
10 %, … 95 % of its own time, Ts: the mean of |p - y| / Ts, each at most 1. A recording's figure is
the mean over its sources.
"""

from collections import Counter
from statistics import fmean
from typing import Final, Protocol

from tools.bench.backtest.recording import Event, Recording
from tools.bench.backtest.score import HOUR

MODES: Final = ("all", "files_only")  # with bytes, and without
_FRACTIONS: Final = tuple(step / 20 for step in range(1, 20))
_FILES_MIN: Final = 30
_SHARE_MIN: Final = 0.015


class SourceEstimator(Protocol):
    """What is asked how long a source will take."""

    def start(self, header: Event) -> None:
        """Begin a run of which so much is known."""

    def observe(self, event: Event) -> None:
        """See that a source began or that a file is done."""

    def source_remaining(self, now: float, name: str) -> float | None:
        """Return the seconds left of a source that is at work."""


class OwnBar:
    """The usual bar, one for each source: its time so far by what is done of it."""

    def start(self, header: Event) -> None:
        """Begin a run."""
        self._bars: dict[str, tuple[str, float, int]] = {}
        self._done: Counter[str] = Counter()

    def observe(self, event: Event) -> None:
        """Count in bytes where they are known, else in files."""
        name = event["source"]
        if event["ev"] == "source_start":
            unit = "files" if event["bytes_total"] is None else "bytes"
            self._bars[name] = unit, event["t"], event[f"{unit}_total"]
        else:
            self._done[name] += event["bytes"] if self._bars[name][0] == "bytes" else 1

    def source_remaining(self, now: float, name: str) -> float | None:
        """Return the seconds left."""
        _, begin, total = self._bars[name]
        done = self._done[name]
        return (now - begin) / done * (total - done) if done else None


def error(recording: Recording, estimator: SourceEstimator, mode: str) -> float:
    """Replay a recording on the clock of an hour; return its figure."""
    stretch = HOUR / recording.seconds
    begins = {source: begin * stretch for source, begin in recording.begins.items()}
    ends = {item.source: item.t * stretch for item in recording.items}
    asked = sorted(
        (begins[source] + fraction * (ends[source] - begins[source]), source)
        for source in _large(recording)
        for fraction in _FRACTIONS
    )
    errors: dict[str, list[float]] = {source: [] for _, source in asked}
    estimator.start(recording.header(mode))
    told = 0
    for t, event in recording.replay(mode, HOUR):
        while told < len(asked) and asked[told][0] < t:
            now, source = asked[told]
            said = estimator.source_remaining(now, source) or 0.0
            missed = abs(said - (ends[source] - now)) / (ends[source] - begins[source])
            errors[source].append(min(missed, 1.0))
            told += 1
        estimator.observe(event)
    return fmean(fmean(missed) for missed in errors.values() if missed)


def _large(recording: Recording) -> list[str]:
    files = Counter(item.source for item in recording.items)
    ends = {item.source: item.t for item in recording.items}
    return [
        source
        for source, begin in recording.begins.items()
        if files[source] >= _FILES_MIN and ends[source] - begin >= _SHARE_MIN * recording.seconds
    ]
