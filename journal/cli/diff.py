"""`journal diff A B`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import click

from journal.cli.document import print_document
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option
from journal.cli.pager import no_pager_option, paged
from journal.cli.runs_completed import runs_completed
from journal.cli.terminal import Terminal, color_option, table, terminal
from journal.words import duration, size
from readers.comparison import Comparison, Difference, Side, compare
from readers.status import Status, status
from readers.text import printable

_VERSION: Final = 1  # of what -o json prints
_LIKE: Final = 1.0  # seconds that make no difference


@click.command()
@click.argument("a", metavar="A", shell_complete=runs_completed)
@click.argument("b", metavar="B", shell_complete=runs_completed)
@root_option
@color_option
@no_pager_option
@output_option("human", "json")
def command(a: str, b: str, root: str | None, *, color: str, no_pager: bool, output: str) -> int:
    """Compare two runs: times, sources, throughput, errors; what made most difference first.

    \b
    Examples:
      journal diff mistral-20250805-142652 latest
      journal diff mistral-20250804-020000 mistral-20250805-020000 -o json
    """
    one, other = (with_run(root, run, status) for run in (a, b))
    found = compare(one, other)
    if output == "json":
        shown = {"v": _VERSION, "a": one.run_id, "b": other.run_id, **_as_json(found)}
        print_document(shown)
        return 0
    screen = terminal(color)
    with paged(screen, wanted=not no_pager) as page:
        for line in _lines(one, other, found, screen):
            page.say(line)
    return 0


def _as_json(found: Comparison) -> dict[str, Any]:
    return {
        "whole": {**asdict(found.whole), "seconds": found.whole.seconds},
        "sources": [{**asdict(one), "seconds": one.seconds} for one in found.sources],
        "fields": {name: {"a": a, "b": b} for name, (a, b) in found.fields.items()},
        "errors": {name: {"a": a, "b": b} for name, (a, b) in found.errors.items()},
    }


def _lines(one: Status, other: Status, found: Comparison, screen: Terminal) -> Iterator[str]:
    for letter, run in (("A", one), ("B", other)):
        yield screen.styled(printable(f"{letter}  {run.run_id}  {run.verdict.state}"), "strong")
    yield f"B took {_longer(found.whole)}"
    yield ""
    head = ("", "A", "B", "LONGER", "FILES A", "FILES B", "RATE A", "RATE B")
    rows = [_row(each) for each in (found.whole, *found.sources)]
    yield from table(head, rows, left=1, columns=screen.columns)
    if found.fields or found.errors:
        yield ""
        pairs = [(name, _plain(a), _plain(b)) for name, (a, b) in found.fields.items()]
        counts = [(printable(name), str(a), str(b)) for name, (a, b) in found.errors.items()]
        differing = [*pairs, *counts]
        yield from table(("DIFFERENT", "A", "B"), differing, left=3, columns=screen.columns)


def _longer(found: Difference) -> str:
    a, b = (side.seconds if side is not None else None for side in (found.a, found.b))
    if a is None or b is None:
        return "nobody knows how much longer"
    times = f" ({b / a:.2f} times)" if a else ""
    if abs(b - a) < _LIKE:
        return "as long as A"
    return f"{duration(abs(b - a))} {'longer' if b > a else 'less'} than A{times}"


def _row(one: Difference) -> tuple[str, ...]:
    longer = duration(abs(one.seconds))
    if round(one.seconds):
        longer = f"{'+' if one.seconds > 0 else '-'}{longer}"
    sides = (one.a, one.b)
    return (
        printable(one.name),
        *(_time(side) for side in sides),
        longer,
        *("-" if side is None else f"{side.files:,}" for side in sides),
        *(_rate(side) for side in sides),
    )


def _time(side: Side | None) -> str:
    return "-" if side is None or side.seconds is None else duration(side.seconds)


def _rate(side: Side | None) -> str:
    return "-" if side is None or side.rate is None else f"{size(side.rate)}/s"


def _plain(value: Any) -> str:
    return "-" if value is None else printable(value)
