"""Progress libraries, the real ones, each asked what it says; their clocks are the recording's.

They are no dependency of anything else: `pip install --group bench` brings them. Those that are not
installed are left out.
"""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, Final

from tools.bench.backtest.counter import Counter, Ticking

_MIDNIGHT: Final = datetime(2025, 8, 5)  # noqa: DTZ001 - progressbar2 keeps times without a zone


class _Clock:
    """A time that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now


class Tqdm(Counter):
    """tqdm, with its own smoothing of 0.3 or another; 0 is the mean."""

    def __init__(self, unit: str, smoothing: float = 0.3) -> None:
        super().__init__(unit)
        self._smoothing = smoothing

    def begin(self) -> None:
        """Make a bar that draws nothing."""
        std = import_module("tqdm.std")
        std.tqdm.monitor_interval = 0  # no thread
        self._clock = _Clock()
        self._bar: Any = std.tqdm(
            total=self.total or 1, smoothing=self._smoothing, file=io.StringIO(), ncols=60
        )
        self._bar.display = lambda *_, **__: None
        self._bar._time = self._clock.time  # noqa: SLF001 - it offers no other way
        self._bar.start_t = self._bar.last_print_t = 0.0

    def advance(self, t: float, more: int) -> None:
        """Move the bar."""
        self._clock.now = t
        self._bar.update(more)

    def left(self, now: float) -> float | None:
        """Return the seconds left, by the expression of its `format_meter`."""
        self._clock.now = now
        self._bar.total = self.total
        shown = self._bar.format_dict
        rate = shown["rate"]
        if rate is None and shown["elapsed"]:
            rate = (shown["n"] - shown["initial"]) / shown["elapsed"]
        return (shown["total"] - shown["n"]) / rate if rate else None


class Rich(Counter):
    """rich.progress, whose window is 30 s.

    A new total is set on the task itself: `update(total=)` would forget the speeds.
    """

    def begin(self) -> None:
        """Make a task that is not shown."""
        console = import_module("rich.console").Console(file=io.StringIO())
        self._clock = _Clock()
        self._progress = import_module("rich.progress").Progress(
            console=console, auto_refresh=False, get_time=self._clock.time
        )
        self._progress.add_task("", total=self.total or 1)
        self._task = self._progress.tasks[0]

    def learn(self) -> None:
        """Tell the task of its new total."""
        self._task.total = self.total

    def advance(self, t: float, more: int) -> None:
        """Move the task."""
        self._clock.now = t
        self._progress.update(self._task.id, advance=more)

    def left(self, now: float) -> float | None:
        """Return the seconds left."""
        self._clock.now = now
        self._task.total = self.total
        self._task.finished_time = None  # a total that grew ends its being finished
        left: float | None = self._task.time_remaining
        return left


class ProgressBar2(Counter):
    """progressbar2, one of its widgets; it is shown a bar that has all it reads of one."""

    def __init__(self, unit: str, widget: str) -> None:
        super().__init__(unit)
        self._name = widget

    def begin(self) -> None:
        """Make the widget."""
        import_module("progressbar")
        self._widget: Any = getattr(import_module("progressbar.widgets"), self._name)()
        self._bar = SimpleNamespace(
            min_value=0, extra={}, start_time=_MIDNIGHT, end_time=None, last_update_time=_MIDNIGHT
        )
        self._drawn = -1.0
        self._eta: float | None = None

    def advance(self, t: float, more: int) -> None:
        """Draw, at most every 50 ms, as it does."""
        if t - self._drawn >= 0.05:
            self._draw(t)

    def left(self, now: float) -> float | None:
        """Return the seconds left; 0 of one that is not done is what it shows for `unknown`."""
        if not self.done or self.total is None:
            return None
        self._draw(now)
        return self._eta if self._eta or self.done >= self.total else None

    def _draw(self, t: float) -> None:
        passed = timedelta(seconds=t)
        self._bar.value, self._bar.max_value = self.done, self.total or 1
        self._bar.last_update_time = _MIDNIGHT + passed
        shown: dict[str, Any] = {
            "value": self.done,
            "max_value": self._bar.max_value,
            "time_elapsed": passed,
            "end_time": None,
            "elapsed": "",
            "eta": "",
            "eta_seconds": None,
        }
        self._widget(self._bar, shown)
        self._eta = shown["eta_seconds"]
        self._drawn = t


class Alive(Ticking):
    """alive-progress: its own two smoothings, at the two looks a second that it takes."""

    tick = 0.5

    def begin(self) -> None:
        """Make the smoothings."""
        smoothed = import_module("alive_progress.utils.timing").gen_simple_exponential_smoothing
        self._rate = smoothed(0.3, lambda done, passed: done / passed)
        self._left = smoothed(0.5, lambda done, rate: ((self.total or 0) - done) / rate)
        self._said: float | None = None
        next(self._rate)
        next(self._left)

    def at_tick(self, t: float) -> None:
        """Take a look."""
        rate = self._rate.send((float(self.done), t))
        if rate and self.total:
            self._said = self._left.send((float(self.done), rate))

    def left(self, now: float) -> float | None:
        """Return the seconds left, as of the last look."""
        return self._said


class Enlighten(Counter):
    """enlighten, a counter of a manager that is switched off."""

    def begin(self) -> None:
        """Make the counter; its modules' time is the recording's from now on."""
        self._clock = _Clock()
        for name in ("enlighten._basecounter", "enlighten._counter"):
            import_module(name).time = self._clock  # type: ignore[attr-defined]
        manager = import_module("enlighten").Manager(stream=io.StringIO(), enabled=False)
        self._counter: Any = manager.counter(total=self.total or 0)

    def advance(self, t: float, more: int) -> None:
        """Move the counter."""
        self._clock.now = t
        self._counter.count += more

    def left(self, now: float) -> float | None:
        """Return the seconds left, by the expression of its `format`."""
        self._clock.now = now
        passed = self._counter.elapsed
        moved = self._counter.count - self._counter.start_count
        if not passed or not moved or self.total is None:
            return None
        left: float = (self.total - self._counter.count) / (moved / passed)
        return left


LIBRARIES: Final[dict[str, tuple[str, Callable[[str], Counter]]]] = {
    "tqdm": ("tqdm", Tqdm),
    "tqdm (smoothing 0)": ("tqdm", lambda unit: Tqdm(unit, 0.0)),
    "rich": ("rich", Rich),
    "progressbar2 ETA": ("progressbar", lambda unit: ProgressBar2(unit, "ETA")),
    "progressbar2 AdaptiveETA": ("progressbar", lambda unit: ProgressBar2(unit, "AdaptiveETA")),
    "progressbar2 SmoothingETA": ("progressbar", lambda unit: ProgressBar2(unit, "SmoothingETA")),
    "alive-progress": ("alive_progress", Alive),
    "enlighten": ("enlighten", Enlighten),
}


def installed() -> dict[str, Callable[[str], Counter]]:
    """Return the libraries that can be asked."""
    return {name: factory for name, (module, factory) in LIBRARIES.items() if find_spec(module)}


def missing() -> list[str]:
    """Return the names of those that are not installed."""
    return [name for name in LIBRARIES if name not in installed()]
