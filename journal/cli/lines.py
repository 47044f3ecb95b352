"""An event as a line, for people and for machines, and which events are shown."""

import sys
from collections.abc import Callable
from typing import Any, Final

import click
import orjson

from journal import events
from journal.clock import local, parse_stamp
from journal.events import Record
from journal.layout import MAIN
from journal.limits import COUNT_MAX
from journal.words import duration, size
from readers.event import QUIET, Event
from readers.text import printable, printable_json

LINES: Final = ("human", "json", "raw")  # the forms of a line

_WIDTH: Final = 15

types_option = click.option(
    "-t", "--type", "types", metavar="TYPES", help="Only these: a,b — or all but: !a,b"
)


def wanted_types(types: str | None) -> Callable[[Record], bool]:
    """Return what `-t` asks for. Raises ValueError for a name that no type has."""
    if types is None:
        return lambda record: record["type"] not in QUIET
    names = [name.strip() for name in types.split(",") if name.strip()]
    without = {name.removeprefix("!") for name in names if name.startswith("!")}
    only = {name for name in names if not name.startswith("!")}
    if types.startswith("!"):
        without, only = without | only, set()  # `!a,b` is all but both
    for name in without | only:
        if name not in events.CONTROL:
            events.check_type(name)
    if only:
        return lambda record: record["type"] in only
    return lambda record: record["type"] not in without and record["type"] not in QUIET


def form_of(output: str, run_id: str) -> Callable[[Event], bytes]:
    """Return the form of an event's line that `-o` asks for, one of LINES."""
    if output == "human":
        return human_line
    if output == "json":
        return _json_line(run_id)
    # A terminal is no place for whatever bytes somebody left there.
    return _shown_line if sys.stdout.isatty() else _raw_line


def _raw_line(event: Event) -> bytes:
    return event.line + b"\n"


def _shown_line(event: Event) -> bytes:
    return printable_json(event.line) + b"\n"


def _json_line(run_id: str) -> Callable[[Event], bytes]:
    """Return the form of an event for machines: its own bytes with run_id and stream behind."""
    tails: dict[str, bytes] = {}

    def line(event: Event) -> bytes:
        record, stream = event.record, event.stream
        if "run_id" in record or "stream" in record:
            return printable_json(_dumped({**record, "run_id": run_id, "stream": stream}))
        if stream not in tails:
            tails[stream] = b"," + orjson.dumps({"run_id": run_id, "stream": stream})[1:] + b"\n"
        return printable_json(event.line.rstrip()[:-1] + tails[stream])

    return line


def _dumped(record: Record) -> bytes:
    """Write a record; what is nested too deep for that is left out."""
    try:
        return orjson.dumps(record) + b"\n"
    except TypeError:
        plain = {k: v for k, v in record.items() if not isinstance(v, dict | list)}
        return orjson.dumps({**plain, "truncated": True}) + b"\n"


def human_line(event: Event) -> bytes:
    """Return an event's line: time, stream if it is not main, type, and what it says."""
    return f"{line_of(event, _time)}\n".encode()


def line_of(event: Event, time: Callable[[str], str]) -> str:
    """Return an event's line without its end; `time` shows a `ts`."""
    record = event.record
    kind = record["type"]
    try:
        words = _WORDS.get(kind, _fields)(record)
    except RecursionError:
        words = "(nested too deep to be shown)"
    stream = "" if event.stream == MAIN else f"[{event.stream}] "
    return printable(f"{time(record['ts'])} {stream}{kind:<{_WIDTH}} {words}".rstrip())


def _time(ts: str) -> str:
    try:
        return local(parse_stamp(ts)).isoformat(" ", "seconds")
    except (ValueError, OverflowError):
        return ts


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
