"""`journal tail RUN`."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, Final

import click
import orjson

from journal.cli import EXIT_DAMAGED
from journal.cli.lines import human_line
from journal.cli.options import complain, output_option, root_option, run_argument, with_run
from journal.events import CONTROL, HEARTBEAT, Record, check_type
from journal.stores import ReadStore
from readers.tail import Event, Tail
from readers.text import printable_json

_HIDDEN: Final = CONTROL | {HEARTBEAT}
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
@click.option("-t", "--type", "types", metavar="TYPES", help="Only these: a,b — or all but: !a,b")
@output_option("human", "json")
def command(
    run: str, root: str | None, *, follow: bool, lines: int, types: str | None, output: str
) -> int:
    """Show the last events of a run, and follow it.

    Heartbeats and control lines are hidden unless asked for with -t. With -o json each event is one
    line: the journal's own fields, run_id and stream.

    \b
    Examples:
      journal tail latest
      journal tail -f mistral-20250805-142652
      journal tail -n all -t error,file_skipped -o json latest
    """
    wanted = _filter(types)
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
    show = _json_line(run_id) if output == "json" else human_line
    out = sys.stdout.buffer
    for event in events:
        if wanted(event.record):
            out.write(show(event))
            if follow:
                out.flush()
    return EXIT_DAMAGED if tail.damaged else 0


def _filter(types: str | None) -> Callable[[Record], bool]:
    if types is None:
        return lambda record: record["type"] not in _HIDDEN
    names = [name.strip() for name in types.split(",") if name.strip()]
    without = {name.removeprefix("!") for name in names if name.startswith("!")}
    only = {name for name in names if not name.startswith("!")}
    if types.startswith("!"):
        without, only = without | only, set()  # `!a,b` is all but both
    for name in without | only:
        if name not in CONTROL:
            check_type(name)
    if only:
        return lambda record: record["type"] in only
    return lambda record: record["type"] not in without and record["type"] not in _HIDDEN


def _json_line(run_id: str) -> Callable[[Event], bytes]:
    """Return the form of an event for machines: its own bytes with run_id and stream behind."""
    tails: dict[str, bytes] = {}

    def line(event: Event) -> bytes:
        record, stream = event.record, event.stream
        if "run_id" in record or "stream" in record:
            line = orjson.dumps({**record, "run_id": run_id, "stream": stream}) + b"\n"
            return printable_json(line)
        if stream not in tails:
            tails[stream] = b"," + orjson.dumps({"run_id": run_id, "stream": stream})[1:] + b"\n"
        return printable_json(event.line.rstrip()[:-1] + tails[stream])

    return line
