"""`journal snapshot RUN`."""

import sys

import click

from journal import layout
from journal.cli.options import open_run, root_option, run_argument
from journal.errors import Missing
from journal.stores import Found


@click.command()
@run_argument
@root_option
def command(run: str, root: str | None) -> None:
    """Print a run's metadata.json, byte for byte as it lies there.

    \b
    Examples:
      journal snapshot latest
      journal snapshot mistral-20250805-142652 | jq .progress
    """
    store, run_id = open_run(root, run)
    found = store.get(layout.snapshot_key(run_id))
    if not isinstance(found, Found):
        raise Missing(f"run {run_id} has no metadata.json; `journal compact {run_id}` makes it")
    sys.stdout.buffer.write(found.body)
