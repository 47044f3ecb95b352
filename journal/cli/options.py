"""Options that every command has, and the store they name."""

from collections.abc import Callable
from typing import Any

import click

from journal.stores import ReadStore, Store, connect, read_only
from readers.runs import find, parse_place
from readers.text import printable

root_option = click.option(
    "--root", metavar="URL", help="Where runs lie: s3://bucket/prefix, file://… or a directory."
)

run_argument = click.argument("run", metavar="RUN")


def output_option(*kinds: str) -> Callable[[Any], Any]:
    """Return the option `-o`, and `--json` for short; the first kind is the default."""

    def decorate(function: Any) -> Any:
        short = click.option(
            "--json", "output", flag_value="json", default=False, help="Short for -o json."
        )
        long = click.option(
            "-o",
            "--output",
            "output",
            type=click.Choice(kinds),
            default=kinds[0],
            show_default=True,
            help="What to print.",
        )
        return short(long(function))

    return decorate


def open_run(root: str | None, run: str) -> tuple[ReadStore, str]:
    """Return the store to read and the id of the run that was meant."""
    place = parse_place(root, run)
    store = read_only(connect(place.root))
    return store, find(store, place.run)


def open_store(root: str | None) -> Store:
    """Return the store to write."""
    return connect(root)


def complain(line: str) -> None:
    """Print a line about what is wrong with the data or the store."""
    click.echo(f"journal: {printable(line)}", err=True)
