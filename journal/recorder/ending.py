"""How a process ends: by itself, by an exception, by `sys.exit`, by a signal.

Runs that are still open then are finished with the truth, within a bounded time, and the process
goes its way as it would have gone without them. In a forked child they are left to its parent,
until it says something itself.
"""

import atexit
import builtins
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from journal.recorder.deadman import dead_man
from journal.recorder.source import was_told, words_of

if TYPE_CHECKING:
    from journal.recorder.run import Run

# Signals that end a process by default and that it can still act on.
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_live: Final[dict["Run", None]] = {}
_ours: Final[set[int]] = set()  # signals whose default we took the place of
_pid = os.getpid()  # of the process whose runs these are
_exit: tuple[object, str | None] = (None, None)  # the code of the last sys.exit, the signal behind
_is_installed = False
_is_worker_watched = False
_is_headless = False


def watch(run: "Run") -> None:
    """Finish the run when the process ends, unless that is done before."""
    _install()
    _live[run] = None
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            # A handler of the job's own decides for itself; its way out ends the run.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _end_by_signal)
                _ours.add(number)


def forget(run: "Run") -> None:
    """Stop watching a run that has ended."""
    _live.pop(run, None)
    if not _live:
        _restore_signals()


def status_of(error: BaseException | None) -> tuple[str, str | None]:
    """Return the status and message that an exception leaving a run's block stands for."""
    if error is None:
        return "completed", None
    behind = _signal_behind(_codes_of(error))
    if isinstance(error, KeyboardInterrupt):
        return "aborted", f"interrupted ({behind or 'SIGINT'})"
    if isinstance(error, SystemExit):
        return status_of_exit(error.code, behind)
    words = f"{type(error).__qualname__}: {words_of(error)}".rstrip(": ")
    if behind is not None:
        return "aborted", f"{words} ({behind})"
    return ("failed" if isinstance(error, Exception) else "aborted"), words


def status_of_exit(code: object, behind: str | None = None) -> tuple[str, str | None]:
    """Return the status and message that an exit code (sys.exit's argument) stands for.

    `behind` is the signal whose handler exited, if one did.
    """
    is_number = isinstance(code, int)
    words = f"exit code {code}" if is_number else words_of(code)
    if code is None or code == 0:
        return ("completed", None) if behind is None else ("aborted", behind)
    if behind is None and isinstance(code, int) and 128 < code < 128 + signal.NSIG:
        # The shell's way of saying that a signal ended it; handlers that exit follow it.
        try:
            behind = signal.Signals(code - 128).name
        except ValueError:
            return "failed", words
    return ("failed", words) if behind is None else ("aborted", f"{words} ({behind})")


def _install() -> None:
    global _is_installed, _pid  # noqa: PLW0603 - hooks of the process are global by nature
    _watch_worker()
    if _is_installed:
        return
    _is_installed = True
    _pid = os.getpid()
    atexit.register(_end_at_exit)
    os.register_at_fork(
        before=dead_man.before_fork,
        after_in_parent=dead_man.after_fork_in_parent,
        after_in_child=_leave,
    )
    exit_ = sys.exit
    hook = threading.excepthook

    def note_exit(code: Any = None) -> None:
        # Nothing else tells an exit handler with which code the process goes.
        global _exit  # noqa: PLW0603
        if threading.current_thread() is threading.main_thread():
            _exit = code, _signal_behind(_codes_above(sys._getframe()))  # noqa: SLF001
        exit_(code)

    def note_thread(failed: threading.ExceptHookArgs) -> None:
        _tell_of_thread(failed)
        hook(failed)

    sys.exit = note_exit  # type: ignore[assignment]
    _note_quitters(note_exit)
    threading.excepthook = note_thread


def _note_quitters(exit_: Callable[[Any], None]) -> None:
    """Let `exit(3)` and `quit(3)` do what `sys.exit(3)` does, beside what they do themselves."""
    quitter = type(getattr(builtins, "exit", None))
    quit_ = quitter.__call__
    if quitter.__module__ == "_sitebuiltins":

        def leave(self: object, code: Any = None) -> None:
            try:
                quit_(self, code)
            except SystemExit:
                exit_(code)

        quitter.__call__ = leave  # type: ignore[method-assign]


def _watch_worker() -> None:
    """Have the children of multiprocessing end their runs: most of them run no exit handler."""
    global _is_worker_watched  # noqa: PLW0603
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None or _is_worker_watched:
        return
    _is_worker_watched = True
    sys.modules["multiprocessing.util"].Finalize(None, _end_of_worker, exitpriority=0)


def end_if_headless() -> None:
    """End the runs of a child forked by a thread, once that thread has ended.

    Such a process runs no exit handler, and lives on as long as any thread of it: the journal's too
    have to go.
    """
    global _is_headless  # noqa: PLW0603
    first = threading.main_thread()
    # Of a proper process the main thread counts as ended before its exit handlers run.
    if _is_headless or isinstance(first, threading._MainThread) or first.is_alive():  # type: ignore[attr-defined] # noqa: SLF001
        return
    _is_headless = True
    threading.Thread(target=_end_headless, name="journal-end", daemon=True).start()


def _end_headless() -> None:
    runs = list(_live)
    _finish_all("completed", None)
    for run in runs:
        run.stop()


def _leave() -> None:
    """Leave the runs, and the signals, to the parent; this is a child that was just forked."""
    global _pid, _exit, _is_worker_watched
    dead_man.after_fork_in_child()
    _restore_signals()
    _pid, _exit, _is_worker_watched = os.getpid(), (None, None), False
    for run in list(_live):
        run.leave()


def _restore_signals() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    while _ours:
        number = _ours.pop()
        if signal.getsignal(number) is _end_by_signal:
            signal.signal(number, signal.SIG_DFL)


def _tell_of_thread(failed: threading.ExceptHookArgs) -> None:
    """Write down what ended a thread: an error, but not the end of the run."""
    error = failed.exc_value
    if error is None or isinstance(error, SystemExit) or was_told(error):
        return
    for run in list(_live):
        if run.is_attached:
            run.error(error)


def _end_at_exit() -> None:
    # What the interpreter notes before it calls whatever hook there is. In a session with a
    # prompt an uncaught exception ends nothing.
    uncaught = None if hasattr(sys, "ps1") else getattr(sys, "last_value", None)
    _finish_all(*(status_of(uncaught) if uncaught is not None else status_of_exit(*_exit)))


def _end_of_worker() -> None:
    # It is called in a `finally` around all that the child did.
    _finish_all(*status_of(sys.exc_info()[1]))


def _end_by_signal(number: int, _frame: FrameType | None) -> None:
    _finish_all("aborted", signal.Signals(number).name)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _finish_all(status: str, message: str | None) -> None:
    if os.getpid() != _pid:
        return  # a child, in the instant before it has left its parent's runs
    # All at once, or each would wait for its own end after that of the one before.
    runs = list(_live)
    for run in runs:
        run.say_end(status, message)
    for run in runs:
        run.finish(status, message)


def _signal_behind(codes: Iterator[CodeType]) -> str | None:
    """Return the signal whose handler, a function of the job's, is among running code."""
    running = set(codes)
    for number in signal.Signals:
        code = getattr(signal.getsignal(number), "__code__", None)
        if isinstance(code, CodeType) and code in running:
            return number.name
    return None


def _codes_of(error: BaseException) -> Iterator[CodeType]:
    """Return the code of every function that an exception went through."""
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame.f_code
        step = step.tb_next


def _codes_above(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back
