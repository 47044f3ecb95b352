"""`journal status RUN`."""

from collections.abc import Iterator
from typing import Any

import click
import orjson

from journal.cli import EXIT_DAMAGED
from journal.cli.options import complain, output_option, root_option, with_run
from journal.clock import local, parse_stamp
from journal.words import size
from readers.status import Status
from readers.status import status as read_status
from readers.text import printable, printable_json

_SOURCES_SHOWN = 30


@click.command()
@click.argument("run", metavar="[RUN]", default="latest")
@root_option
@output_option("human", "json")
def command(run: str, root: str | None, output: str) -> int:
    """Say how a run stands: the verdict and why, then sources, ETA and errors.

    With -o json: the snapshot document with `state`, `health`, `liveness`, `progress_verdict` and
    `why` at its top level.

    \b
    Examples:
      journal status latest
      journal status mistral-20250805-142652 -o json | jq .why
    """
    status = with_run(root, run, read_status)
    for complaint in status.complaints:
        complain(complaint)
    if output == "json":
        click.echo(printable_json(orjson.dumps(as_json(status), option=orjson.OPT_INDENT_2)))
    else:
        for line in _lines(status):
            click.echo(printable(line))
    return EXIT_DAMAGED if status.is_damaged else 0


def as_json(status: Status) -> dict[str, Any]:
    """Return the document with the verdict on it, for machines."""
    verdict = status.verdict
    return {
        **status.document,
        "state": verdict.state,
        "health": verdict.health,
        "liveness": verdict.liveness,
        "progress_verdict": verdict.progress,
        "why": verdict.why,
    }


def _lines(status: Status) -> Iterator[str]:
    document, verdict = status.document, status.verdict
    yield f"{status.run_id}  {verdict.state}  {verdict.health}"
    yield f"  {verdict.why}"
    yield ""
    where = [document.get(key) for key in ("phase", "sub_phase", "current_operation")]
    yield "phase     " + " / ".join(str(name) for name in where if name)
    yield f"details   {document.get('details')}"
    if status.is_pruned:
        yield "events    pruned; this summary is what is left"
    yield from _times(document)
    errors = document.get("errors")
    if isinstance(errors, dict) and errors.get("count"):
        yield f"errors    {errors['count']}"
        for known in _mappings(errors.get("classes")):
            last = f"last {_time(known.get('last'))}: {known.get('message')}"
            yield f"          {known.get('count')} × {known.get('error')}, {last}"
    if document.get("dropped"):
        yield f"dropped   {document['dropped']} records could not be kept"
    yield from _sources(document.get("sources"))


def _times(document: dict[str, Any]) -> Iterator[str]:
    if document.get("start_time"):
        yield f"started   {_time(document['start_time'])}, attempt {document.get('attempt', 1)}"
    yield f"seen      {_time(document.get('last_update'))}"
    eta = document.get("eta")
    if isinstance(eta, dict):
        between = f"between {_time(eta.get('low'))} and {_time(eta.get('high'))}"
        yield f"ends      about {_time(eta.get('at'))}, {between}, by {eta.get('basis')}"


def _mappings(value: Any) -> list[dict[str, Any]]:
    """Take what a list of mappings has of them; the document may be another program's."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _sources(value: Any) -> Iterator[str]:
    sources = _mappings(value)
    if not sources:
        return
    yield ""
    hidden = len(sources) - _SOURCES_SHOWN
    if hidden > 0:
        yield f"({hidden} earlier sources are not shown)"
    rows = [_row(source) for source in sources[-_SOURCES_SHOWN:]]
    rows.insert(0, ("SOURCE", "SUB-PHASE", "STATE", "FILES", "BYTES", "ERRORS"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _row(source: dict[str, Any]) -> tuple[str, ...]:
    files, total = source.get("files"), source.get("files_total")
    moved, planned = source.get("bytes") or 0, source.get("bytes_total")
    return (
        printable(source.get("source")),
        printable(source.get("sub_phase")),
        str(source.get("state")),
        f"{files} of {total}" if total is not None else f"{files}",
        f"{size(moved)} of {size(planned)}" if planned is not None else size(moved),
        str(source.get("errors", 0)),
    )


def _time(text: Any) -> str:
    """Show a document's time in the local time zone, with its offset."""
    try:
        return local(parse_stamp(text)).isoformat(" ", "seconds")
    except (ValueError, TypeError, OverflowError):
        return str(text)
