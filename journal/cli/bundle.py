"""`journal bundle RUN`."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import click
import orjson

from journal import __version__, layout
from journal.cli.document import encoded
from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.explain_lines import explain_lines
from journal.cli.lines import Style, form_of
from journal.cli.meant import with_run
from journal.cli.options import root_option, run_argument_or_latest
from journal.cli.replay import verified_as_json
from journal.cli.status_lines import StatusLines
from journal.cli.terminal import PIPE
from journal.cli.when import time_form
from journal.cli.whole_file import whole_file
from journal.clock import now
from journal.redaction import Redaction
from journal.stores import Found, ReadStore
from readers.postmortem import postmortem
from readers.selection import Selection
from readers.status import Status, status
from readers.tail import Tail
from readers.text import printable_bytes
from readers.verify import verify


@click.command()
@run_argument_or_latest
@root_option
@click.option("--to", metavar="FILE", help="Where to; by default RUN.zip in this directory.")
@click.option(
    "--redact", "secrets", multiple=True, metavar="WORD", help="Hide this too: a name, or /regex/."
)
def command(run: str, root: str | None, to: str | None, secrets: tuple[str, ...]) -> int:
    """Put all there is to know of a run into one file for a ticket.

    A zip with events.ndjson (`journal replay` shows it), metadata.json, status.txt, explain.txt and
    verify.json. What looks like a secret is hidden once more. A file that exists is not touched.

    \b
    Examples:
      journal bundle mistral-20250805-142652
      journal bundle latest --to ticket-4711.zip --redact customer
    """
    redaction = Redaction(secrets)
    return with_run(root, run, lambda store, run_id: _bundle(store, run_id, to, redaction))


def _bundle(store: ReadStore, run_id: str, to: str | None, redaction: Redaction) -> int:
    found = status(store, run_id)  # who has no such run gets no file
    path = Path(to if to is not None else f"{run_id}.zip")
    tail = Tail(store, run_id, complain)
    if path.exists():
        raise ValueError(f"{path} exists; name another file with --to")
    with whole_file(path) as half, ZipFile(half, "w", ZIP_DEFLATED) as bundle:
        for name, lines in chain(_parts(store, run_id, tail), [_status(found)]):
            with bundle.open(name, "w", force_zip64=True) as out:
                for line in lines:
                    text = redaction.text(line.decode("utf-8", "backslashreplace"))
                    out.write(text.encode())
    click.echo(f"{path}")
    return EXIT_DAMAGED if tail.damaged or found.is_damaged else 0


def _status(found: Status) -> tuple[str, Iterable[bytes]]:
    return "status.txt", map(_encoded, StatusLines(PIPE, utc=True).of(found))


def _parts(store: ReadStore, run_id: str, tail: Tail) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield the name and the lines of each file."""
    form = form_of("json", Selection(level="debug").wanted(), Style())
    yield "events.ndjson", _lines(form(batch) for batch in tail.batches())
    stored = store.get(layout.snapshot_key(run_id))
    if isinstance(stored, Found):
        yield "metadata.json", _lines([printable_bytes(stored.body)])
    history = chain.from_iterable(Tail(store, run_id).batches())
    told = postmortem(run_id, history, now())
    yield "explain.txt", map(_encoded, explain_lines(told, time_form(utc=True)))
    done = {"journal": __version__, **verified_as_json(verify(store, run_id))}
    yield "verify.json", _lines([encoded(done, orjson.OPT_INDENT_2)])


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from part.splitlines(keepends=True)


def _encoded(line: str) -> bytes:
    return f"{line}\n".encode()
