"""Runs a function over many items in several threads, with few items waiting at a time."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event
from typing import TypeVar

from tools.prepare.errors import Stopped

Item = TypeVar("Item")

# A signal may reach another thread; Python then acts on it only when the main one wakes up.
SIGNAL_SECONDS = 0.5


class Workers:
    """Threads for reading and unpacking, as a context manager.

    When the block is left by an exception, workers end at their next `check`.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="prepare")
        self._stop = Event()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        # Not waited for after an exception: a worker may sit in a read until its time-out.
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def check(self) -> None:
        """Raise Stopped if the preparation is ending."""
        if self._stop.is_set():
            raise Stopped("the preparation was stopped")

    def pause(self, seconds: float) -> None:
        """Sleep. Raises Stopped if the preparation ends meanwhile."""
        self._stop.wait(seconds)
        self.check()

    def results(
        self, function: Callable[[Item], None], items: Iterable[Item]
    ) -> Iterator[tuple[Item, BaseException | None]]:
        """Yield each item when its call has ended, with the exception that it ended with."""
        waiting = iter(items)
        running: dict[Future[None], Item] = {}
        while True:
            for item in islice(waiting, 2 * self._jobs - len(running)):
                running[self._pool.submit(function, item)] = item
            if not running:
                return
            for future in wait(running, SIGNAL_SECONDS, FIRST_COMPLETED).done:
                yield running.pop(future), future.exception()
