"""`journal status RUN`."""

import math
import sys
from functools import partial
from typing import Any

import click
import orjson

from journal.cli.as_legacy import show as show_as_legacy
from journal.cli.document import print_document
from journal.cli.exits import EXIT_DAMAGED, complain, exit_status
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option, run_argument_or_latest
from journal.cli.status_lines import StatusLines
from journal.cli.terminal import color_option, terminal
from journal.cli.when import instant, utc_option
from journal.clock import monotonic, now
from journal.errors import Unavailable
from journal.health import unreachable
from journal.stores import ReadStore
from readers.legacy import STALE_SECONDS
from readers.path import field_at
from readers.status import Status
from readers.status import status as read_status
from readers.text import printable, printable_bytes


@click.command()
@run_argument_or_latest
@root_option
@click.option("-w", "--watch", is_flag=True, help="Stay, and show how it goes on, until it ends.")
@click.option("--at", "moment", metavar="TIME", help="As it was known then: 10m, HH:MM, ISO 8601.")
@click.option("--field", "path", metavar="PATH", help="One value: progress.files_done, why, …")
@click.option("--exit-status", "wants_status", is_flag=True, help="Exit with the verdict.")
@click.option("--as-legacy", is_flag=True, help="Say what the old monitor would say, and why.")
@click.option(
    "--stale-minutes",
    type=click.FloatRange(0, min_open=True),
    help="With --as-legacy: how old a heartbeat may be. Default: 10, as the monitor's.",
)
@color_option
@utc_option
@output_option("human", "json", "prometheus")
def command(run: str, root: str | None, **options: Any) -> int:
    """Say how a run stands: the verdict and why, then sources, ETA and errors.

    With -o json: the snapshot document with `state`, `health`, `liveness`, `progress_verdict` and
    `why` at its top level; the same are what --field finds. --exit-status gives 20 for a run that
    failed, 21 for one that was aborted or preempted, 22 for a stalled and 23 for a lost one.

    \b
    Examples:
      journal status latest
      journal status -w mistral-20250805-142652
      journal status latest --field eta.at
      journal status latest --at 02:30
    """
    _check(options)
    if options["as_legacy"]:
        stale = options["stale_minutes"]
        minutes = STALE_SECONDS / 60 if stale is None else stale
        show = partial(show_as_legacy, stale_minutes=minutes, output=options["output"])
        return with_run(root, run, show)
    if options["watch"]:
        from journal.cli.watch import watch  # noqa: PLC0415 - imports what the others do not need

        screen = terminal(options["color"])
        code = with_run(root, run, partial(watch, terminal=screen, utc=options["utc"]))
        return code if options["wants_status"] or code > 100 else 0
    status = _read(root, run, options["moment"])
    for complaint in status.complaints:
        complain(complaint)
    _print(status, options)
    if options["wants_status"] and (code := exit_status(status.verdict)):
        return code
    return EXIT_DAMAGED if status.is_damaged else 0


def _check(options: dict[str, Any]) -> None:
    """Raise UsageError for options that do not go together."""
    stale, path = options["stale_minutes"], options["path"]
    if stale is not None and not math.isfinite(stale):
        raise click.BadParameter("it is no number of minutes", param_hint="--stale-minutes")
    if stale is not None and not options["as_legacy"]:
        raise click.UsageError("--stale-minutes goes with --as-legacy")
    if options["as_legacy"] and options["output"] == "prometheus":
        raise click.UsageError("--as-legacy is for people or json")
    if options["watch"] and (options["moment"] or path or options["output"] != "human"):
        raise click.UsageError("--watch is for people: it takes neither --at, --field nor -o")


def _read(root: str | None, run: str, moment: str | None) -> Status:
    if moment is not None:
        from readers.tail import Tail  # noqa: PLC0415 - only the past needs the whole log
        from readers.then import status_at  # noqa: PLC0415

        at = instant(moment, now())

        def then(store: ReadStore, run_id: str) -> Status:
            return status_at(run_id, Tail(store, run_id, complain).everything(), at)

        return with_run(root, run, then)
    began = monotonic()
    try:
        return with_run(root, run, read_status)
    except Unavailable as failed:
        why = unreachable(None, began, monotonic()).why
        raise Unavailable(f"whether run {run} lives is {why} ({failed})") from failed


def _print(status: Status, options: dict[str, Any]) -> None:
    out, path = sys.stdout.buffer, options["path"]
    if path is not None:
        value = field_at(as_json(status), path)
        shown = value if isinstance(value, str) else orjson.dumps(value).decode()
        out.write(printable(shown).encode("utf-8", "backslashreplace") + b"\n")
    elif options["output"] == "json":
        print_document(as_json(status))
    elif options["output"] == "prometheus":
        from readers.prometheus import metrics  # noqa: PLC0415

        out.write(printable_bytes(metrics(status).encode()))
    else:
        screen = terminal(options["color"])
        for line in StatusLines(screen, options["utc"]).of(status):
            screen.say(line)


def as_json(status: Status) -> dict[str, Any]:
    """Return the document with the verdict on it, for machines."""
    verdict = status.verdict
    return {
        **status.document,
        "state": verdict.state,
        "health": verdict.health,
        "liveness": verdict.liveness,
        "progress_verdict": verdict.progress,
        "why": verdict.why,
    }
