"""Options that every command has, and the store they name."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from journal import layout
from journal.errors import Missing
from journal.stores import ReadStore, connect, read_only
from readers.runs import find, latest, parse_place
from readers.text import printable

Answer = TypeVar("Answer")

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


def with_run(root: str | None, run: str, act: Callable[[ReadStore, str], Answer]) -> Answer:
    """Call `act` with the store to read and the id of the run that was meant.

    A whole id is tried as it is, which spares a request; only if there is no such run is it taken
    for the beginning of one.
    """
    place = parse_place(root, run)
    store = read_only(connect(place.root))
    if place.run == "latest":
        return act(store, latest(store))
    run_id = layout.check_name("run id", place.run)
    try:
        return act(store, run_id)
    except Missing:
        meant = find(store, run_id)
        if meant == run_id:
            raise
        return act(store, meant)


def complain(line: str) -> None:
    """Print a line about what is wrong with the data or the store."""
    click.echo(f"journal: {printable(line)}", err=True)
