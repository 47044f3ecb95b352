"""`journal ls`."""

from itertools import islice
from typing import Any

import click
import orjson

from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.options import output_option, root_option
from journal.errors import Corrupt, Missing
from journal.stores import connect, read_only
from readers.runs import run_ids
from readers.status import Status, status
from readers.text import printable, printable_json


@click.command()
@root_option
@click.option("-n", "--lines", type=click.IntRange(1), default=20, show_default=True, help="Runs.")
@output_option("human", "json")
def command(root: str | None, lines: int, output: str) -> int:
    """List runs, newest first, with state, health and ETA.

    \b
    Examples:
      journal ls
      journal ls -n 100 -o json --root s3://bucket/training-runs
    """
    store = read_only(connect(root))
    rows, code = [], 0
    for run_id in islice(run_ids(store), lines):
        try:
            rows.append(_row(status(store, run_id)))
        except Missing:
            complain(f"{run_id}: neither metadata.json nor a journal, left out")
        except Corrupt as damage:
            complain(f"{damage}; left out")
            code = EXIT_DAMAGED
    if output == "json":
        click.echo(printable_json(orjson.dumps(rows, option=orjson.OPT_INDENT_2)))
        return code
    for row in rows:
        ends = f"  ends {row['estimated_completion']}" if row["estimated_completion"] else ""
        told = f"{row['run_id']:<36} {row['state']:<10} {row['health']:<9} {row['details']}{ends}"
        click.echo(printable(told))
    if not rows:
        click.echo("journal: no run yet under this root", err=True)
    return code


def _row(found: Status) -> dict[str, Any]:
    document = found.document
    progress = document.get("progress")
    return {
        "run_id": found.run_id,
        "state": found.verdict.state,
        "health": found.verdict.health,
        "liveness": found.verdict.liveness,
        "progress_verdict": found.verdict.progress,
        "why": found.verdict.why,
        "details": document.get("details"),
        "start_time": document.get("start_time"),
        "last_update": document.get("last_update"),
        "estimated_completion": progress.get("estimated_completion")
        if isinstance(progress, dict)
        else None,
    }
