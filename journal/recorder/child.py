"""A program at work in our process group, on our terminal: started, told what we are told, ended.

Signals are taken one at a time, not at any moment. What a process sends us goes on to the program;
what the terminal sends (Ctrl-C) has reached it already, as everybody in the group.
"""

import errno
import os
import signal
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final, NamedTuple

from journal.clock import now_ns

# By which somebody asks for the end.
ENDING: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_PASSED: Final = (
    *ENDING,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
    signal.SIGCONT,
    signal.SIGWINCH,
)
# Python ignores these; what is ignored would stay so in the program.
_RESTORED: Final = (signal.SIGPIPE, signal.SIGXFSZ)


class Notice(NamedTuple):
    """A signal that has come: `by` is the process that sent it, None for the terminal or nobody."""

    number: int
    by: int | None


class Signals:
    """Holds back the signals that are the program's business too, from its beginning on.

    One that is ignored stays so, here and in the program: `nohup` has its reason.
    """

    def __init__(self) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # or nobody learns how the program ended
        self._held = {one for one in _PASSED if signal.getsignal(one) != signal.SIG_IGN}
        self._held.add(signal.SIGCHLD)
        self.before = signal.pthread_sigmask(signal.SIG_BLOCK, self._held)

    def next(self) -> Notice:
        """Wait for a signal and return it."""
        come = signal.sigwaitinfo(self._held)
        # A code above 0 is the kernel's own.
        return Notice(come.si_signo, come.si_pid if come.si_code <= 0 else None)

    def stop(self) -> None:
        """Stop this process as Ctrl-Z does, until it is told to go on.

        Not by SIGSTOP: where nobody could tell it to go on, the system does not stop it.
        """
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTSTP})
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})


class Child:
    """A program that was started. Raises OSError if it could not be."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        signals: Signals,
        stderr: int | None,
    ) -> None:
        """Start it with all that is ours, but for the environment, and `stderr` if given."""
        self.begun_ns = now_ns()
        self.code: int | None = None  # its exit code, or a signal's number below 0
        self.asked: int | None = None  # the last signal that asked us for the end, if one did
        self._lock = Lock()
        self._signals = signals
        streams = [] if stderr is None else [(os.POSIX_SPAWN_DUP2, stderr, 2)]

        def spawned(*words: str) -> int:
            return os.posix_spawnp(
                words[0],
                words,
                environment,
                file_actions=streams,
                setsigmask=signals.before,
                setsigdef=_RESTORED,
            )

        try:
            self.pid = spawned(*command)
        except OSError as failed:
            script = _script(command[0]) if failed.errno == errno.ENOEXEC else None
            if script is None:
                raise
            self.pid = spawned("/bin/sh", script, *command[1:])

    def send(self, number: int) -> bool:
        """Send it a signal; False if it has ended."""
        with self._lock:  # a number that was waited for may be another process's soon
            if self.code is not None:
                return False
            os.kill(self.pid, number)
            return True

    def heed_next(self) -> int:
        """Wait for a signal, do what it asks for, and return its number.

        It is passed on; with the program we stop and go on, and note its end.
        """
        number, by = self._signals.next()
        if number == signal.SIGCHLD:
            self._note_end()
            return number
        if number in ENDING:
            self.asked = number
        # What it says to its group, or to its parent, it need not hear again.
        if by is not None and by != self.pid:
            self.send(number)
        if number == signal.SIGTSTP and self.code is None:
            self._signals.stop()
        return number

    def _note_end(self) -> None:
        with self._lock:
            if self.code is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.code = os.waitstatus_to_exitcode(status) if pid else None


def exit_code(code: int) -> int:
    """Return what a shell makes of how a program ended: 128 + n of signal n."""
    return code if code >= 0 else 128 - code


def _script(name: str) -> str | None:
    """Return where a program of that name lies, which has no `#!`: a shell's, as shells assume."""
    if "/" in name:
        return name
    found = (f"{folder or '.'}/{name}" for folder in os.get_exec_path())
    return next((path for path in found if os.access(path, os.X_OK)), None)
