"""The rules by which well-known tools estimate, made anew from what is published of them. Pure.

Where a tool is a Python library, the library itself is asked (`libraries`).
"""

import math
from collections import deque
from statistics import fmean

from tools.bench.backtest.counter import Counter, Ticking
from tools.bench.backtest.recording import Event
from tools.bench.backtest.score import Said


class Mean(Counter):
    """Elapsed time by what is done, times what is left: wget, curl, Spark, and most bars."""

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        if not self.done or self.total is None:
            return None
        return now / self.done * (self.total - self.done)


class Control(Mean):
    """The same with one line more, a hedge that knows nothing of the work: what a rule must beat.

    Whoever says less on principle gains, since remaining time cannot be under-estimated by more
    than all of it.
    """

    hedge = 0.6

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        left = super().left(now)
        if left is None or self.total is None:
            return None
        return left * (1 - self.hedge * (1 - self.done / self.total))


class SourcesDone:
    """A bar whose unit is the source: so many finished of so many."""

    def start(self, header: Event) -> None:
        """Begin a run."""
        self._sources = len(header["sources"])
        self._files: dict[str, int] = {}

    def observe(self, event: Event) -> None:
        """Count down the files of the source."""
        if event["ev"] == "source_start":
            self._files[event["source"]] = event["files_total"]
        else:
            self._files[event["source"]] -= 1

    def estimate(self, now: float) -> Said:
        """Return the seconds left."""
        done = sum(not left for left in self._files.values())
        return (now / done * (self._sources - done) if done else None), None


class Indicatif(Counter):
    """indicatif (Rust): the rate smoothed twice; what was 15 s ago weighs a tenth.

    Steps less than 50 ms apart are taken together: it draws 20 times a second.
    """

    def begin(self) -> None:
        """Begin with nothing done."""
        self._once = self._twice = 0.0
        self._t, self._seen = 0.0, 0

    @staticmethod
    def _kept(seconds: float) -> float:
        return math.pow(0.1, seconds / 15.0)

    def advance(self, t: float, more: int) -> None:
        """Take in a step."""
        passed = t - self._t
        if passed < 0.05:
            return
        kept = self._kept(passed)
        rate = (self.done - self._seen) / passed
        self._once = self._once * kept + rate * (1 - kept)
        self._twice = self._twice * kept + self._once / (1 - self._kept(t)) * (1 - kept)
        self._t, self._seen = t, self.done

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        weight = 1 - self._kept(now)
        if weight <= 0 or self.total is None:
            return None
        # Since the last step nothing has come: that is a step as well.
        kept = self._kept(now - self._t)
        rate = (self._twice * kept + self._once * kept / weight * (1 - kept)) / weight
        return (self.total - self.done) / rate if rate > 0 else None


class Restic(Counter):
    """restic: what was done in the last two minutes, or longer, until it is 100 MB.

    In buckets of a second, never fewer than 20 of them.
    """

    def begin(self) -> None:
        """Begin with nothing done."""
        self._buckets: deque[list[float]] = deque()  # end, how much
        self._sum = 0.0
        self._since = 0.0

    def advance(self, t: float, more: int) -> None:
        """Take in a step."""
        if not more:
            return
        if not self._buckets or self._buckets[-1][0] <= t:
            self._buckets.append([t + 1.0, 0])
        self._buckets[-1][1] += more
        self._sum += more
        self._forget(t)

    def _forget(self, now: float) -> None:
        needed = 100e6 if self.unit == "bytes" else 0.0
        buckets = self._buckets
        while len(buckets) > 20 and buckets[0][0] <= now - 120:
            if self._sum - buckets[0][1] < needed:
                return
            self._since, gone = buckets.popleft()
            self._sum -= gone

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        self._forget(now)
        if now <= self._since or not self._sum or self.total is None:
            return None
        return (self.total - self.done) / (self._sum / (now - self._since))


class Rclone(Ticking):
    """rclone: the speed of each second into a moving average over up to 16 of them."""

    def begin(self) -> None:
        """Begin with nothing done."""
        self._period, self._speed, self._seen = 0, 0.0, 0

    def at_tick(self, t: float) -> None:
        """Take in a second."""
        self._period = min(self._period + 1, 16)
        self._speed += (self.done - self._seen - self._speed) / self._period
        self._seen = self.done

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        if self._speed <= 0 or self.total is None:
            return None
        return (self.total - self.done) / self._speed


class Window(Ticking):
    """The speed over the last so many seconds: pv, qBittorrent 30; aria2 10; rsync, curl 5."""

    def __init__(self, unit: str, seconds: float) -> None:
        super().__init__(unit)
        self._window = seconds

    def begin(self) -> None:
        """Begin with nothing done."""
        self._seen: deque[tuple[float, int]] = deque([(0.0, 0)])

    def at_tick(self, t: float) -> None:
        """Take in a second."""
        self._seen.append((t, self.done))
        while self._seen[0][0] < t - self._window:
            self._seen.popleft()

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        since, before = self._seen[0]
        if now <= since or self.done == before or self.total is None:
            return None
        return (self.total - self.done) / ((self.done - before) / (now - since))


class Hadoop(Ticking):
    """Hadoop's simple exponential smoothing of a task's rate (MAPREDUCE-7079, YARN).

    A reading whenever something is done, at most every 2 s; its time constant is 20 s, or the time
    of the twelfth reading if that is later.
    """

    tick = 2.0

    def begin(self) -> None:
        """Begin with nothing done."""
        self._rate: float | None = None
        self._readings, self._constant = 0, 20.0
        self._t, self._seen = 0.0, 0

    def at_tick(self, t: float) -> None:
        """Take in a reading."""
        if self.done == self._seen:
            return
        self._readings += 1
        if self._readings == 12:
            self._constant = max(self._constant, t)
        rate = (self.done - self._seen) / (t - self._t)
        weight = 1 - math.exp(-(t - self._t) / self._constant)
        self._rate = rate if self._rate is None else self._rate + weight * (rate - self._rate)
        self._t, self._seen = t, self.done

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        if not self._rate or self.total is None:
            return None
        return (self.total - self.done) / self._rate


class Holt(Ticking):
    """Holt's linear smoothing of the counter: its level (0.2) and its trend (0.05)."""

    def begin(self) -> None:
        """Begin with nothing done."""
        self._level: float | None = None
        self._trend = 0.0

    def at_tick(self, t: float) -> None:
        """Take in a second."""
        if self._level is None:
            self._level, self._trend = float(self.done), self.done / t
            return
        before = self._level
        self._level = 0.2 * self.done + 0.8 * (before + self._trend)
        self._trend = 0.05 * (self._level - before) + 0.95 * self._trend

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        if self._trend <= 0 or self.total is None:
            return None
        return (self.total - self.done) / self._trend


class Parallax:
    """Parallax and ParaTimer (Morton et al. 2010): work left by its cost, over what runs at once.

    A source at work has its own cost by file or byte, one to come that of all; the longest source
    is never undercut.
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit

    def start(self, header: Event) -> None:
        """Begin a run."""
        self._totals = {item["name"]: item[f"{self.unit}_total"] for item in header["sources"]}
        self._done: dict[str, int] = {}
        self._begin: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def observe(self, event: Event) -> None:
        """Take in a source's begin, or a file of it."""
        source = event["source"]
        if event["ev"] == "source_start":
            self._totals[source] = event[f"{self.unit}_total"]
            self._begin[source] = self._last[source] = event["t"]
            self._done[source] = 0
        else:
            self._done[source] += event["bytes"] if self.unit == "bytes" else 1
            self._last[source] = event["t"]

    def estimate(self, now: float) -> Said:
        """Return the seconds left."""
        done = sum(self._done.values())
        if not done:
            return None, None
        at_work = {source for source, so_far in self._done.items() if so_far < self._totals[source]}
        wall = {
            source: (now if source in at_work else self._last[source]) - begin
            for source, begin in self._begin.items()
        }
        mean = sum(wall.values()) / done
        typical = fmean(total for total in self._totals.values() if total is not None)
        left = []
        for source, total in self._totals.items():
            so_far = self._done.get(source, 0)
            whole = typical if total is None else total
            cost = wall[source] / so_far if source in at_work and so_far else mean
            left.append((whole - so_far) * cost)
        return max(sum(left) / max(len(at_work), 1), *left), None
