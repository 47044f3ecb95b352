"""What the deployed monitor says of a run: its rules as a pure function, and what it looks at.

It cannot be changed, so the journal's documents have to satisfy it. It reads the end markers and
two documents with a time each, polls every minute, and takes TIMED_OUT for an end.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final, Literal

from journal import layout
from journal.clock import stamp_seconds
from journal.stores import Found, ReadStore
from journal.words import duration
from readers.python39 import fromisoformat

State = Literal["FAILED", "SUCCEEDED", "RUNNING", "TIMED_OUT"]

STALE_SECONDS: Final = 600.0
PROGRESS: Final = layout.PROGRESS  # a second heartbeat, which the training phase writes

_ALARMS: Final = ("FAILED", "TIMED_OUT")
_STAMPS: Final = ("last_update", "last_updated", "timestamp")


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
    log: bytes | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the monitor says, the detail it puts into its alert, and what that rests on."""

    state: State
    detail: str
    why: str


@dataclass(frozen=True, slots=True)
class Alert:
    """What the monitor sends when a run has failed or timed out, None for what nobody wrote."""

    state: State
    detail: str
    instance_id: str | None
    phase: str | None
    minutes: int | None  # since `start_time`
    last_line: str | None  # of the log


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
        f"{name} of {stamp_seconds(at)} ({source}) is {_age(now - at)}"
        for name, (at, source) in beats.items()
    )
    if all(now - at > stale_seconds for at, _ in beats.values()):
        return Opinion("TIMED_OUT", "Both heartbeats stale", why)
    return Opinion("RUNNING", "", why)


def watch(opinions: Iterable[Opinion]) -> Iterator[Opinion]:
    """Yield what somebody sees who lets the monitor watch: up to the first end, true or false."""
    for one in opinions:
        yield one
        if one.state != "RUNNING":
            return


def alert(objects: Objects, now: float, said: Opinion, before: State = "RUNNING") -> Alert | None:
    """Return what the monitor sends, None unless it has just come to see a failure."""
    if said.state not in _ALARMS or said.state == before:
        return None
    document = objects.metadata and loaded(objects.metadata.body)
    fields = document if isinstance(document, dict) else {}
    try:
        minutes = int((now - parse(fields.get("start_time"))) // 60)
    except ValueError:
        minutes = None
    lines = (objects.log or b"").decode(errors="replace").split("\n")
    return Alert(
        state=said.state,
        detail=said.detail,
        instance_id=_text(fields.get("instance_id")),
        phase=_text(fields.get("phase")),
        minutes=minutes,
        last_line=next((line for line in reversed(lines) if line.strip()), None),
    )


def beat(document: Document) -> tuple[float, str]:
    """Return a document's time in epoch seconds, and where it stands in it: LastModified if not."""
    content = loaded(document.body)
    if content is None:
        return document.modified, "LastModified, for it is no JSON"
    # The first that is there decides, whatever it holds.
    field = next((name for name in _STAMPS if isinstance(content, dict) and name in content), None)
    if field is None:
        return document.modified, "LastModified, for it holds no time"
    try:
        return parse(content[field]), field
    except ValueError:
        return document.modified, f"LastModified, for its {field} is no time"


def loaded(body: bytes) -> Any:
    """Return what JSON says, None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def parse(text: Any) -> float:
    """Parse a time as the monitor does: every `Z` is an offset, and a naive time is UTC.

    Raises ValueError for what Python 3.9's `datetime.fromisoformat` does not take, and for what is
    no text.
    """
    if not isinstance(text, str):
        raise ValueError(f"no time: a {type(text).__name__}")
    at = fromisoformat(text.replace("Z", "+00:00"))
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
    folder, _, _ = layout.LATEST_LOG.partition("/")
    log = store.get(layout.latest_log_key(run_id)) if f"{folder}/" in written else None
    return Objects(
        error=error.body if error else None,
        complete=complete.body if complete else None,
        metadata=read(layout.SNAPSHOT),
        progress=read(PROGRESS),
        log=log.body if isinstance(log, Found) else None,
    )


def _age(seconds: float) -> str:
    return f"{duration(seconds)} old" if seconds >= 0 else f"{duration(-seconds)} ahead"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
