"""`journal status RUN`."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import click
import orjson

from journal.cli.as_legacy import show
from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option
from journal.clock import local, monotonic, parse_stamp
from journal.errors import Unavailable
from journal.health import unreachable
from journal.limits import CLOCK_SLACK_SECONDS, COUNT_MAX
from journal.words import duration, size
from readers.legacy import STALE_SECONDS
from readers.status import Status
from readers.status import status as read_status
from readers.text import printable, printable_json

_SOURCES_SHOWN = 30


@click.command()
@click.argument("run", metavar="[RUN]", default="latest")
@root_option
@output_option("human", "json")
@click.option("--as-legacy", is_flag=True, help="Say what the old monitor would say, and why.")
@click.option(
    "--stale-minutes",
    type=click.FloatRange(0, min_open=True),
    help="With --as-legacy: how old a heartbeat may be. Default: 10, as the monitor's.",
)
def command(
    run: str, root: str | None, output: str, *, as_legacy: bool, stale_minutes: float | None
) -> int:
    """Say how a run stands: the verdict and why, then sources, ETA and errors.

    With -o json: the snapshot document with `state`, `health`, `liveness`, `progress_verdict` and
    `why` at its top level.

    \b
    Examples:
      journal status latest
      journal status mistral-20250805-142652 -o json | jq .why
      journal status latest --as-legacy
    """
    if stale_minutes is not None and not math.isfinite(stale_minutes):
        raise click.BadParameter("it is no number of minutes", param_hint="--stale-minutes")
    if stale_minutes is not None and not as_legacy:
        raise click.UsageError("--stale-minutes goes with --as-legacy")
    if as_legacy:
        minutes = STALE_SECONDS / 60 if stale_minutes is None else stale_minutes
        return with_run(root, run, partial(show, stale_minutes=minutes, output=output))
    began = monotonic()
    try:
        status = with_run(root, run, read_status)
    except Unavailable as failed:
        why = unreachable(None, began, monotonic()).why
        raise Unavailable(f"whether run {run} lives is {why} ({failed})") from failed
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
    yield from _times(document, status.store_time)
    yield from _watched(document, is_over=verdict.liveness is None)
    errors = document.get("errors")
    if isinstance(errors, dict) and errors.get("count"):
        yield f"errors    {errors['count']}"
        for known in _mappings(errors.get("classes")):
            last = f"last {_time(known.get('last'))}: {known.get('message')}"
            yield f"          {known.get('count')} × {known.get('error')}, {last}"
    if document.get("dropped"):
        yield f"dropped   {document['dropped']} records could not be kept"
    yield from _score(document.get("eta_score"))
    yield from _phases(document.get("phases"))
    yield from _sources(document.get("sources"))


def _times(document: dict[str, Any], store_time: float) -> Iterator[str]:
    if document.get("start_time"):
        yield f"started   {_time(document['start_time'])}, attempt {document.get('attempt', 1)}"
    yield f"seen      {_time(document.get('last_update'))}"
    eta = document.get("eta")
    if isinstance(eta, dict):
        between = f"between {_time(eta.get('low'))} and {_time(eta.get('high'))}"
        left = _instant(eta.get("at"))
        soon = "" if left is None else f" (in {duration(max(0.0, left - store_time))})"
        yield f"ends      about {_time(eta.get('at'))}{soon}, {between}, by {eta.get('basis')}"


def _watched(document: dict[str, Any], *, is_over: bool) -> Iterator[str]:
    """Say what a run at work is judged by: its host, how its clock is set, when it has stalled."""
    vitals = document.get("vitals")
    if is_over or not isinstance(vitals, dict):
        return
    if vitals.get("host"):
        yield f"host      {vitals['host']}, pid {vitals.get('pid')}{_clock(vitals)}"
    limit = _number(vitals.get("stall_after_seconds"))
    if limit is not None:
        reason = vitals.get("stall_limit")
        because = f" ({reason})" if reason else ""
        yield f"stalled   after {duration(limit)} without work{because}"


def _clock(vitals: dict[str, Any]) -> str:
    offset = _number(vitals.get("clock_offset"))
    if offset is None:
        return ""
    if abs(offset) <= CLOCK_SLACK_SECONDS:
        return ", its clock as the store's"
    way = "behind" if offset > 0 else "ahead of"
    return f", its clock {duration(abs(offset))} {way} the store's"


def _score(value: Any) -> Iterator[str]:
    """Hold what was said of the end while the run went on against what came true."""
    for said in _mappings(value):
        real, predicted = _instant(said.get("real")), _instant(said.get("predicted"))
        low, high = _instant(said.get("low")), _instant(said.get("high"))
        share = _number(said.get("fraction"))
        if real is None or predicted is None or share is None:
            continue
        off = predicted - real
        told = f"{duration(abs(off))} too {'late' if off > 0 else 'early'}" if off else "exact"
        inside = low is not None and high is not None and low <= real <= high
        bounds = "within its interval" if inside else "outside its interval"
        yield f"predicted {_time(said.get('predicted'))} at {share:4.0%}: {told}, {bounds}"


def _phases(value: Any) -> Iterator[str]:
    """Show the sub-phases, if there are several."""
    phases = _mappings(value)
    if len(phases) < 2:
        return
    yield ""
    head = ("SUB-PHASE", "STATE", "SOURCES DONE", "ENDS")
    yield from _table(head, [_phase_row(phase) for phase in phases[-_SOURCES_SHOWN:]], left=2)


def _phase_row(phase: dict[str, Any]) -> tuple[str, ...]:
    done = f"{phase.get('sources_completed')} of {phase.get('sources')}"
    name, state = (printable(phase.get(key)) for key in ("sub_phase", "state"))
    return name, state, done, _ends(phase)


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
    head = ("SOURCE", "SUB-PHASE", "STATE", "FILES", "BYTES", "ERRORS", "ENDS")
    yield from _table(head, [_row(source) for source in sources[-_SOURCES_SHOWN:]], left=3)
    if any(source.get("totals_grow") for source in sources[-_SOURCES_SHOWN:]):
        yield "+: more came than was said; the total is what is known so far"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], *, left: int) -> Iterator[str]:
    """Lay out rows under their heads, the first `left` columns flush left; empty ends are cut."""
    rows = [head, *rows]
    if not any(row[-1] for row in rows[1:]):
        rows = [row[:-1] for row in rows]  # nobody has said anything there
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _row(source: dict[str, Any]) -> tuple[str, ...]:
    files, total = source.get("files"), source.get("files_total")
    moved, planned = source.get("bytes") or 0, source.get("bytes_total")
    grows = "+" if source.get("totals_grow") else ""
    return (
        printable(source.get("source")),
        printable(source.get("sub_phase")),
        str(source.get("state")),
        f"{files} of {total}{grows}" if total is not None else f"{files}",
        f"{size(moved)} of {size(planned)}{grows}" if planned is not None else size(moved),
        str(source.get("errors", 0)),
        _ends(source),
    )


def _ends(item: dict[str, Any]) -> str:
    """Return when a source or sub-phase will be done, to the minute, nothing if nobody knows."""
    eta = item.get("eta")
    return _shown(eta.get("at"), "minutes", "") if isinstance(eta, dict) else ""


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) <= COUNT_MAX else None


def _instant(text: Any) -> float | None:
    try:
        return parse_stamp(text)
    except (ValueError, TypeError, OverflowError):
        return None


def _time(text: Any) -> str:
    """Show a document's time in the local time zone, with its offset."""
    return _shown(text, "seconds", str(text))


def _shown(text: Any, to: str, default: str) -> str:
    try:
        return local(parse_stamp(text)).isoformat(" ", to)
    except (ValueError, TypeError, OverflowError):
        return default
