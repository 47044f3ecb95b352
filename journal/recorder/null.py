"""A run that is journaled nowhere: JOURNAL_MODE=disabled, and programs that no run has started."""

from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import Any

from journal.layout import MAIN, check_name
from journal.recorder.intake import Intake, Waiter
from journal.recorder.mode import DISABLED
from journal.recorder.run import Run
from journal.segments import Reason


class NullRun(Run):
    """Takes in whatever a run does, and mistakes are the same; nothing of it is kept or sent.

    `flush` is False, since nothing is durable.
    """

    def __init__(self, run_id: str) -> None:
        """Raise ValueError for an id that a run could not have."""
        self.run_id = check_name("run id", run_id)
        self._sub_phase = ""
        self._sources = {}
        self._last = None
        self._intake = _Void()
        self._attaching = RLock()
        self._is_forked = False
        self.is_attached = True

    @property
    def trouble(self) -> Exception | None:
        """Nothing hinders what is not done."""
        return None

    @property
    def opened(self) -> Waiter:
        """Settled: there is nothing to claim."""
        return _settled()

    @property
    def is_over(self) -> bool:
        """Whether the job has ended it."""
        return self._last is not None

    @property
    def environment(self) -> dict[str, str]:
        """What keeps the programs that this one starts from journaling, too."""
        return {"JOURNAL_MODE": DISABLED}

    @property
    def stream(self) -> str:
        """The name that a stream would have."""
        return MAIN

    def await_spooled(self) -> None:
        """Do nothing."""

    def warn_slow(self) -> None:
        """Do nothing."""

    def detach(self) -> None:
        """Do nothing."""

    def abandon(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def leave(self) -> None:
        """Do nothing: a forked child has nothing to let go of."""

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - there is no waiting
        """Return False: nothing is durable."""
        return False

    def _close(self, _seal: Reason, _say: Callable[[], None]) -> None:
        self._last = self._last or _settled()

    def _await_end(self) -> None:
        """Wait for nothing."""


class _Void(Intake):
    """Takes everything in and keeps nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: deque[tuple[Any, ...]] = deque(maxlen=0)


def _settled() -> Waiter:
    waiter = Waiter()
    waiter.settle(ok=False)
    return waiter
