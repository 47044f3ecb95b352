"""Many lives summed up: who was called lost or stalled, rightly and wrongly, and how soon."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from tools.bench.lives.outcome import JUDGES, OURS, Outcome

ROWS: Final = {
    "crash": "crash, machine gone",
    "crash before a resume": "crash before a later attempt",
    "hang holding the interpreter's lock": "hang that holds the interpreter's lock (no beats)",
    "hang in a socket": "hang in a socket",
    "hang in a lock": "hang in a lock",
    "black hole in one thread": "black hole in one thread of several",
    "hang beside a busy thread": "hang beside a thread that burns CPU",
    "livelock of CPU": "livelock, CPU only",
    "livelock of errors": "livelock, errors again and again",
}
_SHOWN: Final = 12  # of what was wrong


@dataclass(slots=True)
class Row:
    """What was said of one kind of illness."""

    condition: str = ""
    count: int = 0
    met: Counter[str] = field(default_factory=Counter)  # by judge, in time
    strict: int = 0  # ours, within three heartbeats
    seconds: list[float] = field(default_factory=list)  # ours, from the onset
    shares: list[float] = field(default_factory=list)  # ours, of the limit


@dataclass(slots=True)
class Matrix:
    """The sums over all lives."""

    lives: int = 0
    polls: int = 0
    healthy_polls: int = 0
    falsely: Counter[str] = field(default_factory=Counter)  # lives, by judge
    features: dict[str, Counter[str]] = field(default_factory=dict)  # lives, by feature
    rows: dict[str, Row] = field(default_factory=dict)
    contradictions: int = 0
    blind_polls: int = 0
    blind_known: int = 0
    apart: int = 0
    apart_alarmed: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Take in what was said of one life."""
        self.lives += 1
        self.polls += outcome.polls
        self.healthy_polls += outcome.healthy_polls
        self.blind_polls += outcome.blind_polls
        self.blind_known += outcome.blind_known
        self.contradictions += bool(outcome.contradictions)
        self.apart += outcome.apart_polls > 0
        self.apart_alarmed += outcome.apart_alarms > 0
        alarmed = [judge for judge in JUDGES if outcome.false_alarms.get(judge)]
        self.falsely.update(alarmed)
        for feature in outcome.features:
            self.features.setdefault(feature, Counter()).update(["lives", *alarmed])
        self._add_onsets(outcome)
        words = [*outcome.contradictions[:1], *outcome.complaints[:1]]
        if outcome.blind_known:
            words.append("knows without the store")
        self.wrong += [f"seed {outcome.seed} ({outcome.fate}): {word}" for word in words]

    def _add_onsets(self, outcome: Outcome) -> None:
        for onset in outcome.onsets:
            row = self.rows.setdefault(onset.fate, Row(onset.condition))
            row.count += 1
            row.met.update(judge for judge in JUDGES if onset.is_met(judge, onset.limit))
            row.strict += onset.is_met(OURS, onset.strict)
            if OURS in onset.seconds:
                row.seconds.append(onset.seconds[OURS])
                row.shares.append(onset.seconds[OURS] / onset.limit)
            if not onset.is_met(OURS, onset.limit):
                said = onset.seconds.get(OURS)
                when = "never" if said is None else f"after {said:.0f} s"
                words = f"{onset.fate}: {when}, limit {onset.limit:.0f} s"
                self.wrong.append(f"seed {outcome.seed}: {words}")

    def count(self, condition: str) -> int:
        """Return how many went wrong so."""
        return sum(row.count for row in self._rows(condition))

    def share(self, condition: str, judge: str = OURS) -> float:
        """Return which share of them was called in time, in percent; 100 of none."""
        met = sum(row.met[judge] for row in self._rows(condition))
        count = self.count(condition)
        return 100.0 * met / count if count else 100.0

    def strict_share(self) -> float:
        """Return which share of the dead was called within three heartbeats, in percent."""
        return 100.0 * sum(row.strict for row in self._rows("dead")) / max(1, self.count("dead"))

    def _rows(self, condition: str) -> list[Row]:
        return [row for row in self.rows.values() if row.condition == condition]

    def table(self) -> Iterator[str]:
        """Yield the lines of the tables, in Markdown."""
        yield f"| of {self.lives:,} runs | {' | '.join(_HEADS)} |"
        yield f"|---|{'---|' * len(_HEADS)}"
        yield _line("**healthy, ever called lost or stalled**", self._falsely(self.falsely))
        for feature, lives in sorted(self.features.items()):
            yield _line(f"… {feature} ({lives['lives']:,})", self._falsely(lives))
        for fate, name in ROWS.items():
            row = self.rows.get(fate)
            if row is not None:
                shares = [f"{100 * row.met[judge] / row.count:.1f} %" for judge in JUDGES]
                yield _line(f"{name} ({row.count:,}), called in time", shares)
        yield ""
        yield "| ours, from the onset | median | 99 % | longest | longest, of its limit |"
        yield "|---|---|---|---|---|"
        for fate, name in ROWS.items():
            row = self.rows.get(fate)
            if row is not None and row.seconds:
                ordered = sorted(row.seconds)
                high = ordered[int(0.99 * (len(ordered) - 1))]
                figures = [_minutes(median(ordered)), _minutes(high), _minutes(ordered[-1])]
                yield _line(name, [*figures, f"{100 * max(row.shares):.0f} %"])

    def _falsely(self, lives: Counter[str]) -> Iterable[str]:
        return [f"{lives[judge]:,}" for judge in JUDGES]

    def faults(self) -> list[str]:
        """Return the first things that were wrong."""
        return self.wrong[:_SHOWN]


_HEADS: Final = (
    "verdict",
    "old monitor on our snapshot",
    "no event for 10 min",
    "beats only",
    "φ accrual, 8",
)


def _line(name: str, figures: Iterable[str]) -> str:
    return f"| {name} | {' | '.join(figures)} |"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"
