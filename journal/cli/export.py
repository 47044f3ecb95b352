"""`journal export RUN`."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from pathlib import Path, PurePath
from typing import IO, Any, Final

import click

from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.lines import Style, form_of, types_option
from journal.cli.meant import with_run
from journal.cli.options import root_option, run_argument
from journal.cli.when import span
from journal.cli.whole_file import whole_file
from journal.clock import StampReader, stamp
from journal.stores import ReadStore
from readers.event import Event
from readers.frames import COLUMNS, row, write_parquet
from readers.selection import Selection, Wanted
from readers.tail import Tail
from readers.text import printable

_FORMS: Final = ("ndjson", "csv", "parquet")
_TS: Final = COLUMNS.index("ts")


@click.command()
@run_argument
@root_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(_FORMS),
    help="As --to ends, or ndjson, which loses nothing; the others have columns.",
)
@click.option(
    "--to",
    metavar="FILE",
    help="Where to, not stdout; .gz, .bz2 and .xz are compressed, s3:// works, too.",
)
@click.option("-S", "--since", metavar="TIME", help="From then: 10m, 1h30m, HH:MM, ISO 8601.")
@click.option("-U", "--until", metavar="TIME", help="Up to then.")
@types_option
def command(run: str, root: str | None, **options: Any) -> int:
    """Write the whole history of a run to a file: heartbeats and control lines too.

    `journal replay FILE` shows it again, without the store it came from. parquet needs one of the
    extras `polars` and `duckdb`, and --to.

    \b
    Examples:
      journal export latest --to run.ndjson.gz
      journal export latest -o csv -t file_done > files.csv
      journal export mistral-20250805-142652 --to run.parquet
    """
    options["output"] = options["output"] or _form_of(options["to"])
    if options["output"] == "parquet" and options["to"] is None:
        raise click.UsageError("parquet goes into a file: name it with --to")
    if options["output"] == "parquet" and "://" in options["to"]:
        raise click.UsageError("parquet goes into a file of this machine")
    return with_run(root, run, lambda store, run_id: _export(store, run_id, options))


def _form_of(to: str | None) -> str:
    """Return the form that a file's name asks for, compressed or not."""
    suffixes = [] if to is None else PurePath(to).suffixes[-2:]
    return next((form for form in _FORMS if f".{form}" in suffixes), _FORMS[0])


def _export(store: ReadStore, run_id: str, options: dict[str, Any]) -> int:
    since, until = span(options)
    types = options["types"]
    selection = Selection(types, level=None if types else "debug", since=since, until=until)
    wanted, tail = selection.wanted(), Tail(store, run_id, complain)
    batches = tail.batches() if since is None else tail.since(stamp(since))
    if options["output"] == "parquet":
        with whole_file(Path(options["to"])) as half:
            write_parquet((one for batch in batches for one in batch if wanted(one)), str(half))
        return EXIT_DAMAGED if tail.damaged else 0
    # A run that is not there must not leave an empty file.
    first = next(batches, ())
    with _opened(options["to"]) as out:
        write = _ndjson if options["output"] == "ndjson" else _csv
        write(out, chain((first,), batches), wanted)
    return EXIT_DAMAGED if tail.damaged else 0


@contextmanager
def _opened(to: str | None) -> Iterator[IO[bytes]]:
    if to is None:
        yield sys.stdout.buffer
        return
    import smart_open  # noqa: PLC0415 - only for files

    # An upload that an error interrupts is given up by smart_open itself.
    place: AbstractContextManager[str | Path] = (
        nullcontext(to) if "://" in to else whole_file(Path(to))
    )
    try:
        with place as target, smart_open.open(target, "wb") as out:
            yield out
    except ImportError as lacking:
        raise ValueError(f"{to}: {lacking}") from lacking


def _ndjson(out: IO[bytes], batches: Iterable[Sequence[Event]], wanted: Wanted) -> None:
    form = form_of("json", wanted, Style())
    for batch in batches:
        out.write(form(batch))


def _csv(out: IO[bytes], batches: Iterable[Sequence[Event]], wanted: Wanted) -> None:
    text, read = io.StringIO(newline=""), StampReader()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for batch in batches:
        for event in batch:
            if wanted(event):
                cells = [_cell(value) for value in row(event, read)]
                cells[_TS] = printable(event.record["ts"])
                table.writerow(cells)
        out.write(text.getvalue().encode("utf-8", "backslashreplace"))
        text.seek(0)
        text.truncate()
    out.write(text.getvalue().encode())


def _cell(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value
