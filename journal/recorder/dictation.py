"""Saying what a shell's commands left in the mailbox, in the stream of the process that keeps it.

Each event keeps the time at which its command left it.
"""

from typing import Any, Final

from journal import events
from journal.recorder.intake import Intake, Tally, whole
from journal.recorder.mailbox import Mail

_OF_SOURCES: Final = frozenset(
    {
        events.SOURCE_STARTED,
        events.SOURCE_DONE,
        events.FILE_DONE,
        events.FILE_SKIPPED,
        events.ERROR,
    }
)


class Dictation:
    """Says mail; knows the sources it told of."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._sub_phase = ""
        self._tallies: dict[tuple[str, str], Tally] = {}

    def say(self, mail: Mail) -> None:
        """Say one event; of what it says too little or too much, the pump and the fold make do."""
        if mail.type == events.PHASE:
            self._sub_phase = str(mail.fields.get("sub_phase") or "")
        name = mail.fields.get("source")
        if mail.type not in _OF_SOURCES or not isinstance(name, str):
            self._intake.queue.append((mail.at_ns, mail.type, mail.fields, None))
            return
        tally = self._tally(mail, name)
        if mail.type == events.FILE_DONE:
            path, size = mail.fields.get("path", ""), whole(mail.fields.get("bytes"))
            seconds = mail.fields.get("seconds")
            # The pump knows them by the very constant.
            self._intake.queue.append((mail.at_ns, events.FILE_DONE, tally, path, size, seconds))
        else:
            self._intake.queue.append((mail.at_ns, mail.type, mail.fields, tally))

    def _tally(self, mail: Mail, name: str) -> Tally:
        """Return what is counted of a source; it begins with its first word."""
        tally = self._tallies.get((self._sub_phase, name))
        if tally is None:
            tally = self._tallies[self._sub_phase, name] = Tally(name)
            tally.restart(self._start(name))
        if mail.type == events.SOURCE_STARTED and self._sub_phase:
            mail.fields.setdefault("sub_phase", self._sub_phase)
        return tally

    def _start(self, name: str) -> dict[str, Any]:
        return {"source": name} | ({"sub_phase": self._sub_phase} if self._sub_phase else {})
