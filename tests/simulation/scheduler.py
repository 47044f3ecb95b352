"""Who goes on next: simulated time, and actors that run one at a time.

An actor is a greenlet, so the library's synchronous code runs unchanged and gives way only where it
asks the store: everything that two processes can do to each other happens between two requests.
"""

from collections.abc import Callable
from heapq import heappop, heappush

from greenlet import getcurrent, greenlet

from journal.clock import stamp


class Scheduler:
    """Does what is due, in the order of simulated time (seconds since the epoch)."""

    def __init__(self, start_time: float) -> None:
        self.now = start_time
        self.is_stopped = False
        self.hub = getcurrent()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def at(self, time: float, act: Callable[[], object]) -> None:
        """Do something at that time; what is due at the same time keeps its order."""
        self._count += 1
        heappush(self._due, (time, self._count, act))

    def run(self, until: float) -> None:
        """Do all that is due until then, or until somebody stops it."""
        due = self._due
        while due and due[0][0] <= until and not self.is_stopped:
            self.now, _, act = heappop(due)
            act()
        if not self.is_stopped:
            self.now = max(self.now, until)


class Actor:
    """One thread of control: it may be killed, or paused for long and come back."""

    def __init__(self, scheduler: Scheduler, name: str, body: Callable[[], object]) -> None:
        self.name = name
        self._scheduler = scheduler
        self._greenlet = greenlet(body, scheduler.hub)
        self._paused_until = 0.0
        self._is_killed = False

    @property
    def is_over(self) -> bool:
        """Whether it was killed or has come to its end."""
        return self._is_killed or self._greenlet.dead

    def resume(self) -> None:
        """Let it go on, or as soon as its pause is over."""
        if self.is_over:
            return
        if self._scheduler.now < self._paused_until:
            self._scheduler.at(self._paused_until, self.resume)
            return
        self._greenlet.switch()

    def wait(self) -> None:
        """Give way, called by the actor itself; somebody else resumes it."""
        self._scheduler.hub.switch()

    def sleep(self, seconds: float) -> None:
        """Give way for a while, called by the actor itself."""
        self._scheduler.at(self._scheduler.now + seconds, self.resume)
        self._scheduler.hub.switch()

    def pause(self, seconds: float) -> None:
        """Stop it where it is; what it sent goes on its way."""
        self._paused_until = self._scheduler.now + seconds

    def kill(self) -> None:
        """End it where it is, without a word; what it sent goes on its way."""
        if not self.is_over:
            self._is_killed = True
            self._greenlet.throw()


class HostClock:
    """A host's clock: it is off, it drifts, and somebody sets it."""

    def __init__(self, scheduler: Scheduler, ahead: float, drift: float) -> None:
        self.offset = 0.0
        self._scheduler = scheduler
        self._ahead = ahead
        self._drift = drift
        self._begin = scheduler.now

    def now(self) -> float:
        """Return the host's time."""
        now = self._scheduler.now
        return now + self._ahead + (now - self._begin) * self._drift

    def now_ns(self) -> int:
        """Return the host's time in nanoseconds."""
        return int(self.now() * 1_000_000) * 1000

    def monotonic(self) -> float:
        """Return a time that nobody sets."""
        return self._scheduler.now - self._begin

    def jump(self, seconds: float) -> None:
        """Set the clock."""
        self._ahead += seconds

    def stamp(self) -> str:
        """Return the host's time as a record's `ts`."""
        return stamp(self.now())

    def saw(self, store_time: float) -> None:
        """Take in the store's time of a reply that just arrived."""
        self.offset = round(store_time - self.now(), 3) + 0.0
