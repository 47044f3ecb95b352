"""`journal tune JOB`."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import click
import orjson

from journal.cli.document import print_document
from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.options import output_option, root_option
from journal.stores import connect, read_only
from journal.words import duration
from readers.past import tune
from readers.text import printable
from readers.tuning import DEFAULT, Findings, Place, Tally, Tuning, middle

_VERSION: Final = 1  # of what `-o json` prints
_HEAD: Final = ("LIMIT", "FALSE", "TRUE", "OPEN", "BEFORE THE END", "BEFORE THE DEFAULT")


@click.command()
@click.argument("job", metavar="JOB")
@root_option
@click.option("-n", "--lines", type=click.IntRange(1), default=20, show_default=True, help="Runs.")
@output_option("human", "json")
def command(job: str, root: str | None, lines: int, output: str) -> int:
    """Replay earlier runs of JOB against other stall limits, and say which would have served.

    For each limit: how many false alarms it would have given (a stall was called, and work came
    again or the run was completed), how many true ones (no work came any more: failed, aborted,
    killed or lost), how many that nobody can judge, and how long before the end of the run, and
    before the default limit, the true ones would have come (the median). Then the lines to paste:
    for each sub-phase the shortest limit that gave no false alarm.

    \b
    Examples:
      journal tune prepare_dataset
      journal tune prepare_dataset -n 50 --root s3://bucket/training-runs
      journal tune prepare_dataset -o json | jq .lines
    """
    left_out: list[dict[str, Any]] = []

    def leave_out(run_id: str, why: str, is_damaged: bool) -> None:
        left_out.append({"run_id": run_id, "why": why, "damaged": is_damaged})
        complain(f"{run_id} is left out: {why}")

    tuning = tune(read_only(connect(root)), job, lines, leave_out)
    if output == "json":
        told = {"v": _VERSION, "job": job, **_as_json(tuning), "left_out": left_out}
        print_document(told)
    else:
        for line in _lines(job, tuning):
            click.echo(printable(line))
    return EXIT_DAMAGED if any(one["damaged"] for one in left_out) else 0


def _as_json(tuning: Tuning) -> dict[str, Any]:
    return {
        "runs": [{"run_id": run_id, "ended": ended} for run_id, ended in tuning.runs.items()],
        **_findings(tuning, tuning.total()),
        "sub_phases": [
            {"phase": place[0], "sub_phase": place[1], **_findings(tuning, findings)}
            for place, findings in tuning.places.items()
        ],
        "lines": [line for line, _ in _to_paste(tuning)],
    }


def _findings(tuning: Tuning, findings: Findings) -> dict[str, Any]:
    return {
        "recommended_seconds": tuning.recommended(findings),
        "longest_pause_seconds": round(findings.longest_pause, 1) or None,
        "limits": [
            {
                "limit": "default" if limit is DEFAULT else _text(limit),
                "seconds": limit,
                "false_alarms": tally.false_alarms,
                "true_alarms": tally.true_alarms,
                "open_alarms": tally.open_alarms,
                "before_end_seconds": _rounded(middle(tally.before_end)),
                "before_default_seconds": _rounded(middle(tally.before_default)),
            }
            for limit, tally in zip(tuning.limits, findings.tallies, strict=True)
        ],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _lines(job: str, tuning: Tuning) -> Iterator[str]:
    ends = Counter(tuning.runs.values())
    told = ", ".join(f"{count} {ended}" for ended, count in sorted(ends.items()))
    yield f"job {job}: {len(tuning.runs)} runs{f' ({told})' if told else ''}"
    if not tuning.runs:
        return
    total = tuning.total()
    yield ""
    rows = [_HEAD, *map(_row, tuning.limits, total.tallies)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"{row[0]:<{widths[0]}}  {'  '.join(cells)}"
    yield ""
    yield "the shortest limit without a false alarm:"
    for line, remark in _to_paste(tuning):
        yield f"  {line}  # {remark}"


def _row(limit: float | None, tally: Tally) -> tuple[str, ...]:
    counts = (tally.false_alarms, tally.true_alarms, tally.open_alarms)
    times = map(middle, (tally.before_end, tally.before_default))
    return (
        "default" if limit is DEFAULT else duration(limit),
        *map(str, counts),
        *map(_ahead, times),
    )


def _ahead(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{duration(-seconds)} after" if seconds < 0 else duration(seconds)


def _to_paste(tuning: Tuning) -> Iterator[tuple[str, str]]:
    """Yield a line for each sub-phase of a preparation script, and what it rests on."""
    for place, findings in tuning.places.items():
        limit = tuning.recommended(findings)
        yield _line(place, limit), _remark(limit, findings.longest_pause)


def _line(place: Place, limit: float | None) -> str:
    names = [orjson.dumps(name).decode() for name in place if name] or ["PHASE"]
    declared = f'stall_after="{_text(limit)}"' if limit is not None else ""
    return f"run.phase({', '.join(filter(None, (*names, declared)))})"


def _remark(limit: float | None, pause: float) -> str:
    if not pause:
        return "no pause that any of these limits noticed"
    told = f"the longest pause that work followed: {duration(pause)}"
    return told if limit is not None else f"each of these limits gave a false alarm; {told}"


def _text(seconds: float) -> str:
    return f"{seconds / 60:.0f}m"
