"""How a process ends: by itself, by an exception, by `sys.exit`, by a signal.

Runs that are still open then are finished with the truth, within a bounded time, and the process
goes its way as it would have gone without them.
"""

import atexit
import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from journal.recorder.source import words_of

if TYPE_CHECKING:
    from journal.recorder.run import Run

# Signals that end a process by default and that it can still act on.
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)

_live: Final[dict["Run", None]] = {}
_ours: Final[dict[int, int]] = {}  # signals whose default we took the place of, and where
_exit_code: object = None
_is_installed = False


def watch(run: "Run") -> None:
    """Finish the run when the process ends, unless that is done before."""
    _install()
    _live[run] = None
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            # A handler of the job's own decides for itself; its way out ends the run.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _end_by_signal)
                _ours[number] = os.getpid()


def forget(run: "Run") -> None:
    """Stop watching a run that has ended."""
    _live.pop(run, None)
    if not _live and threading.current_thread() is threading.main_thread():
        for number in list(_ours):
            if signal.getsignal(number) is _end_by_signal:
                signal.signal(number, signal.SIG_DFL)
            del _ours[number]


def status_of(error: BaseException | None) -> tuple[str, str | None]:
    """Return the status and message that an exception leaving a run's block stands for."""
    if error is None:
        return "completed", None
    if isinstance(error, SystemExit):
        return status_of_exit(error.code)
    if isinstance(error, KeyboardInterrupt):
        return "aborted", "interrupted (SIGINT)"
    words = f"{type(error).__qualname__}: {words_of(error)}".rstrip(": ")
    return ("failed" if isinstance(error, Exception) else "aborted"), words


def status_of_exit(code: object) -> tuple[str, str | None]:
    """Return the status and message that an exit code (sys.exit's argument) stands for."""
    if code is None or code == 0:
        return "completed", None
    if isinstance(code, int) and 128 < code < 128 + signal.NSIG:
        # The shell's way of saying that a signal ended it; handlers that exit follow it.
        try:
            return "aborted", f"exit code {code} ({signal.Signals(code - 128).name})"
        except ValueError:
            return "failed", f"exit code {code}"
    return "failed", f"exit code {code}" if isinstance(code, int) else words_of(code)


def _install() -> None:
    global _is_installed  # noqa: PLW0603 - hooks of the process are global by nature
    if _is_installed:
        return
    _is_installed = True
    atexit.register(_end_at_exit)
    exit_ = sys.exit

    def note_exit(code: Any = None) -> None:
        # Nothing else tells an exit handler with which code the process goes.
        global _exit_code  # noqa: PLW0603
        if threading.current_thread() is threading.main_thread():
            _exit_code = code
        exit_(code)

    sys.exit = note_exit  # type: ignore[assignment]


def _end_at_exit() -> None:
    # What the interpreter notes before it calls whatever hook there is. In a session with a
    # prompt an uncaught exception ends nothing.
    uncaught = None if hasattr(sys, "ps1") else getattr(sys, "last_value", None)
    if uncaught is not None:
        status, message = status_of(uncaught)
    else:
        status, message = status_of_exit(_exit_code)
    _finish_all(status, message)


def _end_by_signal(number: int, _frame: FrameType | None) -> None:
    _finish_all("aborted", signal.Signals(number).name)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _finish_all(status: str, message: str | None) -> None:
    for run in list(_live):
        run.finish(status, message)
