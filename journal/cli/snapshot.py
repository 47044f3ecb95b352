"""`journal snapshot RUN`."""

import sys

import click

from journal import layout
from journal.cli.options import root_option, run_argument, with_run
from journal.errors import Missing
from journal.stores import Found, ReadStore


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
    sys.stdout.buffer.write(with_run(root, run, _body))


def _body(store: ReadStore, run_id: str) -> bytes:
    found = store.get(layout.snapshot_key(run_id))
    if not isinstance(found, Found):
        raise Missing(f"run {run_id} has no metadata.json; `journal compact {run_id}` makes it")
    return found.body
