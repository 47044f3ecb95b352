"""From the mailbox into a run: says what a shell's commands left, and tells what they ask for."""

from typing import Final

from journal.clock import now_ns
from journal.recorder.dictation import Dictation
from journal.recorder.mailbox import Mail, Mailbox
from journal.recorder.run import Run

FINISH: Final = "finish"
LEAVE: Final = "leave"


class Postman:
    """Takes in what was left for one run; `run` is the stream that says it."""

    def __init__(self, run: Run, mailbox: Mailbox) -> None:
        self._run = run
        self._mailbox = mailbox
        self._dictation = Dictation(run.intake)
        self._since_ns = now_ns()
        self.count = 0  # events said

    def step(self) -> Mail | None:
        """Say what was left; return the last of what is to be done with the run. Raises OSError."""
        act = None
        if not self._mailbox.has_mail:
            return None
        for mail in self._mailbox.take():
            if not mail.act:
                self._dictation.say(mail)
                self.count += 1
            elif mail.at_ns >= self._since_ns:
                act = mail  # an older one was meant for a keeper that died before it came to it
        self._run.await_spooled()
        self._mailbox.forget()
        return act
