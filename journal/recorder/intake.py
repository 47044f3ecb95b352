"""Where the job's threads leave what they say: a bounded deque, and nothing that could block.

An item is a tuple whose first two places are the time (nanoseconds since the epoch) and the kind:

    (at_ns, "file_done", tally, path, bytes, seconds)
    (at_ns, type, fields, tally or None)                 any other event
    (at_ns, None, waiter, seal or None)                  a place in the queue to wait for

No lock is taken and nothing is checked or serialised here: the pump does that.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

from journal.clock import now_ns
from journal.limits import QUEUE_RECORDS

if TYPE_CHECKING:
    from journal.recorder.source import File
    from journal.segments import Reason


class Waiter:
    """Waits until everything said before it is durable, or surely is not going to be.

    A bare lock, held until it is settled: a signal handler may wait for what the thread that it
    interrupted waits for, which an Event does not survive.
    """

    __slots__ = ("_is_settled", "_open", "is_whole", "ok")

    def __init__(self) -> None:
        self.ok = False
        self.is_whole = True  # nothing said before it was given up
        self._is_settled = False
        self._open = Lock()
        self._open.acquire()

    def settle(self, ok: bool) -> None:  # noqa: FBT001 - the only argument is the answer
        """Say how it ended; only the first word counts."""
        if not self._is_settled:
            self.ok = ok and self.is_whole
            self._is_settled = True
            self._let_go()

    def wait(self, timeout: float | None) -> bool:
        """Return whether all is durable; False too if `timeout` seconds pass first."""
        if self._open.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            self._let_go()  # for whoever else waits
        return self._is_settled and self.ok

    def _let_go(self) -> None:
        with suppress(RuntimeError):  # two that settle it at once both get here
            self._open.release()


class Tally:
    """What the pump knows of a source. Only the pump touches the numbers."""

    __slots__ = ("bytes", "files", "said_bytes", "source", "started_ns", "untold")

    def __init__(self, source: str) -> None:
        self.source = source
        self.restart(None)

    def restart(self, untold: dict[str, Any] | None) -> None:
        """Count from nothing; `untold` is said of the source before its next record."""
        self.files = 0
        self.bytes = 0
        self.said_bytes = 0
        self.started_ns = 0
        self.untold = untold


def whole(value: object) -> int:
    """Make a count of what the job gave, 0 if it is none; foreign objects may raise anything."""
    try:
        return max(0, int(value))  # type: ignore[call-overload, no-any-return]
    except Exception:  # noqa: BLE001
        return 0


class Intake:
    """The queue between the job and the pump, and the files that are in flight."""

    def __init__(self) -> None:
        self.queue: deque[tuple[Any, ...]] = deque()
        # A dict is the set whose changes are atomic and whose order is that of opening.
        self.open_files: dict[File, None] = {}
        # `next` of a count is atomic, unlike `+= 1`.
        self._losses = count()
        # SimpleQueue.put may be interrupted by a signal handler that calls it again; Event.set not.
        self.wakes: SimpleQueue[None] = SimpleQueue()

    def leave(self, attach: Callable[[], None]) -> None:
        """Forget what a forked process inherited; the first word of its own calls `attach`."""
        self.queue = _Doorbell(self, attach)
        self.open_files = _Door(self, attach)
        self._losses = count()
        self.wakes = SimpleQueue()

    def begin(self) -> bool:
        """Take in again, after `leave`; tell whether this call made the difference."""
        if not isinstance(self.queue, _Doorbell):
            return False
        self.open_files = {}
        self.queue = deque()
        return True

    def say(self, kind: str, fields: dict[str, Any], tally: Tally | None = None) -> None:
        """Leave an event of any type but file_done."""
        if len(self.queue) < QUEUE_RECORDS:
            self.queue.append((now_ns(), kind, fields, tally))
        else:
            self.lose()

    def lose(self) -> None:
        """Count an item that found the queue full."""
        next(self._losses)

    @property
    def lost(self) -> int:
        """How many items found the queue full so far."""
        # The repr, `count(7)`, is the only way to look at a count without moving it.
        return int(repr(self._losses)[6:-1])

    def await_durable(self, seal: "Reason | None" = None) -> Waiter:
        """Leave a place to wait for; with `seal` it is the last thing this stream hears."""
        waiter = Waiter()
        self.queue.append((now_ns(), None, waiter, seal))
        self.wakes.put(None)
        return waiter


class _Doorbell(deque[tuple[Any, ...]]):
    """The queue of a forked process that has said nothing yet.

    It takes the place of the real one, so that nobody who speaks has to look whether it is there.
    """

    def __init__(self, intake: Intake, attach: Callable[[], None]) -> None:
        super().__init__()
        self._intake = intake
        self._attach = attach

    def append(self, item: tuple[Any, ...]) -> None:
        self._attach()
        self._intake.queue.append(item)


class _Door(dict["File", None]):
    """The files in flight of a forked process that has said nothing yet."""

    def __init__(self, intake: Intake, attach: Callable[[], None]) -> None:
        super().__init__()
        self._intake = intake
        self._attach = attach

    def __setitem__(self, file: "File", _: None) -> None:
        self._attach()
        self._intake.open_files[file] = None
