"""Does what lies in the store keep the contract with the old monitor? As findings of the doctor."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from journal.doctor import Finding
from journal.errors import JournalError, Missing, Unavailable
from journal.health import Verdict
from journal.limits import PROMISE_MAX_SECONDS
from journal.stores import ReadStore
from readers import legacy, viewer
from readers.status import status

_FOLDER: Final = "training-runs"  # the only one that the monitor looks into


def root(url: str) -> Finding:
    """Tell whether the monitor looks under a root at all."""
    if url.removeprefix("s3://").partition("/")[2] == _FOLDER:
        return Finding("monitored", "ok", f"{url} is where the old monitor looks")
    says = f"the old monitor looks into {_FOLDER}/ of a bucket only, so it sees no run of {url}"
    return Finding("monitored", "note", says, f"use s3://BUCKET/{_FOLDER} for runs it should see")


def examine(store: ReadStore, run_ids: Iterable[str]) -> Iterator[Finding]:
    """Yield what the monitor says of each run, and what is wrong with its document.

    Raises Unavailable or Refused.
    """
    for run_id in run_ids:
        try:
            yield from _examine(store, run_id)
        except Unavailable:
            raise
        except Missing:
            continue  # the index names it, and it is not there: pruned, or not begun
        except JournalError as error:
            yield Finding("old_monitor", "warn", f"{run_id}: {error}")


def _examine(store: ReadStore, run_id: str) -> Iterator[Finding]:
    found = status(store, run_id)
    objects = legacy.look(store, run_id)
    opinion = legacy.opinion(objects, found.store_time)
    ours = found.verdict
    says = f"{run_id}: it says {opinion.state} ({opinion.why}); the journal says {_words(ours)}"
    if opinion.state in _expected(ours):
        yield Finding("old_monitor", "ok", says)
    elif opinion.state == "FAILED":
        remedy = f"delete {run_id}/_error, which an earlier attempt left"
        yield Finding("old_monitor", "warn", says, remedy)
    else:
        yield Finding("old_monitor", "warn", says, f"journal compact {run_id}")
    wrong = complaints(objects.metadata.body) if objects.metadata is not None else ["it is missing"]
    if wrong:
        says = f"{run_id}: metadata.json is not what dashboards read: {', '.join(wrong)}"
        remedy = f"journal compact {run_id} writes it anew; phases are the job's own words"
        yield Finding("document", "warn", says, remedy)


def complaints(body: bytes) -> list[str]:
    """Return what is wrong with a document that the deployed dashboards read."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ["it is no JSON"]
    if not isinstance(document, dict):
        return ["it is no JSON object"]
    progress = document.get("progress")
    fields = {**document, **(progress if isinstance(progress, dict) else {})}
    return [
        f"{name} is missing" if name not in fields else f"{name} is {_shown(fields[name])}"
        for name, is_right in _OWED.items()
        if name not in fields or not is_right(fields[name])
    ]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_time(value: Any) -> bool:
    try:
        legacy.parse(value)
    except ValueError:
        return False
    return True


_OWED: Final[dict[str, Callable[[Any], bool]]] = {
    "run_id": _is_text,
    "status": lambda value: value in viewer.STATUSES,
    "phase": lambda value: value in viewer.PHASES,
    "sub_phase": _is_text_or_null,
    "current_operation": _is_text_or_null,
    "policy_sources_completed": _is_count,
    "policy_sources_total": _is_count,
    "files_downloaded": _is_count,
    "estimated_completion": lambda value: value is None or _is_time(value),
    "last_update": _is_time,
    "heartbeat_interval": lambda value: _is_count(value) and 0 < value <= PROMISE_MAX_SECONDS,
}


def _expected(verdict: Verdict) -> tuple[legacy.State, ...]:
    """Return what the monitor may say of a run that the journal judges so."""
    match verdict.state:
        case "completed":
            return ("SUCCEEDED",)
        case "failed" | "aborted":
            return ("FAILED",)
        case "preempted":
            return ("RUNNING", "TIMED_OUT")
        case _ if verdict.liveness == "lost" or verdict.progress == "stalled":
            return ("RUNNING", "TIMED_OUT")
        case _:
            return ("RUNNING",)


def _words(verdict: Verdict) -> str:
    words = (verdict.state, verdict.liveness, verdict.progress)
    return ", ".join(word for word in words if word)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
