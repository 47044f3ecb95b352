"""What the deployed monitor says of a run: its rules as a pure function, and what it looks at.

It cannot be changed, so the journal's documents have to satisfy it. It reads the end markers and
two documents with a time each, polls every minute, and takes TIMED_OUT for an end.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from journal import layout
from journal.clock import stamp_seconds
from journal.stores import Found, ReadStore
from journal.words import duration

State = Literal["FAILED", "SUCCEEDED", "RUNNING", "TIMED_OUT"]

STALE_SECONDS: Final = 600.0
PROGRESS: Final = "progress.json"  # a second heartbeat, which the training phase writes

_STAMPS: Final = ("last_update", "last_updated", "timestamp")
# What Python 3.9 takes for an ISO time: less than later versions do.
_ISO: Final = re.compile(
    r"""\d{4}-\d{2}-\d{2}
    (. \d{2} (:\d{2} (:\d{2} (\.(\d{3}|\d{6}))? )? )?
        ([+-]\d{2}:\d{2} (:\d{2} (\.\d{6})? )? )?
    )?""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it lies there, and when it was last written (S3's clock, epoch seconds)."""

    body: bytes
    modified: float


@dataclass(frozen=True, slots=True)
class Objects:
    """What the monitor looks at of a run, None for what is not there."""

    error: bytes | None = None
    complete: bytes | None = None
    metadata: Document | None = None
    progress: Document | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the monitor says, the detail it puts into its alert, and what that rests on."""

    state: State
    detail: str
    why: str


def opinion(objects: Objects, now: float, stale_seconds: float = STALE_SECONDS) -> Opinion:
    """Judge a run as the monitor does at `now` on its own clock (epoch seconds)."""
    if objects.error is not None:
        reason = objects.error.decode(errors="replace")
        return Opinion("FAILED", f"Error: {reason}", f"{layout.ERROR_MARKER} is there")
    if objects.complete is not None:
        reason = objects.complete.decode(errors="replace")
        return Opinion("SUCCEEDED", reason, f"{layout.COMPLETE_MARKER} is there")
    beats = {
        name: beat(document)
        for name, document in ((layout.SNAPSHOT, objects.metadata), (PROGRESS, objects.progress))
        if document is not None
    }
    if not beats:
        return Opinion("TIMED_OUT", "No heartbeat files found", "neither document is there")
    why = "; ".join(
        f"{name} of {stamp_seconds(at)} ({source}) is {duration(now - at)} old"
        for name, (at, source) in beats.items()
    )
    if all(now - at > stale_seconds for at, _ in beats.values()):
        return Opinion("TIMED_OUT", "Both heartbeats stale", why)
    return Opinion("RUNNING", "", why)


def beat(document: Document) -> tuple[float, str]:
    """Return a document's time in epoch seconds, and where it stands in it: LastModified if not."""
    try:
        content = json.loads(document.body)
    except (ValueError, RecursionError):
        return document.modified, "LastModified, for it is no JSON"
    field = next((name for name in _STAMPS if isinstance(content, dict) and name in content), None)
    if field is None:
        return document.modified, "LastModified, for it holds no time"
    try:
        return parse(content[field]), field
    except ValueError:
        return document.modified, f"LastModified, for its {field} is no time"


def parse(text: Any) -> float:
    """Parse a time as the monitor does, by Python 3.9's `datetime.fromisoformat`.

    Raises ValueError for what that does not take: fractions of other than 3 or 6 digits, offsets
    without a colon, week dates, times without separators.
    """
    text = text.replace("Z", "+00:00") if isinstance(text, str) else ""
    if not _ISO.fullmatch(text):
        raise ValueError(f"no time: {text!a}")
    # Any character may part date and time.
    at = datetime.fromisoformat(f"{text[:10]}T{text[11:] or '00'}")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def look(store: ReadStore, run_id: str) -> Objects:
    """Return what the monitor sees of a run. Raises Unavailable or Refused."""
    prefix = layout.run_prefix(run_id)
    written = {
        entry.key.removeprefix(prefix): entry.modified
        for entry in store.list(prefix, delimiter="/")
    }

    def read(name: str) -> Document | None:
        found = store.get(prefix + name) if name in written else None
        return Document(found.body, written[name]) if isinstance(found, Found) else None

    error, complete = read(layout.ERROR_MARKER), read(layout.COMPLETE_MARKER)
    return Objects(
        error.body if error else None,
        complete.body if complete else None,
        read(layout.SNAPSHOT),
        read(PROGRESS),
    )
