"""`journal recover [RUN]`."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import orjson

from journal.cli.delivery import deliver_rest
from journal.cli.exits import complain, exit_code
from journal.cli.options import output_option, root_option
from journal.cli.shell import Place
from journal.clock import StoreClock
from journal.errors import JournalError, Unavailable
from journal.recorder.mailbox import Mailbox
from journal.recorder.owner import spool_home, this_host
from journal.recorder.recovery import Found, send, spools
from journal.stores import Store, connect, endpoint_of
from journal.words import size
from readers.runs import parse_place
from readers.text import printable

FORMAT: Final = 1  # of the JSON


@click.command()
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--list", "only_list", is_flag=True, help="Show what there is, and send nothing.")
@click.option(
    "--force", is_flag=True, help="Take over a stream even if somebody seems to write to it."
)
@root_option
@output_option("human", "json")
def command(run: str | None, root: str | None, output: str, *, only_list: bool, force: bool) -> int:
    """Send what jobs on this host said and the store never got.

    A job that was killed during an outage of the store leaves its last events in a spool on its
    host. Starting it again with `resume` sends them; this does it for a job that will not come
    back. Spools of processes that live are left alone, and what a writer said after another had
    taken over is shown and never sent. Without RUN all runs under the root are looked at.

    \b
    Examples:
      journal recover --list
      journal recover mistral-20250805-142652
      journal recover --root s3://bucket/training-runs -o json
    """
    home = spool_home()
    if home is None:
        raise ValueError("JOURNAL_SPOOL is off: there are no spools")
    place = None if run is None else parse_place(root, run)
    store = connect(place.root if place else root)
    run_id = place.run if place else None
    code, found = 0, 0
    try:
        for one in spools(home, store, this_host(), run_id):
            found += 1
            code = max(code, _recover(one, store, output, send_it=not only_list, force=force))
    except OSError as failed:
        raise Unavailable(f"the spools in {home} cannot be read: {failed}") from failed
    for mailbox in Mailbox.all_of(home, this_host()):
        root_there, endpoint, its_run = mailbox.place
        if run_id is None or its_run == run_id:
            found += 1
            is_here = (root_there, endpoint) == (str(store), endpoint_of(str(store)))
            code = max(
                code, _recover_mail(its_run, root_there, output, send_it=is_here and not only_list)
            )
    if not found:
        complain(f"no spool{f' of run {run_id}' if run_id else ''} on this host, in {home}")
    return code


def _recover(one: Found, store: Store, output: str, *, send_it: bool, force: bool) -> int:
    """Deal with one spool; return the exit code."""
    code, trouble = 0, None
    if send_it and one.state in ("ready", "nothing"):
        try:
            send(one, store, pid=os.getpid(), clock=StoreClock(), force=force)
        except JournalError as wrong:
            trouble, code = str(wrong), exit_code(wrong)
        except OSError as wrong:
            trouble, code = f"{one.folder}: {wrong}", 1
    if output == "json":
        click.echo(orjson.dumps(_json(one, trouble)))
    else:
        click.echo(printable(f"{_name(one)}: {_words(one, send_it=send_it and not trouble)}"))
        for path in one.fenced:
            click.echo(printable(f"  kept, never sent, for another writer has the stream: {path}"))
    if trouble is not None:
        complain(f"{_name(one)}: {trouble}")
    return code


def _recover_mail(run_id: str, root: str, output: str, *, send_it: bool) -> int:
    """Deal with what a script's commands left and nobody took in; return the exit code."""
    count, trouble, code = 0, None, 0
    if send_it:
        try:
            count = deliver_rest(Place(run_id, root), linger=0.0)
        except JournalError as wrong:
            trouble, code = str(wrong), exit_code(wrong)
        except OSError as wrong:
            trouble, code = str(wrong), 1
    if output == "json":
        told = {"v": FORMAT, "run_id": run_id, "root": root, "mail": True}
        click.echo(orjson.dumps({**told, "sent": count, "error": trouble}))
    else:
        words = f"{count} events sent" if send_it and not trouble else f"waits for --root {root}"
        click.echo(printable(f"{run_id} mail of a script: {words}"))
    if trouble is not None:
        complain(f"{run_id} mail: {trouble}")
    return code


def _words(one: Found, *, send_it: bool) -> str:
    left_out = f"; {one.damaged} damaged lines left out" if one.damaged else ""
    match one.state:
        case "sent":
            return f"{one.sent} records sent, {one.stored} were in the store{left_out}"
        case "nothing":
            return f"nothing to send, {one.stored} records were in the store{left_out}"
        case "in use":
            return f"its process lives (pid {one.owner.pid if one.owner else '?'}); left alone"
        case "elsewhere" if one.owner is not None:
            at = f" at {one.owner.endpoint}" if one.owner.endpoint else ""
            return f"{size(one.bytes)} for --root {one.owner.root}{at}; left alone"
        case "unknown":
            return f"{one.folder}: it does not say whose it is; left alone"
    return f"{size(one.bytes)} {'left' if send_it else 'to send'}"


def _name(one: Found) -> str:
    return f"{one.owner.run_id} {one.owner.stream}" if one.owner else one.folder.name


def _json(one: Found, trouble: str | None) -> dict[str, Any]:
    return {
        "v": FORMAT,
        "folder": str(one.folder),
        **(asdict(one.owner) if one.owner else {}),
        "state": one.state,
        "bytes": one.bytes,
        "sent": one.sent,
        "stored": one.stored,
        "damaged": one.damaged,
        "fenced": [str(Path(path)) for path in one.fenced],
        "error": trouble,
    }
