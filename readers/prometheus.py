"""A run's status as metrics, in Prometheus' text format (exposition format 0.0.4). Pure.

Names have base units, counters end in `_total`; what nobody knows is left out, never 0.
"""

from collections.abc import Iterator
from typing import Any, Final

from journal.clock import parse_stamp
from readers.status import Status

_STATES: Final = ("pending", "running", "completed", "failed", "aborted", "preempted")
_HEALTH: Final = ("ok", "warn", "critical", "done")
_LIVENESS: Final = ("alive", "late", "lost")
_PROGRESS: Final = ("advancing", "slow", "waiting", "stalled")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

Sample = tuple[dict[str, Any], float]


def metrics(status: Status) -> str:
    """Return the metrics of a run, each with its HELP and TYPE."""
    return "".join(_lines(status))


def _lines(status: Status) -> Iterator[str]:
    for name, kind, told, samples in _metrics(status):
        if samples:
            yield f"# HELP {name} {told}\n# TYPE {name} {kind}\n"
            for labels, value in samples:
                shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
                yield f"{name}{{{shown}}} {value:.17g}\n"


def _metrics(status: Status) -> Iterator[tuple[str, str, str, list[Sample]]]:
    document, verdict = status.document, status.verdict
    run = {"run_id": status.run_id}
    progress, errors = _mapping(document.get("progress")), _mapping(document.get("errors"))
    words = {name: document.get(name) for name in ("job", "phase", "sub_phase", "attempt")}
    info = {name: "" if value is None else value for name, value in words.items()}
    yield "journal_run_info", "gauge", "What the run is and where it is.", [({**run, **info}, 1)]
    for name, said, known in (
        ("state", verdict.state, _STATES),
        ("health", verdict.health, _HEALTH),
        ("liveness", verdict.liveness, _LIVENESS),
        ("progress", verdict.progress, _PROGRESS),
    ):
        samples: list[Sample] = [({**run, name: one}, float(one == said)) for one in known]
        yield f"journal_run_{name}", "gauge", f"1 for the {name} that it has.", samples
    seen = _instant(document.get("last_update"))
    age = None if seen is None else max(0.0, status.store_time - seen)
    yield _one("last_sign_age_seconds", "gauge", "Since the last sign of life.", run, age)
    for name, told, value in (
        ("files_total", "Files that are done.", progress.get("files_done")),
        ("bytes_total", "Bytes that are done.", progress.get("bytes_done")),
        ("files_skipped_total", "Files that were skipped.", progress.get("files_skipped")),
        ("errors_total", "Errors that were said.", errors.get("count")),
        ("dropped_total", "Records that could not be kept.", document.get("dropped")),
    ):
        yield _one(name, "counter", told, run, value)
    for name, told, value in (
        ("sources_completed", "Sources that are done.", progress.get("sources_completed")),
        ("sources_seen", "Sources that were begun.", progress.get("sources_seen")),
        ("attempt", "Which attempt this is.", document.get("attempt")),
    ):
        yield _one(name, "gauge", told, run, value)
    eta = _mapping(document.get("eta"))
    left = _instant(eta.get("at"))
    remaining = None if left is None else max(0.0, left - status.store_time)
    yield _one("remaining_seconds", "gauge", "Until the estimated end.", run, remaining)
    yield from _sources(run, document.get("sources"))


def _sources(run: dict[str, Any], sources: Any) -> Iterator[tuple[str, str, str, list[Sample]]]:
    rows = [row for row in sources if isinstance(row, dict)] if isinstance(sources, list) else []
    for name, field, kind, told in (
        ("files_total", "files", "counter", "Files of a source that are done."),
        ("bytes_total", "bytes", "counter", "Bytes of a source that are done."),
        ("errors_total", "errors", "counter", "Errors of a source."),
        ("expected_files", "files_total", "gauge", "Files that a source will have."),
        ("expected_bytes", "bytes_total", "gauge", "Bytes that a source will have."),
    ):
        samples: dict[tuple[str, str], Sample] = {}
        for row in rows:
            place = (str(row.get("source")), str(row.get("sub_phase")))
            value = _number(row.get(field))
            if value is not None:
                labels = {**run, "source": place[0], "sub_phase": place[1]}
                samples[place] = (labels, value)  # a name twice would spoil the whole page
        yield f"journal_source_{name}", kind, told, list(samples.values())


def _one(
    name: str, kind: str, told: str, labels: dict[str, Any], value: Any
) -> tuple[str, str, str, list[Sample]]:
    number = _number(value)
    return f"journal_run_{name}", kind, told, [] if number is None else [(labels, number)]


def _escaped(text: Any) -> str:
    return str(text).translate(_ESCAPES)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) else None


def _instant(text: Any) -> float | None:
    try:
        return parse_stamp(text)
    except (ValueError, TypeError, OverflowError):
        return None
