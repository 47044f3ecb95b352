"""`journal compact RUN` and `journal compact --all`."""

import click

from journal.cli.exits import EXIT_DAMAGED, complain, exit_code
from journal.cli.meant import with_run
from journal.cli.options import root_option
from journal.errors import JournalError, Missing
from journal.stores import Store, connect
from journal.upkeep import keep_up
from readers.runs import parse_place, run_ids
from readers.text import printable


@click.command()
@click.argument("run", metavar="RUN", required=False)
@click.option("--all", "everything", is_flag=True, help="Every run; mends the index of runs too.")
@root_option
def command(run: str | None, root: str | None, *, everything: bool) -> int:
    """Fold what is new in a run's journal into its metadata.json.

    A run that has ended gets its end marker if that is missing. Harmless at any time, from
    anywhere, by several at once.

    \b
    Examples:
      journal compact latest
      journal compact --all --root s3://bucket/training-runs
    """
    if (run is None) != everything:
        raise click.UsageError("name one RUN, or say --all")
    if run is not None:
        writable = connect(parse_place(root, run).root)
        return with_run(root, run, lambda _, run_id: _compact(writable, run_id))
    store, code = connect(root), 0
    for run_id in list(run_ids(store)):
        try:
            code = max(code, _compact(store, run_id))
        except Missing as none:
            complain(f"{none}, left out")
        except JournalError as wrong:
            complain(str(wrong))
            code = max(code, exit_code(wrong))
    return code


def _compact(store: Store, run_id: str) -> int:
    """Compact a run and mend what belongs to it; return the exit code."""
    compaction = keep_up(store, run_id)
    for damage in compaction.damages:
        complain(damage)
    if not compaction.run:
        raise Missing(f"run {run_id} has no journal under this root")
    done = "snapshot installed" if compaction.installed else "nothing new"
    click.echo(f"{run_id}: {done}, last_update {printable(compaction.document['last_update'])}")
    return EXIT_DAMAGED if compaction.damages else 0
