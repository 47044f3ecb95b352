"""The process that keeps a run for a shell script: it beats, and says what its commands leave.

It holds `main` as long as the script is there. A script that vanishes without a word is told of as
failed, once nobody of this host is at work on the run any more.
"""

import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from journal.clock import monotonic, sleep
from journal.limits import EXIT_SECONDS, MAIL_SECONDS
from journal.recorder.mailbox import Mail, Mailbox
from journal.recorder.postman import LEAVE, Postman
from journal.recorder.run import Run

# What ends a script ends its keeper in its own way: with the script.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Script:
    """A process that somebody else has started, known by its id."""

    def __init__(self, pid: int) -> None:
        """Watch a process. Raises ValueError if there is none of that id."""
        self.pid = pid
        self._file: int | None = None
        try:
            # An id may be used again; a descriptor stays that of this process.
            if hasattr(os, "pidfd_open"):
                self._file = os.pidfd_open(pid)
            else:
                os.kill(pid, 0)
        except PermissionError:
            return
        except OSError as gone:
            raise ValueError(f"there is no process {pid}") from gone

    def is_gone(self, timeout: float) -> bool:
        """Wait for its end; False if `timeout` seconds pass first."""
        if self._file is not None:
            return bool(select.select([self._file], [], [], timeout)[0])
        sleep(timeout)
        with suppress(PermissionError):
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return True
        return False


class Signals:
    """Notes what would end this process, and lets it go on."""

    def __init__(self) -> None:
        self.last: str | None = None
        for number in _SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self.last = signal.Signals(number).name


def keep(
    run: Run,
    mailbox: Mailbox,
    script: Script,
    signals: Signals,
    is_alone: Callable[[], bool],
) -> None:
    """Keep a run until a command ends it, its script has vanished, or another writer has it.

    `is_alone` tells whether no other process of this host is at work on it. Raises OSError.
    """
    postman = Postman(run, mailbox)
    while not run.is_over:
        is_gone = script.is_gone(MAIL_SECONDS)
        act = postman.step()
        if act is not None:
            obey(run, act)
        elif is_gone and is_alone():
            _tell_vanished(run, script.pid, signals.last)
        elif is_gone:
            sleep(MAIL_SECONDS)


def deliver(run: Run, mailbox: Mailbox, linger: float, taken: Callable[[], None]) -> int:
    """Say what was left, and what comes within `linger` seconds, where nobody keeps the run.

    Returns how many events it was; `taken` is called once the first of them are in the store.
    Raises OSError.
    """
    postman = Postman(run, mailbox)
    postman.step()
    if run.flush(EXIT_SECONDS):
        taken()
    idle_since = monotonic()
    while not run.is_over and monotonic() - idle_since < linger:
        sleep(MAIL_SECONDS)
        if mailbox.has_mail:
            postman.step()
            idle_since = monotonic()
    return postman.count


def obey(run: Run, act: Mail) -> None:
    """Do with a run what a command asks for."""
    if act.type == LEAVE:
        run.hand_over()
        return
    status, message = (act.fields.get(name) for name in ("status", "message"))
    run.finish(str(status), message if isinstance(message, str) else None)


def _tell_vanished(run: Run, pid: int, last_signal: str | None) -> None:
    words = f"the script (pid {pid}) ended without `journal finish`"
    if last_signal is not None:
        run.finish("aborted", f"{last_signal}: {words}")
    else:
        run.finish("failed", words)
