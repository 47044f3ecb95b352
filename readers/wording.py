"""What an event says, in words for people. Its fields may have been written by any hand. Pure."""

from collections.abc import Callable
from typing import Any, Final

from journal import events
from journal.events import Record
from journal.limits import COUNT_MAX
from journal.words import duration, size


def words_of(record: Record) -> str:
    """Return what a record says, without its time and type; not yet fit for a terminal."""
    try:
        return _WORDS.get(record["type"], _fields)(record)
    except RecursionError:
        return "(nested too deep to be shown)"


def _fields(record: Record) -> str:
    """Show a record of no known type: its fields as they are."""
    return " ".join(f"{key}={value}" for key, value in record.items() if key not in events.PLACE)


def _started(record: Record) -> str:
    total = record.get("sources_total")
    told = f", {total} sources" if total else ""
    where = f"pid {record.get('pid')} on {record.get('host')}"
    return f"{record.get('job')}, attempt {record.get('attempt')}, {where}{told}"


def _phase(record: Record) -> str:
    names = (record.get(key) for key in ("phase", "sub_phase", "operation"))
    told = [" / ".join(str(name) for name in names if name)]
    if record.get("stall_seconds") is not None:
        told.append(f"stalled after {_took(record['stall_seconds'])}")
    if record.get("min_rate_bytes") is not None:
        least = size(record["min_rate_bytes"])
        told.append(f"at least {least} in {_took(record.get('min_rate_seconds'))}")
    return ", ".join(told)


def _source_started(record: Record) -> str:
    told = [f"{record.get('source')}"]
    if record.get("files") is not None:
        told.append(f"{record['files']} files")
    if record.get("bytes") is not None:
        told.append(size(record["bytes"]))
    done = record.get("done")
    if isinstance(done, dict):
        told.append(f"{done.get('files')} files done before")
    return ", ".join(told)


def _progress(record: Record) -> str:
    moved = size(record.get("bytes"))
    return f"{record.get('source')}: {record.get('files')} files, {moved}"


def _file_done(record: Record) -> str:
    seconds = record.get("seconds")
    took = "" if seconds is None else f" in {seconds} s"
    return f"{record.get('source')}: {record.get('path')} ({size(record.get('bytes'))}{took})"


def _file_skipped(record: Record) -> str:
    return f"{record.get('source')}: {record.get('path')} ({record.get('reason')})"


def _source_done(record: Record) -> str:
    took = f"{record.get('seconds')} s"
    moved = size(record.get("bytes"))
    return f"{record.get('source')}: {record.get('files')} files, {moved} in {took}"


def _planned(record: Record) -> str:
    sub_phase = record.get("sub_phase")
    return (f"{sub_phase}: " if sub_phase else "") + _count_of_sources(record)


def _history(record: Record) -> str:
    return f"{record.get('run_id')}: {_count_of_sources(record)}"


def _count_of_sources(record: Record) -> str:
    sources = record.get("sources")
    count = len(sources) if isinstance(sources, list) else 0
    return f"{count} source{'' if count == 1 else 's'}"


def _waiting(record: Record) -> str:
    until = record.get("until")
    return f"{record.get('reason')}" + (f" until {until}" if until else "")


def _extended(record: Record) -> str:
    reason = record.get("reason")
    return f"no stall before {record.get('until')}" + (f": {reason}" if reason else "")


def _stack(record: Record) -> str:
    """Sum a stall up: how long, and where the main thread stands; -o json has the whole stack."""
    idle, limit = _took(record.get("seconds")), _took(record.get("stall_seconds"))
    where = _innermost(record.get("traceback"))
    return f"no work for {idle}, the limit is {limit}" + (f"; {where}" if where else "")


def _innermost(traceback: Any) -> str:
    """Return where the first thread of a traceback stands: file, line and function."""
    first = traceback.split('\nThread "', 1)[0] if isinstance(traceback, str) else ""
    _, found, frame = first.rpartition('\n  File "')
    return f'in "{frame.splitlines()[0]}' if found and frame else ""


def _took(seconds: Any) -> str:
    is_number = type(seconds) in (int, float) and 0 <= seconds <= COUNT_MAX
    return duration(seconds) if is_number else f"{seconds} s"


def _error(record: Record) -> str:
    at = ": ".join(str(record[key]) for key in ("source", "path") if record.get(key))
    words = f"{record.get('error')}: {record.get('message')}"
    fatal = "fatal, " if record.get("fatal") else ""
    return f"{fatal}{at}: {words}" if at else fatal + words


def _heartbeat(record: Record) -> str:
    flying = record.get("in_flight")
    count = len(flying) if isinstance(flying, list) else 0
    moved, cpu = size(record.get("bytes")), record.get("cpu_seconds")
    return f"{record.get('files')} files, {moved}, CPU {cpu} s, {count} in flight"


def _finished(record: Record) -> str:
    message = record.get("message")
    return f"{record.get('status')}" + (f": {message}" if message else "")


_WORDS: Final[dict[str, Callable[[Record], str]]] = {
    events.STARTED: _started,
    events.PHASE: _phase,
    events.SOURCE_STARTED: _source_started,
    events.PROGRESS: _progress,
    events.FILE_DONE: _file_done,
    events.FILE_SKIPPED: _file_skipped,
    events.SOURCE_DONE: _source_done,
    events.PLANNED: _planned,
    events.HISTORY: _history,
    events.WAITING: _waiting,
    events.EXTENDED: _extended,
    events.STACK: _stack,
    events.ERROR: _error,
    events.HEARTBEAT: _heartbeat,
    events.FINISHED: _finished,
}
