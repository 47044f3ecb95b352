"""A timer that no call can hold up: it writes down where every thread stands when the pump starves.

A call that holds the interpreter's lock stops all threads of Python's, the journal's as well;
`faulthandler` has a thread of the system's own, which needs no lock. There is one such timer in a
process: if somebody else has set it, it is theirs. `/proc` tells, for its thread is one that blocks
every signal.
"""

import faulthandler
import os
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import IO, Final

_TASKS: Final = Path("/proc/self/task")
_EVERY_SIGNAL: Final = 0xFFFF_FFFE_7FFB_FEFF  # but SIGKILL, SIGSTOP and two of the C library's own
_WINDINGS: Final = 4  # so often is it wound up within its time
_TEXT_BYTES: Final = 64 * 1024
_NEVER: Final = float("inf")


class DeadMan:
    """The timer of this process. Its times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._due = 0.0
        self._file: IO[bytes] | None = None  # what the timer writes to
        self._watcher: str | None = None  # the timer's thread, if we have set it

    def keep_alive(self, now: float, seconds: float) -> str:
        """Wind the timer up if it is time to; return what it wrote down since, most often nothing.

        It writes when nobody comes here for `seconds`, or for a quarter less.
        """
        if now < self._due:
            return ""
        with self._lock:
            self._due = now + seconds / _WINDINGS
            try:
                return self._wind_up(seconds)
            except (OSError, RuntimeError, ValueError):
                self._due = _NEVER  # no /proc, no temporary file, no thread: then without
                return ""

    def stop(self) -> None:
        """Stop the timer if it is ours, until somebody keeps it alive again."""
        with self._lock:
            if self._watcher is not None and _is_there(self._watcher):
                faulthandler.cancel_dump_traceback_later()
            if self._due != _NEVER:
                self._due = 0.0
            self._watcher = None

    def before_fork(self) -> None:
        """Stop the timer: at its end, a child would wait for the timer's thread for ever."""
        self._lock.acquire()
        self.stop()

    def after_fork_in_parent(self) -> None:
        """Let the timer be wound up again."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: what it wrote to is the parent's."""
        self._lock = RLock()
        self._file = None

    def _wind_up(self, seconds: float) -> str:
        told = self._written()
        if self._watcher is not None and not told and not _is_there(self._watcher):
            self._due = _NEVER  # somebody else has stopped it, or taken it for themselves
            return ""
        if self._watcher is None or told:
            if any(map(_blocks_every_signal, _threads())):
                self._watcher = None
                return told
        else:
            faulthandler.cancel_dump_traceback_later()
        if self._file is None:
            self._file = _nameless_file()
        before = _threads()
        faulthandler.dump_traceback_later(seconds, file=self._file)
        begun = _threads() - before
        # Another thread began in the same instant: which is which, nobody can tell.
        self._watcher = begun.pop() if len(begun) == 1 else None
        if self._watcher is None:
            faulthandler.cancel_dump_traceback_later()
        return told

    def _written(self) -> str:
        """Return what the timer wrote, once."""
        if self._file is None:
            return ""
        number = self._file.fileno()
        text = os.pread(number, _TEXT_BYTES, 0)
        if text:
            os.ftruncate(number, 0)
            os.lseek(number, 0, os.SEEK_SET)
        return text.decode("utf-8", errors="replace")


def _nameless_file() -> IO[bytes]:
    """Return a file that is gone when it is closed. Raises OSError."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("journal"), "w+b", buffering=0)
    import tempfile  # noqa: PLC0415 - brings compression and more along

    return tempfile.TemporaryFile(buffering=0)


def _threads() -> set[str]:
    return set(os.listdir(_TASKS))  # noqa: PTH208 - names are all that is wanted


def _is_there(thread: str) -> bool:
    return (_TASKS / thread).exists()


def _blocks_every_signal(thread: str) -> bool:
    with suppress(OSError):  # it has ended
        for line in (_TASKS / thread / "status").read_text(encoding="utf-8").splitlines():
            if line.startswith("SigBlk:"):
                return int(line.split()[1], 16) & _EVERY_SIGNAL == _EVERY_SIGNAL
    return False


dead_man: Final = DeadMan()
