"""`journal start [RUN]`: begins a run for a shell script, and keeps it in the background."""

import os
import shlex
from contextlib import suppress
from typing import Any

import click
import orjson

from journal.cli.delivery import deliver_rest
from journal.cli.exits import complain
from journal.cli.options import root_option
from journal.cli.shell import Place
from journal.clock import now_ns
from journal.errors import Held, JournalError
from journal.layout import MAIN
from journal.limits import FLUSH_SECONDS, HEARTBEAT_SECONDS
from journal.recorder import ancestry
from journal.recorder.background import Reply, detach
from journal.recorder.mailbox import Keeper, Mail
from journal.recorder.mode import is_disabled
from journal.recorder.postman import LEAVE
from journal.redaction import STANDARD


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--job", default="pipeline", metavar="NAME", show_default=True, help="What is run.")
@click.option("--sources", type=click.IntRange(0), help="How many sources are to come.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="What it is run with.")
@click.option("--resume", is_flag=True, help="Take over from whoever holds the run.")
@click.option("--force", is_flag=True, help="With --resume: even if it is completed.")
@click.option(
    "--pid", type=click.IntRange(1), help="The script's process; without it, the calling shell."
)
@click.option("--heartbeat", default=HEARTBEAT_SECONDS, show_default=True, metavar="SECONDS")
@click.option("--flush", default=FLUSH_SECONDS, show_default=True, metavar="SECONDS")
@click.option("--export", is_flag=True, help="Print the lines that set the environment, for eval.")
@root_option
def command(
    run_id: str | None,
    job: str,
    sources: int | None,
    params: tuple[str, ...],
    pid: int | None,
    heartbeat: float,
    flush: float,
    root: str | None,
    *,
    resume: bool,
    force: bool,
    export: bool,
) -> int:
    """Begin a run for a shell script, and print its id.

    RUN is JOURNAL_RUN_ID, or is made of --job and the time. A process in the background keeps the
    run as long as the script lives: it beats, and takes in what `journal phase` and `journal emit`
    say. `journal finish` or `journal fail` ends the run; a script that vanishes without either is
    told of as failed. A store that is down does not fail the script.

    \b
    Examples:
      export JOURNAL_RUN_ID=$(journal start mistral-20250805-142652)
      eval "$(journal start --job mistral --root s3://bucket/training-runs --export)"
    """
    from journal.recorder.start import begin, new_run_id  # noqa: PLC0415

    run_id = run_id or os.environ.get("JOURNAL_RUN_ID") or new_run_id(job)
    place = Place(run_id, root)
    if not is_disabled():
        script = pid or ancestry.script_pid()
        _relieve(place, resume=resume)
        wanted = {
            "root": place.root,
            "job": job,
            "sources": sources,
            "params": dict(map(_param, params)),
            "resume": resume,
            "force": force,
            "heartbeat_seconds": heartbeat,
            "flush_seconds": flush,
        }
        told = detach(lambda reply: _keep(place, script, wanted, begin, reply), place.log)
        _hear(place, told)
    if export:
        for name, value in (("JOURNAL_RUN_ID", place.run_id), ("JOURNAL_ROOT", place.root)):
            click.echo(f"export {name}={shlex.quote(value)}")
    else:
        click.echo(place.run_id)
    return 0


def _param(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"--param {text!a}: expected NAME=VALUE")
    return name, value


def _relieve(place: Place, *, resume: bool) -> None:
    """Have a keeper of the same run on this host leave it, if it is to be taken over."""
    place.mailbox.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keeper = place.mailbox.keeper
    if keeper is None:
        return
    if not resume:
        raise Held(
            place.run_id, keeper.stream, place.host, keeper.pid, "an earlier `journal start`"
        )
    place.mailbox.leave(Mail(now_ns(), LEAVE, {}, act=True))
    if not place.await_end():
        raise JournalError(f"run {place.run_id}: its keeper, pid {keeper.pid}, does not leave it")


def _hear(place: Place, told: bytes) -> None:
    """Take in what the keeper says of its beginning. Raises what it raised."""
    if not told:
        raise JournalError(f"run {place.run_id} could not be kept: see {place.log}")
    reply: dict[str, Any] = orjson.loads(told)
    if "held" in reply:
        raise _held(place, Held(*reply["held"]))
    if "wrong" in reply:
        raise ValueError(reply["wrong"])
    if reply.get("trouble"):
        complain(f"run {place.run_id}: {reply['trouble']}; it goes on in the spool of this host")


def _held(place: Place, held: Held) -> Held:
    """Say in a shell's words who has a run, or that it is over."""
    from readers.status import status  # noqa: PLC0415 - only where something is wrong

    who = f"is held by pid {held.pid} on {held.host} since {held.since}"
    with suppress(JournalError):
        verdict = status(place.connect(), place.run_id).verdict
        if verdict.health in ("done", "critical") and verdict.liveness is None:
            who = f"is there already, {verdict.why}"
    held.args = (f"run {place.run_id} {who}; choose another id, or go on with it by --resume",)
    return held


def _keep(place: Place, script_pid: int, wanted: dict[str, Any], begin: Any, reply: Reply) -> None:
    """Begin the run and keep it, in the background."""
    from journal.recorder.keeper import Script, Signals, keep  # noqa: PLC0415
    from journal.recorder.opening import Watch  # noqa: PLC0415
    from journal.recorder.owner import at_work  # noqa: PLC0415
    from journal.recorder.processes import description  # noqa: PLC0415

    signals = Signals()
    try:
        script = Script(script_pid)
        place.mailbox.keep(Keeper(os.getpid(), MAIN, place.root, str(wanted["job"])))
        watch = Watch(script_pid, lambda _stall: description(script_pid, STANDARD))
        run = begin(place.run_id, watch=watch, **wanted)
    except Held as held:
        facts = (held.run_id, held.stream, held.host, held.pid, held.since)
        reply(orjson.dumps({"held": facts}))
        return
    except ValueError as wrong:
        reply(orjson.dumps({"wrong": str(wrong)}))
        return
    reply(orjson.dumps({"trouble": str(run.trouble) if run.trouble else None}))

    def is_alone() -> bool:
        return all(owner.pid == os.getpid() for owner in at_work(place.spools))

    outcome: dict[str, Any] = {"ok": False, "trouble": "it was interrupted"}
    try:
        keep(run, place.mailbox, script, signals, is_alone)
        with suppress(OSError):
            outcome = {"ok": run.flush(0), "trouble": str(run.trouble) if run.trouble else None}
    finally:
        place.mailbox.release(outcome)
    deliver_rest(
        place, linger=0.0
    )  # what was left in this very moment: nobody else would come for it
