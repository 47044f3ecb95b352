"""`journal compact RUN` and `journal compact --all`."""

import os
from dataclasses import dataclass

import click

from journal.cli.exits import EXIT_DAMAGED, complain, exit_code
from journal.cli.latest_log import write_latest_log
from journal.cli.meant import with_run
from journal.cli.options import root_option
from journal.companions import ENVIRONMENT, Companions, companions_of
from journal.errors import JournalError, Missing
from journal.layout import LATEST_LOG
from journal.limits import LATEST_LOG_LINES
from journal.stores import Store, connect
from journal.upkeep import keep_up
from readers.runs import parse_place, run_ids
from readers.text import printable


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be written beside the snapshot; `lines` of the log are none if it is not."""

    companions: Companions
    lines: int | None


@click.command()
@click.argument("run", metavar="RUN", required=False)
@click.option("--all", "everything", is_flag=True, help="Every run; mends the index of runs too.")
@click.option(
    "--companions",
    metavar="TEXT",
    help=f"What follows the snapshot: `progress`, `copy=ROOT`. Default: {ENVIRONMENT}.",
)
@click.option(
    "--log",
    "lines",
    metavar="[N]",
    is_flag=False,
    flag_value=str(LATEST_LOG_LINES),
    type=click.IntRange(1),
    help=f"Write the last N events as text to {LATEST_LOG}; {LATEST_LOG_LINES} without N.",
)
@root_option
def command(
    run: str | None,
    root: str | None,
    *,
    everything: bool,
    companions: str | None,
    lines: int | None,
) -> int:
    """Fold what is new in a run's journal into its metadata.json.

    A run that has ended gets its end marker if that is missing. Harmless at any time, from
    anywhere, by several at once.

    \b
    Examples:
      journal compact latest
      journal compact --all --root s3://bucket/training-runs
      journal compact latest --companions "progress copy=s3://bucket/logs/training-runs"
      journal compact latest --log
    """
    if (run is None) != everything:
        raise click.UsageError("name one RUN (in front of --log), or say --all")
    wanted = _Wanted(companions_of(companions, os.environ), lines)
    if run is not None:
        writable = connect(parse_place(root, run).root)
        return with_run(root, run, lambda _, run_id: _compact(writable, run_id, wanted))
    store, code = connect(root), 0
    for run_id in list(run_ids(store)):
        try:
            code = max(code, _compact(store, run_id, wanted))
        except Missing as none:
            complain(f"{none}, left out")
        except JournalError as wrong:
            complain(str(wrong))
            code = max(code, exit_code(wrong))
    return code


def _compact(store: Store, run_id: str, wanted: _Wanted) -> int:
    """Compact a run and mend what belongs to it; return the exit code."""
    beside = list(wanted.companions.beside(store, run_id))
    compaction = keep_up(store, run_id)
    for damage in compaction.damages:
        complain(damage)
    if not compaction.run:
        raise Missing(f"run {run_id} has no journal under this root")
    done = "snapshot installed" if compaction.installed else "nothing new"
    told = compaction.document.get("last_update")
    click.echo(f"{run_id}: {done}, last_update {printable(told)}")
    code = EXIT_DAMAGED if compaction.damages else 0
    for companion in beside if compaction.body else ():
        try:
            companion.write(compaction.body)
        except JournalError as wrong:
            complain(f"{companion.name}: {wrong}")
            code = max(code, exit_code(wrong))
    if wanted.lines is not None and write_latest_log(store, run_id, wanted.lines) is None:
        complain(f"run {run_id}: another program wrote {LATEST_LOG}; it is left alone")
    return code
