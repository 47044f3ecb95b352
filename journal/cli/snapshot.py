"""`journal snapshot RUN`."""

import sys

import click

from journal import layout
from journal.cli.meant import with_run
from journal.cli.options import root_option, run_argument
from journal.errors import Missing
from journal.stores import Found, ReadStore
from readers.text import printable_bytes


@click.command()
@run_argument
@root_option
def command(run: str, root: str | None) -> None:
    """Print a run's metadata.json, byte for byte as it lies there.

    On a terminal, characters that could act on it are shown as their escapes.

    \b
    Examples:
      journal snapshot latest
      journal snapshot mistral-20250805-142652 | jq .progress
    """
    body = with_run(root, run, _body)
    # A terminal is no place for whatever bytes somebody left there.
    sys.stdout.buffer.write(printable_bytes(body) if sys.stdout.isatty() else body)


def _body(store: ReadStore, run_id: str) -> bytes:
    found = store.get(layout.snapshot_key(run_id))
    if not isinstance(found, Found):
        raise Missing(f"run {run_id} has no metadata.json; `journal compact {run_id}` makes it")
    return found.body
