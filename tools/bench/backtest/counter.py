"""What every progress bar has: so many done of so many, in one unit, and a clock. Pure."""

from collections.abc import Mapping

from tools.bench.backtest.recording import Event
from tools.bench.backtest.score import Said


class Counter:
    """Counts one unit, `files` or `bytes`; a rule says what is left.

    A source whose total is not known yet counts as much as the mean of those that are: no bar does
    that by itself, but without it none would have anything to say before the last source.
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.done = 0
        self.total: float | None = None
        self._totals: dict[str, int | None] = {}

    def start(self, header: Event) -> None:
        """Begin a run."""
        self._totals = {item["name"]: item[f"{self.unit}_total"] for item in header["sources"]}
        self.done = 0
        self._add_up()
        self.begin()

    def observe(self, event: Event) -> None:
        """Count a file, or learn a source's total."""
        if event["ev"] == "file_done":
            more = event["bytes"] if self.unit == "bytes" else 1
            self.done += more
            self.advance(event["t"], more)
        elif self._totals.get(event["source"]) is None:
            self._totals[event["source"]] = event[f"{self.unit}_total"]
            self._add_up()
            self.learn()

    def estimate(self, now: float) -> Said:
        """Return the seconds left; no bar knows an interval."""
        return None if self.total is None else self.left(now), None

    def _add_up(self) -> None:
        self.total = guessed(self._totals)

    def begin(self) -> None:
        """Begin with nothing done."""

    def learn(self) -> None:
        """Take in that `total` has changed."""

    def advance(self, t: float, more: int) -> None:
        """Take in that `more` is done, beside what `done` says."""

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        raise NotImplementedError


class Ticking(Counter):
    """A bar that looks at its counter every `tick` seconds, whatever happens."""

    tick = 1.0

    def start(self, header: Event) -> None:
        """Begin a run; the first look is a tick later."""
        self._next = self.tick
        super().start(header)

    def observe(self, event: Event) -> None:
        """Look as often as was due before the event, then take it in."""
        self._look(event["t"])
        super().observe(event)

    def estimate(self, now: float) -> Said:
        """Look as often as was due, then return the seconds left."""
        self._look(now)
        return super().estimate(now)

    def _look(self, t: float) -> None:
        while self._next <= t:
            self.at_tick(self._next)
            self._next += self.tick

    def at_tick(self, t: float) -> None:
        """Take in what is done by now."""
        raise NotImplementedError


def guessed(totals: Mapping[str, int | None]) -> float | None:
    """Add up totals, the mean of the known ones in place of each that is not; None if none is."""
    known = [total for total in totals.values() if total is not None]
    return sum(known) + (len(totals) - len(known)) * (sum(known) / len(known)) if known else None
