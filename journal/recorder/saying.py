"""What can be said of a run, as the type and the fields of its event; checked, and not said yet.

A job says it through its `Run`; a shell's commands leave it for whoever keeps the run.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from journal import events
from journal.clock import now, stamp
from journal.quantities import Duration, rate_of, seconds_of
from journal.recorder.plan import check_counts
from journal.recorder.source import error_fields, text_of

Said = tuple[str, dict[str, Any]]

# What only the methods that keep count, or the journal itself, can say.
_NOT_EMITTED: Final = frozenset(
    {
        events.STARTED,
        events.SOURCE_STARTED,
        events.SOURCE_DONE,
        events.FILE_DONE,
        events.PROGRESS,
        events.HEARTBEAT,
        events.DROPPED,
        events.FINISHED,
        events.PLANNED,
        events.HISTORY,
        events.EXTENDED,
        events.STACK,
    }
)


def phase(
    phase: str,
    sub_phase: str | None = None,
    operation: str | None = None,
    *,
    stall_after: Duration | None = None,
    min_rate: str | None = None,
) -> Said:
    """Say which phase begins. Raises ValueError for what is none, or limits that are none."""
    fields: dict[str, Any] = {"phase": phase, "sub_phase": sub_phase, "operation": operation}
    check_texts(fields)
    if not phase:
        raise ValueError("phase must not be empty")
    if stall_after is not None:
        fields["stall_seconds"] = seconds_of("stall_after", stall_after)
    if min_rate is not None:
        fields["min_rate_bytes"], fields["min_rate_seconds"] = rate_of("min_rate", min_rate)
    return events.PHASE, {key: value for key, value in fields.items() if value}


def emitted(type: str, fields: dict[str, Any]) -> Said:
    """Say an event of any type that has no method of its own. Raises ValueError for others."""
    if events.check_type(type) in _NOT_EMITTED:
        raise ValueError(f"event type {type} has a method of its own")
    events.check_fields(fields)
    return type, fields


def waiting(reason: str, until: float | datetime | str | None = None) -> Said:
    """Say that no work is due, and why. Raises ValueError for an empty reason, or no time."""
    check_texts({"reason": reason})
    if not reason:
        raise ValueError("reason must not be empty")
    fields: dict[str, Any] = {"reason": reason}
    if until is not None:
        fields["until"] = _stamp_of(until)
    return events.WAITING, fields


def extended(by: Duration, reason: str | None = None) -> Said:
    """Say that no stall begins for so long. Raises ValueError if it is no duration."""
    check_texts({"reason": reason})
    fields = {"until": stamp(now() + seconds_of("by", by))}
    return events.EXTENDED, fields | ({"reason": reason} if reason else {})


def error(
    error: BaseException | str,
    *,
    source: str | None = None,
    path: Any = None,
    fatal: bool = False,
) -> Said:
    """Say what went wrong, of a source or a path if given."""
    fields = error_fields(error, fatal=fatal)
    if source is not None:
        fields["source"] = source
    if path is not None:
        fields["path"] = text_of(path)
    return events.ERROR, fields


def finished(status: str, message: str | None = None) -> Said:
    """Say how it ended. Raises ValueError for a status that is none."""
    if status not in events.STATUSES:
        raise ValueError(f"status {status!r} is none of {', '.join(events.STATUSES)}")
    return events.FINISHED, {"status": status} | ({"message": message} if message else {})


def named(type: str, fields: dict[str, Any]) -> Said:
    """Say an event of any type by its name and fields, as a shell's command has them.

    Raises ValueError for what is missing or does not belong.
    """
    take = _NAMED.get(type)
    if take is None:
        return emitted(type, fields)
    events.check_fields(fields)
    needed = _NEEDED.get(type, ())
    missing = [name for name in needed if fields.get(name) in (None, "")]
    if missing:
        raise ValueError(f"{type} needs {', '.join(f'{name}=…' for name in missing)}")
    try:
        return take(**fields)
    except TypeError as wrong:
        raise ValueError(f"{type}: {wrong}") from wrong


def _source_started(source: str, **fields: Any) -> Said:
    check_counts({name: fields.get(name) for name in ("files", "bytes")})
    return events.SOURCE_STARTED, {"source": str(source), **fields}


def _source_done(source: str) -> Said:
    return events.SOURCE_DONE, {"source": str(source)}


def _file_done(source: str, path: str, bytes: int, seconds: float | None = None) -> Said:
    check_counts({"bytes": bytes})
    fields = {"source": str(source), "path": str(path), "bytes": bytes, "seconds": seconds}
    return events.FILE_DONE, fields


def _file_skipped(source: str, path: str, reason: str) -> Said:
    fields = {"source": str(source), "path": str(path), "reason": str(reason)}
    return events.FILE_SKIPPED, fields


def _error(message: str, *, fatal: bool = False, **fields: Any) -> Said:
    return error(str(message), fatal=fatal is True, **fields)


def _waiting(reason: str, until: str | None = None) -> Said:
    return waiting(str(reason), until)


_NAMED: Final[dict[str, Callable[..., Said]]] = {
    events.SOURCE_STARTED: _source_started,
    events.SOURCE_DONE: _source_done,
    events.FILE_DONE: _file_done,
    events.FILE_SKIPPED: _file_skipped,
    events.ERROR: _error,
    events.WAITING: _waiting,
    events.EXTENDED: extended,
}
_NEEDED: Final = {
    events.SOURCE_STARTED: ("source",),
    events.SOURCE_DONE: ("source",),
    events.FILE_DONE: ("source", "path", "bytes"),
    events.FILE_SKIPPED: ("source", "path", "reason"),
    events.ERROR: ("message",),
    events.WAITING: ("reason",),
    events.EXTENDED: ("by",),
}


def check_texts(fields: dict[str, Any]) -> None:
    """Raise ValueError if one of the fields is neither None nor text."""
    for name, value in fields.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} must be text, not {type(value).__name__}")


def _stamp_of(until: float | datetime | str) -> str:
    try:
        if isinstance(until, str):
            until = datetime.fromisoformat(until)
        if isinstance(until, datetime):
            if until.tzinfo is None:
                raise ValueError("it does not say its time zone")
            until = until.timestamp()
        return stamp(until)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise ValueError(f"until {until!r} is no time: {wrong}") from wrong
