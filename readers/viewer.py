"""What the deployed console viewer shows of a run, and what it stumbles over. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from journal.words import duration
from readers import legacy
from readers.python39 import fromisoformat

PLACES: Final = ("training-runs", "logs/training-runs")  # where it looks, in this order
STATUSES: Final = ("initializing", "running", "failed", "completed")
PHASES: Final = ("setup", "data_prep", "training", "complete", "error")

_STALE_SECONDS: Final = 30 * 60.0
_SHOWN: Final = (
    *("base_model", "start_time", "instance_id", "status", "phase", "details", "last_update"),
)


@dataclass(frozen=True, slots=True)
class View:
    """The place of the document that was found, the fields shown of it, and the warnings.

    `stumbles` are what it cannot deal with: a word that it does not know, a time or number that is
    none.
    """

    place: str | None
    shown: dict[str, Any]
    warnings: list[str]
    stumbles: list[str]


def view(documents: tuple[bytes | None, bytes | None], progress: bytes | None, now: float) -> View:
    """Look at a run as the viewer does at `now`; the documents are those at PLACES."""
    found = [(place, body) for place, body in zip(PLACES, documents, strict=True) if body]
    if not found:
        return View(None, {}, ["no document is there"], [])
    place, body = found[0]
    document = legacy.loaded(body)
    if not isinstance(document, dict):
        return View(place, {}, [], ["the document is no JSON object"])
    shown = {name: document[name] for name in _SHOWN if name in document}
    stumbles = [
        f"{name} {document.get(name)!a} is none that it knows"
        for name, known in (("status", STATUSES), ("phase", PHASES))
        if document.get(name) not in known
    ]
    warnings = []
    age = _age_of(document.get("last_update"), now)
    if age is None:
        stumbles.append(f"last_update {document.get('last_update')!a} is no aware time")
    elif document.get("status") == "running" and age > _STALE_SECONDS:
        warnings.append(f"it is running, and last_update is {duration(age)} old")
    stumbles += _stumbles_of_progress(progress)
    return View(place, shown, warnings, stumbles)


def _age_of(text: Any, now: float) -> float | None:
    """Return how old an aware time is, None if a text is none."""
    try:
        at = fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        return None
    return None if at.tzinfo is None else now - at.timestamp()


def _stumbles_of_progress(progress: bytes | None) -> list[str]:
    if progress is None:
        return []
    steps = legacy.loaded(progress)
    if not isinstance(steps, dict):
        return [f"{legacy.PROGRESS} is no JSON object"]
    return [
        f"{name} of {legacy.PROGRESS} is no number"
        for name in ("current_step", "total_steps")
        if type(steps.get(name)) not in (int, float)
    ]
