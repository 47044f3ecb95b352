"""`journal ls`."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, get_args

import click

from journal import layout
from journal.cli.document import print_document
from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.options import output_option, root_option
from journal.cli.pager import no_pager_option, paged
from journal.cli.status_lines import signed
from journal.cli.terminal import Terminal, color_option, table, terminal
from journal.cli.when import instant, time_form, utc_option
from journal.clock import now, parse_stamp
from journal.errors import Corrupt, Missing
from journal.health import State
from journal.stores import ReadStore, connect, read_only
from journal.words import duration
from readers.runs import begun_since, job_runs, run_ids
from readers.status import Status, glance
from readers.text import printable

_STATES: Final = get_args(State)
_HEAD: Final = ("RUN", "STATE", "HEALTH", "PROGRESS", "STARTED", "TOOK", "ENDS", "DETAILS")


@click.command()
@root_option
@click.option("-n", "--lines", type=click.IntRange(1), default=20, show_default=True, help="Runs.")
@click.option("--job", metavar="JOB", help="Only the runs of a job.")
@click.option("-S", "--since", metavar="TIME", help="Only what began since: 7d, HH:MM, ISO 8601.")
@click.option("--state", "states", metavar="STATES", help=f"Only these: {', '.join(_STATES)}.")
@color_option
@utc_option
@no_pager_option
@output_option("human", "json")
def command(root: str | None, **options: Any) -> int:
    """List runs, newest first, with state, health, progress and ETA.

    It costs one page of a listing and one request for each row; a run that does not look well by
    its snapshot is looked at more closely. With --state, runs are looked at until there are -n.

    \b
    Examples:
      journal ls
      journal ls --job mistral --since 7d --state failed,aborted
      journal ls -n 100 -o json --root s3://bucket/training-runs
    """
    states = _states(options["states"])
    store = read_only(connect(root))
    looked = _Looked(store)
    found = (one for one in looked.at(_ids(store, options)) if one.verdict.state in states)
    rows = list(islice(found, options["lines"]))
    if options["output"] == "json":
        print_document([_as_json(row) for row in rows])
        return looked.code
    screen = terminal(options["color"])
    time = time_form(utc=options["utc"], to="minutes")
    if rows:
        cells = [_row(row, screen, time) for row in rows]
        with paged(screen, wanted=not options["no_pager"]) as page:
            for line in table(_HEAD, cells, left=len(_HEAD), columns=screen.columns):
                page.say(line)
    else:
        complain("no such run under this root" if _is_choice(options) else "no run yet here")
    return looked.code


def _ids(store: ReadStore, options: dict[str, Any]) -> Iterator[str]:
    since, job = options["since"], options["job"]
    at = None if since is None else instant(since, now())
    if at is not None:
        return begun_since(store, at, job)
    return run_ids(store) if job is None else job_runs(store, layout.check_name("job", job))


def _states(text: str | None) -> frozenset[str]:
    chosen = frozenset(_STATES if text is None else (part.strip() for part in text.split(",")))
    if unknown := chosen.difference(_STATES):
        raise click.BadParameter(
            f"{min(unknown)!a} is none of {', '.join(_STATES)}", param_hint="--state"
        )
    return chosen


def _is_choice(options: dict[str, Any]) -> bool:
    return any(options[name] for name in ("job", "since", "states"))


class _Looked:
    """Looks at runs one after another; what cannot be shown is said, and is in the exit code."""

    def __init__(self, store: ReadStore) -> None:
        self._store = store
        self.code = 0

    def at(self, ids: Iterator[str]) -> Iterator[Status]:
        for run_id in ids:
            try:
                found = glance(self._store, run_id)
            except Missing:
                complain(f"{run_id}: neither metadata.json nor a journal, left out")
            except Corrupt as damage:
                complain(f"{damage}; left out")
                self.code = EXIT_DAMAGED
            else:
                if found.is_damaged:
                    complain(f"{run_id}: {found.complaints[0]}")
                    self.code = EXIT_DAMAGED
                yield found


def _row(found: Status, screen: Terminal, time: Callable[[Any], str]) -> tuple[str, ...]:
    document = found.document
    eta = _ends(document)
    return (
        printable(found.run_id),
        found.verdict.state,
        signed(found.verdict.health, screen),
        _progress(document),
        "-" if document.get("start_time") is None else printable(time(document["start_time"])),
        _took(found),
        "-" if eta is None or found.verdict.liveness is None else printable(time(eta)),
        printable(document.get("details") or ""),
    )


def _progress(document: dict[str, Any]) -> str:
    """Return what is done: sources, of as many as anybody knows of, and files."""
    told = document.get("progress")
    known = told if isinstance(told, dict) else {}
    done, seen, planned, files = (
        value if type(value := known.get(name)) is int else 0
        for name in ("sources_completed", "sources_seen", "policy_sources_total", "files_done")
    )
    total = max(seen, planned)
    words = [f"{done:,} of {total:,} source{'' if total == 1 else 's'}"] if total else []
    words += [f"{files:,} file{'' if files == 1 else 's'}"] if files else []
    return ", ".join(words) or "-"


def _took(found: Status) -> str:
    """Return for how long a run has been there, or was."""
    document = found.document
    finished = document.get("finished")
    ended: Any = finished.get("at") if isinstance(finished, dict) else None
    try:
        start = parse_stamp(document["start_time"])
        end = found.store_time if ended is None else parse_stamp(ended)
    except (KeyError, ValueError, TypeError, OverflowError):
        return "-"
    return duration(max(0.0, end - start))


def _ends(document: dict[str, Any]) -> Any:
    progress = document.get("progress")
    return progress.get("estimated_completion") if isinstance(progress, dict) else None


def _as_json(found: Status) -> dict[str, Any]:
    document = found.document
    progress = document.get("progress")
    return {
        "run_id": found.run_id,
        "state": found.verdict.state,
        "health": found.verdict.health,
        "liveness": found.verdict.liveness,
        "progress_verdict": found.verdict.progress,
        "why": found.verdict.why,
        "details": document.get("details"),
        "start_time": document.get("start_time"),
        "last_update": document.get("last_update"),
        "estimated_completion": _ends(document),
        "progress": {
            name: progress.get(name)
            for name in ("sources_completed", "sources_seen", "files_done", "bytes_done")
        }
        if isinstance(progress, dict)
        else None,
        "is_damaged": found.is_damaged,
    }
