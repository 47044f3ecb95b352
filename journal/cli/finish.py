"""`journal finish`: the end of a run, said by its script."""

import click

from journal.cli.exits import complain
from journal.cli.options import root_option
from journal.cli.shell import STORE_TROUBLE, Place, forgiving, run_option, strict_option
from journal.errors import Held, Unavailable
from journal.layout import MAIN
from journal.recorder import saying
from journal.recorder.postman import FINISH
from journal.recorder.saying import Said


@click.command()
@click.option(
    "--status",
    type=click.Choice(("completed", "failed", "aborted", "preempted")),
    default="completed",
    show_default=True,
    help="How it ends.",
)
@click.option("-m", "--message", metavar="TEXT", help="What there is to say of it.")
@click.option("--force", is_flag=True, help="End it even if somebody seems to be at work on it.")
@run_option
@root_option
@strict_option
def command(
    status: str,
    message: str | None,
    run_id: str | None,
    root: str | None,
    *,
    force: bool,
    strict: bool,
) -> int:
    """End a run from a shell script: `completed`, unless --status says otherwise.

    It waits a few seconds at most for the store, and does not fail the script if that is down:
    `journal recover` sends the end later. An end that was said before stays.

    \b
    Examples:
      journal finish
      journal finish --status preempted -m "spot instance reclaimed"
    """
    said = saying.finished(status, message)
    return forgiving(
        lambda: end(Place(run_id, root), said, force=force), strict=strict, forgiven=STORE_TROUBLE
    )


def end(place: Place, said: Said, *, force: bool = False) -> None:
    """End a run: by whoever keeps it on this host, else with a claim of this process's own.

    Raises what `close_run` does, and Unavailable if the store does not have the end.
    """
    keeper = place.mailbox.keeper
    if keeper is not None and keeper.stream == MAIN:
        _, fields = said
        place.leave((FINISH, fields), act=True)
        if not place.await_end():
            raise Unavailable(f"run {place.run_id}: its keeper, pid {keeper.pid}, does not end it")
        outcome = place.mailbox.outcome
        if outcome is not None:
            if not outcome.get("ok"):
                raise Unavailable(
                    f"run {place.run_id}: its end is on this host, not in the store "
                    f"({outcome.get('trouble')}); `journal recover {place.run_id}` sends it"
                )
            return
        # It died over it: whoever comes next may end the run.
    _close(place, said, force=force)


def _close(place: Place, said: Said, *, force: bool) -> None:
    from journal.recorder.closing import close_run  # noqa: PLC0415 - a keeper spares all of it

    store = place.connect()
    try:
        before = close_run(store, place.run_id, said, host=place.host, home=place.home, force=force)
    except Held as held:
        who = f"pid {held.pid} on {held.host}"
        held.args = (
            f"run {place.run_id}: {who} is at work on it and ends it; --force ends it now",
        )
        raise
    if before is not None and before.status != said[1]["status"]:
        complain(f"run {place.run_id} is {before.status} already, and stays so")
