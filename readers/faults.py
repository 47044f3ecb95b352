"""The errors of a run, grouped: what failed, how often, from when to when. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from journal import events
from readers.event import Event

_SOURCES_KEPT: Final = 20  # names in a group
_GROUPS_KEPT: Final = 1000  # more kinds of messages than that are no kinds
_REST: Final = "(more kinds of messages)"
# What differs between two messages of one kind: addresses, ids, numbers; longest first.
_VARIABLE: Final = re.compile(
    r"https?://\S+|/[^\s:'\"]+/[^\s:'\"]*|\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8,}\b|\d+(?:\.\d+)?"
)
_CHARS: Final = 200


@dataclass(slots=True)
class Fault:
    """Errors of one class whose messages differ in numbers, paths and addresses at most.

    `first` and `last` are `ts`, `sample` is the record of the last of them.
    """

    error: str
    kind: str
    first: str
    last: str
    sample: dict[str, Any]
    count: int = 0
    retried: int = 0
    fatal: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    more_sources: int = 0  # errors of sources whose names are not kept


def faults(found: Iterable[Event]) -> list[Fault]:
    """Group the errors among events; those that occurred most often come first."""
    groups: dict[tuple[str, str], Fault] = {}
    for event in found:
        record = event.record
        if record["type"] != events.ERROR:
            continue
        error = str(record.get("error") or "error")
        kind = kind_of(str(record.get("message") or ""))
        if (error, kind) not in groups and len(groups) >= _GROUPS_KEPT:
            error, kind = _REST, ""
        fault = groups.get((error, kind))
        if fault is None:
            fault = Fault(error, kind, record["ts"], record["ts"], record)
            groups[error, kind] = fault
        _count(fault, record)
    return sorted(groups.values(), key=lambda fault: (-fault.count, fault.first))


def kind_of(message: str) -> str:
    """Return what messages of one kind have in common."""
    return _VARIABLE.sub("…", message.splitlines()[0][:_CHARS] if message.strip() else "")


def _count(fault: Fault, record: dict[str, Any]) -> None:
    fault.count += 1
    fault.retried += bool(record.get("retry"))
    fault.fatal += bool(record.get("fatal"))
    fault.first = min(fault.first, record["ts"])
    if record["ts"] >= fault.last:
        fault.last, fault.sample = record["ts"], record
    source = record.get("source")
    if not isinstance(source, str):
        return
    if source in fault.sources or len(fault.sources) < _SOURCES_KEPT:
        fault.sources[source] = fault.sources.get(source, 0) + 1
    else:
        fault.more_sources += 1
