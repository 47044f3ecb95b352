"""An outage of the store, ridden out by whoever follows a run."""

from collections.abc import Callable

from journal import clock
from journal.errors import Unavailable

RETRY_SECONDS = 5.0


class Outage:
    """Waits while the store does not answer, and says so once when it begins and when it ends."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._since: float | None = None
        self.stop: Callable[[], bool] = lambda: False  # whether nobody follows any more

    def wait(self, why: Unavailable) -> bool:
        """Wait before the store is asked again, which failed with `why`; tell whether to ask."""
        if self._since is None:
            self._since = clock.monotonic()
            self._complain(f"the store does not answer, trying on: {why}")
        if self.stop():
            return False
        clock.sleep(RETRY_SECONDS)
        return not self.stop()

    def is_over(self) -> None:
        """Take note that the store has answered."""
        if self._since is not None:
            self._complain(f"the store is back after {clock.monotonic() - self._since:.0f} s")
            self._since = None
