"""Options that several commands have."""

from collections.abc import Callable
from typing import Any

import click

from journal.cli.runs_completed import runs_completed

root_option = click.option(
    "--root", metavar="URL", help="Where runs lie: s3://bucket/prefix, file://… or a directory."
)

run_argument = click.argument("run", metavar="RUN", shell_complete=runs_completed)
run_argument_or_latest = click.argument(
    "run", metavar="[RUN]", default="latest", shell_complete=runs_completed
)


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
