"""What is done when a program stalls: a line for people, and at the wish of its owner its end.

The rule is the one that readers judge by. Of a program whose processes tell of themselves in
streams of their own, this process sees little: then the whole run is judged, as a reader would.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any, Final, Literal

from journal import events, health
from journal.compactor import read_run
from journal.errors import JournalError
from journal.limits import TERM_SECONDS
from journal.recorder.child import Child
from journal.recorder.processes import description, fields, tree
from journal.recorder.stall import Stall
from journal.redaction import Redaction
from journal.stores.contract import Store
from journal.words import duration

OnStall = Literal["warn", "dump", "term"]
_STARTED: Final = 19  # of the fields of a process: when, which tells it from a later one's


class Reaction:
    """Heeds the stalls of one program."""

    def __init__(
        self,
        child: Child,
        on_stall: OnStall,
        *,
        ended: Event,
        job: str,
        redaction: Redaction,
        complain: Callable[[str], None],
        others: Callable[[], set[int]],
        is_stalled: Callable[[], bool],
        tell: Callable[[str, dict[str, Any]], None],
        seconds: float,
    ) -> None:
        """Prepare for them, until `ended` is set.

        `others` returns the processes that tell of themselves; if any of the program's is one,
        `is_stalled` is asked of the run as a whole, every `seconds`. `tell` makes an event.
        """
        self.why: str | None = None  # once the program was told to end
        self._ended = ended
        self._child = child
        self._on_stall = on_stall
        self._job = job
        self._redaction = redaction
        self._complain = complain
        self._others = others
        self._is_stalled = is_stalled
        self._tell = tell
        self._seconds = seconds
        self._is_waiting = False  # for the run as a whole to be called stalled

    def heed(self, stall: Stall) -> str:
        """Begin to do something about a stall; return what the processes are doing, if wanted."""
        told = ""
        if self._on_stall != "warn":
            told = description(self._child.pid, self._redaction)  # before it is told to end
        if not self._is_waiting:
            Thread(target=self._act, args=(stall,), name="journal-stall", daemon=True).start()
        return told

    def _act(self, stall: Stall) -> None:
        members = tree(self._child.pid)
        if self._others().intersection(members):
            self._is_waiting = True
            while not self._is_stalled():
                if self._ended.wait(self._seconds):
                    return
            self._is_waiting = False
            if self._on_stall != "warn":
                told = description(self._child.pid, self._redaction)
                self._tell(events.STACK, {**stall, "traceback": told, "by": events.JOURNAL})
        self._complain(
            f"{self._job} (pid {self._child.pid}) is stalled: no work seen for "
            f"{duration(stall['seconds'])}, the limit is {duration(stall['stall_seconds'])}"
        )
        if self._on_stall == "term" and self.why is None:
            self.why = f"stalled for {duration(stall['seconds'])}"
            self._terminate()

    def _terminate(self) -> None:
        """End all that belongs to the program; what does not heed SIGTERM is killed."""
        members = {pid: _began(pid) for pid in tree(self._child.pid)}
        _send(members, signal.SIGTERM)
        if not self._ended.wait(TERM_SECONDS):
            _send(members, signal.SIGKILL)


def run_is_stalled(store: Store, run_id: str) -> bool:
    """Tell whether a reader would call a run stalled now; False too if nobody can tell."""
    with suppress(JournalError):
        reading = read_run(store, run_id)
        verdict = health.verdict(reading.document(run_id), reading.store_time)
        return verdict.progress == "stalled"
    return False


def _began(pid: int) -> str:
    return "".join(fields(pid)[_STARTED : _STARTED + 1])


def _send(members: dict[int, str], number: int) -> None:
    for pid, began in members.items():
        if _began(pid) == began:
            with suppress(OSError):
                os.kill(pid, number)
