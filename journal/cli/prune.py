"""`journal prune --older-than AGE [RUN…]`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import click

from journal.cli.document import print_document
from journal.cli.exits import complain, exit_code
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option
from journal.errors import JournalError, Missing, Refused
from journal.prune import Prospect, look, prune
from journal.stores import Store, connect, read_only
from journal.stores.probe import ensure_probed
from journal.words import duration, size
from readers.runs import parse_place, run_ids
from readers.text import printable

FORMAT: Final = 1

_AGE: Final = re.compile(r"(?=.)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?", re.ASCII)
_UNITS: Final = (86400.0, 3600.0, 60.0)

_Act = Callable[[Store, str], Prospect]


class _Age(click.ParamType[float]):
    name = "age"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        match = _AGE.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is no age; write it as 30d, 12h, 10m or 7d12h", param, ctx)
        parts = zip(match.groups("0"), _UNITS, strict=True)
        return sum(int(number) * unit for number, unit in parts)


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "--older-than",
    "age",
    type=_Age(),
    metavar="AGE",
    required=True,
    help="Time since the last write: 30d, 7d12h; 7d at least.",
)
@click.option("--yes", is_flag=True, help="Do it. Without this nothing is changed.")
@root_option
@output_option("human", "json")
def command(runs: tuple[str, ...], age: float, root: str | None, output: str, *, yes: bool) -> int:
    """Remove the events of runs that finished long ago: of the named ones, or of all.

    Shows what would be removed; with --yes removes it. A run's metadata.json and end marker stay,
    so `journal ls`, `journal status` and the old monitor still know how it ended; a tombstone for
    each of its streams stays, so its id is not used again. What was interrupted goes on with the
    same command.

    \b
    Examples:
      journal prune --older-than 30d
      journal prune --older-than 30d --yes --root s3://bucket/training-runs
      journal prune --older-than 7d mistral-20250805-142652 -o json
    """
    prospects: list[Prospect] = []
    code = 0
    for find_out in _each(runs, root, partial(_prune if yes else _look, age=age)):
        try:
            prospects.append(find_out())
        except JournalError as wrong:
            if isinstance(wrong, Missing) and not runs:
                continue  # another program's: there is no journal in it
            complain(str(wrong))
            code = max(code, exit_code(wrong))
            if isinstance(wrong, Refused):
                break  # the next one would be refused, too
        else:
            if output == "human" and (runs or prospects[-1].segments):
                click.echo(printable(_line(prospects[-1], is_done=yes)))
    else:
        click.echo(_sum(prospects, is_done=yes), err=True)
    if output == "json":
        document = {"version": FORMAT, "is_done": yes, "runs": [asdict(one) for one in prospects]}
        print_document(document)
    return code


def _each(runs: tuple[str, ...], root: str | None, act: _Act) -> Iterator[Callable[[], Prospect]]:
    """Yield for each run the call that acts on it."""
    for run in runs:
        yield partial(_named, root, run, act)
    if not runs:
        store = connect(root)
        for run_id in list(run_ids(store)):
            yield partial(act, store, run_id)


def _named(root: str | None, run: str, act: _Act) -> Prospect:
    store = connect(parse_place(root, run).root)
    return with_run(root, run, lambda _, run_id: act(store, run_id))


def _look(store: Store, run_id: str, *, age: float) -> Prospect:
    return look(read_only(store), run_id, age)


def _prune(store: Store, run_id: str, *, age: float) -> Prospect:
    ensure_probed(store)
    return prune(store, run_id, age)


def _line(prospect: Prospect, *, is_done: bool) -> str:
    amount = _amount([prospect])
    if prospect.why_kept is not None:
        told = f"stays: {prospect.why_kept} ({amount})"
    elif not prospect.segments:
        told = "was pruned before"
    else:
        verb = "pruned" if is_done else "to prune"
        since = "begun before" if prospect.is_begun else f"{duration(prospect.age_seconds)} old"
        told = f"{verb}: {amount}, {since}"
    return f"{prospect.run_id:<36} {told}"


def _sum(prospects: list[Prospect], *, is_done: bool) -> str:
    meant = [one for one in prospects if one.why_kept is None and one.segments]
    told = "pruned" if is_done else "to prune; nothing was changed, say --yes to do it"
    return f"journal: {_count(len(meant), 'run')}, {_amount(meant)} {told}"


def _amount(prospects: list[Prospect]) -> str:
    segments = _count(sum(one.segments for one in prospects), "segment")
    return f"{segments}, {size(sum(one.bytes for one in prospects))}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
