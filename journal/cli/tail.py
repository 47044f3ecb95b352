"""`journal tail RUN`."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, Final

import click

from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.lines import LINES, form_of, types_option, wanted_types
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option, run_argument
from journal.events import Record
from journal.stores import ReadStore
from readers.event import Event
from readers.tail import Tail

_ALL: Final = -1


class _Count(click.ParamType[int]):
    name = "count"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if value == "all":
            return _ALL
        try:
            number = int(value)
        except ValueError:
            number = -1
        if number < 0:
            self.fail(f"{value!r} is neither a number nor `all`", param, ctx)
        return number


@click.command()
@run_argument
@root_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option("-n", "--lines", type=_Count(), metavar="N|all", default="10", show_default=True)
@types_option
@output_option(*LINES)
def command(
    run: str, root: str | None, *, follow: bool, lines: int, types: str | None, output: str
) -> int:
    """Show the last events of a run, and follow it.

    Heartbeats and control lines are hidden unless asked for with -t. With -o json each event is one
    line: the journal's own fields, run_id and stream; with -o raw its bytes as they are stored.

    \b
    Examples:
      journal tail latest
      journal tail -f mistral-20250805-142652
      journal tail -n all -t error,file_skipped -o json latest
    """
    wanted = wanted_types(types)
    show_events = partial(_show, lines=lines, follow=follow, wanted=wanted, output=output)
    return with_run(root, run, show_events)


def _show(
    store: ReadStore,
    run_id: str,
    *,
    lines: int,
    follow: bool,
    wanted: Callable[[Record], bool],
    output: str,
) -> int:
    tail = Tail(store, run_id, complain)
    events: Iterator[Event] = tail.everything() if lines == _ALL else tail.last(lines, wanted)
    if follow:
        events = chain(events, tail.follow())
    show = form_of(output, run_id)
    out = sys.stdout.buffer
    for event in events:
        if wanted(event.record):
            out.write(show(event))
            if follow:
                out.flush()
    return EXIT_DAMAGED if tail.damaged else 0
