"""Taking in what a script's commands left, where nobody keeps their run: in the background."""

import os
from typing import Final

from journal import layout
from journal.cli.shell import Place
from journal.errors import JournalError, Missing
from journal.recorder.background import Reply, detach
from journal.recorder.mailbox import Keeper

JOB: Final = "shell"
_DELIVERED: Final = b"delivered"


def see_to(place: Place, *, strict: bool) -> None:
    """Have somebody take in what was left, if nobody is there who will.

    If `strict`, raises Missing when there is no such run, JournalError when it cannot be taken in.
    """
    if place.mailbox.keeper is not None:
        return
    told = detach(lambda reply: deliver_rest(place, reply), place.log, wait=strict)
    if strict and told != _DELIVERED:
        raise JournalError(told.decode() or f"it could not be taken in: see {place.log}")


def deliver_rest(place: Place, reply: Reply = lambda _: None) -> None:
    """Take the mail in, until none is left; somebody else may be faster."""
    while place.mailbox.has_mail and _take_in(place, reply):
        pass
    reply(_DELIVERED)


def _take_in(place: Place, reply: Reply) -> bool:
    """Take mail in with a stream of this host's own; tell whether that was possible."""
    # The command that waits needs none of it.
    import logging  # noqa: PLC0415

    from journal.log import stream_names  # noqa: PLC0415
    from journal.recorder.keeper import deliver  # noqa: PLC0415
    from journal.recorder.start import begin  # noqa: PLC0415

    stream = layout.as_name(f"{JOB}-{place.host}", JOB)
    if not place.mailbox.keep(Keeper(os.getpid(), stream, place.root, JOB)):
        return False
    try:
        store = place.connect()
        if not stream_names(store, place.run_id):
            raise Missing(f"there is no run {place.run_id} in {place.root}; it waits in the mail")
        run = begin(place.run_id, root=place.root, job=JOB, stream=stream, resume=True)
        deliver(run, place.mailbox)
        run.hand_over()
    except (JournalError, ValueError, OSError) as wrong:
        logging.getLogger("journal").warning("run %s: %s", place.run_id, wrong)
        reply(str(wrong).encode())
        return False
    finally:
        place.mailbox.release()
    return True
