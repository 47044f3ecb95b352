"""Taking in what a script's commands left, where nobody keeps their run."""

import os
from collections.abc import Callable
from typing import Final

import orjson

from journal import layout
from journal.cli.exits import exit_code
from journal.cli.shell import Place
from journal.clock import monotonic, sleep
from journal.errors import JournalError, Missing
from journal.limits import EXIT_SECONDS, LINGER_SECONDS, MAIL_SECONDS
from journal.recorder.background import Reply, detach
from journal.recorder.mailbox import Keeper

JOB: Final = "shell"


class NotTaken(JournalError):
    """What was left could not be taken in; `code` is the exit code that says why."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


def see_to(place: Place, *, strict: bool) -> None:
    """Have somebody take in what was left, if nobody is there who will: in the background.

    If `strict`, waits until it is taken in. Raises NotTaken if that fails.
    """
    if not strict and place.mailbox.keeper is not None:
        return
    if strict and _is_taken(place):
        return
    told = detach(lambda reply: _deliver_behind(place, reply), place.log, wait=strict)
    if strict:
        answer = orjson.loads(told or b'{"code": 1}')
        if answer["code"]:
            raise NotTaken(answer.get("wrong") or f"not taken in: see {place.log}", answer["code"])


def _is_taken(place: Place) -> bool:
    """Wait as long as somebody is there who may take the mail in; tell whether it was taken."""
    until = monotonic() + EXIT_SECONDS
    while place.mailbox.has_mail and place.mailbox.keeper is not None:
        if monotonic() > until:
            raise NotTaken(f"run {place.run_id}: its keeper does not take in what is said", 1)
        sleep(MAIL_SECONDS / 5)
    return not place.mailbox.has_mail


def deliver_rest(
    place: Place, *, linger: float = LINGER_SECONDS, taken: Callable[[], None] = lambda: None
) -> int:
    """Take mail in until none is left, unless somebody else does; return how many events it was.

    `taken` is called once the store has the first of it. Raises Missing if there is no such run,
    else as `begin` does, and OSError.
    """
    count = 0
    while place.mailbox.has_mail:
        stream = layout.as_name(f"{JOB}-{place.host}", JOB)
        if not place.mailbox.keep(Keeper(os.getpid(), stream, place.root, JOB)):
            break
        try:
            count += _deliver(place, stream, linger, taken)
        finally:
            place.mailbox.release()
    return count


def _deliver(place: Place, stream: str, linger: float, taken: Callable[[], None]) -> int:
    # The command that waits, or does not, needs none of it.
    from journal.log import stream_names  # noqa: PLC0415
    from journal.recorder.keeper import deliver  # noqa: PLC0415
    from journal.recorder.start import begin  # noqa: PLC0415

    if not stream_names(place.connect(), place.run_id):
        raise Missing(f"no run {place.run_id} in {place.root}; what was said waits on this host")
    run = begin(place.run_id, root=place.root, job=JOB, stream=stream, resume=True)
    count = deliver(run, place.mailbox, linger, taken)
    run.hand_over()
    return count


def _deliver_behind(place: Place, reply: Reply) -> None:
    import logging  # noqa: PLC0415 - only the background logs

    try:
        deliver_rest(place, taken=lambda: reply(b'{"code": 0}'))
    except (JournalError, ValueError, OSError) as wrong:
        logging.getLogger("journal").warning("run %s: %s", place.run_id, wrong)
        code = 1 if isinstance(wrong, OSError) else exit_code(wrong)
        reply(orjson.dumps({"wrong": str(wrong), "code": code}))
