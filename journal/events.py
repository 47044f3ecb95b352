"""Event types; one line and back. Pure.

A line is flat JSON with the keys `seq`, `ts`, `type` first, then the event's own fields, and a
newline. Unknown types and fields are kept. FORMAT.md has the table of types.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import orjson

from journal.limits import COUNT_MAX, LINE_BYTES
from journal.redaction import HIDDEN, STANDARD, Redaction

Record = dict[str, Any]
"""A decoded line: an event's fields together with its place (`seq`) and its time (`ts`)."""

SEGMENT_OPENED: Final = "segment_opened"
SEGMENT_SEALED: Final = "segment_sealed"
STARTED: Final = "started"
PHASE: Final = "phase"
SOURCE_STARTED: Final = "source_started"
PROGRESS: Final = "progress"
FILE_DONE: Final = "file_done"
FILE_SKIPPED: Final = "file_skipped"
SOURCE_DONE: Final = "source_done"
WAITING: Final = "waiting"
ERROR: Final = "error"
HEARTBEAT: Final = "heartbeat"
DROPPED: Final = "dropped"
FINISHED: Final = "finished"
PLANNED: Final = "planned"
HISTORY: Final = "history"
EXTENDED: Final = "extended"
STACK: Final = "stack"

CONTROL: Final = frozenset({SEGMENT_OPENED, SEGMENT_SEALED})
URGENT: Final = frozenset(
    (
        *(STARTED, PHASE, SOURCE_STARTED, SOURCE_DONE, WAITING, ERROR, DROPPED, FINISHED),
        *(PLANNED, EXTENDED, STACK),
    )
)
STATUSES: Final = ("completed", "failed", "aborted", "preempted")
PLACE: Final = ("seq", "ts", "type")
# The journal's own words: no name that a job gives its secrets hides them.
FIELDS: Final = frozenset(
    (
        *PLACE,
        *("attempt", "by", "bytes", "clock_offset", "count", "cpu_seconds", "done", "error"),
        *("fatal", "files", "host", "in_flight", "job", "message", "min_rate_bytes"),
        *("min_rate_seconds", "operation", "params", "path", "phase", "pid", "read_bytes"),
        *("reason", "retry", "rss_bytes", "run_id", "seconds", "silent_seconds", "source"),
        *("sources", "sources_total", "stall_seconds", "status", "sub_phase"),
        *("traceback", "until", "wall_seconds", "write_bytes"),
    )
)
JOURNAL: Final = "journal"  # `by` of what the journal says of itself: no word of the job's

_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
_MAX_DEPTH: Final = 16
_CUT_CHARS: Final = 4096  # more than a secret that has no end
MAX_CHARS: Final = LINE_BYTES + _CUT_CHARS
_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def check_type(name: object) -> str:
    """Return an event type that a caller may emit; raises ValueError otherwise."""
    if not isinstance(name, str) or not _TYPE.fullmatch(name):
        raise ValueError(f"event type {name!a} is not allowed: 1 to 64 of a-z 0-9 _, letter first")
    if name in CONTROL:
        raise ValueError(f"event type {name} belongs to the journal itself")
    return name


def check_fields(fields: Mapping[str, Any]) -> None:
    """Raise ValueError if a caller's fields would hide a record's place."""
    for name in PLACE:
        if name in fields:
            raise ValueError(f"event field {name!r} belongs to the journal itself")


def encode(record: Record, redaction: Redaction = STANDARD) -> bytes:
    """Encode a record into its line, at most LINE_BYTES long and without secrets. Never raises.

    Values that JSON does not know become text; a line that is too long is cut field by field, the
    longest first, and marked `truncated`.
    """
    try:
        line = orjson.dumps(record, None, _OPTIONS)
    except Exception:  # noqa: BLE001 - foreign objects may do anything; the job goes on
        return _encode_cleaned(record, redaction)
    if len(line) > LINE_BYTES or not redaction.is_plain(line.decode()):
        return _encode_cleaned(record, redaction)
    return line


def _encode_cleaned(record: Record, redaction: Redaction) -> bytes:
    cleaned: Record = {}
    for key, value in record.items():
        plain_value = _Plain(redaction)
        name = str(plain_value.of(key, 0))
        # A job may call a secret `path`; what the journal itself says goes by its look alone.
        hidden = name not in FIELDS and redaction.hides(name, value)
        cleaned[name] = HIDDEN if hidden else plain_value.of(value, 0)
        if plain_value.is_cut:
            cleaned["truncated"] = True
    line = orjson.dumps(cleaned, None, _OPTIONS)
    return line if len(line) <= LINE_BYTES else _cut(cleaned)


def plain(value: Any) -> Any:
    """Make JSON of anything: text without secrets and lone surrogates, integers of 64 bits."""
    return _Plain(STANDARD).of(value, 0)


class _Plain:
    """Makes JSON of one value, of no more of it than a line can hold; what is behind is None.

    An object that holds itself more than once would otherwise take for ever.
    """

    def __init__(self, redaction: Redaction) -> None:
        self.is_cut = False
        self._redaction = redaction
        self._left = LINE_BYTES

    def of(self, value: Any, depth: int) -> Any:
        if self._left <= 0:
            self.is_cut = True
            return None
        self._left -= 1
        try:
            return self._of(value, depth)
        except Exception as broken:  # noqa: BLE001 - a foreign method may do anything
            return f"<{type(value).__name__}: {type(broken).__name__}>"

    def _of(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        # Of the job's own kinds of number and text what they are, not what they say they are.
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, int) and -(2**63) <= int.__int__(value) < 2**64:
            return int.__int__(value)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, bytes | bytearray):
            return self._text(bytes(value[:MAX_CHARS]).decode("utf-8", "backslashreplace"))
        if depth < _MAX_DEPTH and isinstance(value, Mapping):
            items = islice(value.items(), max(0, self._left))
            return dict(self._item(key, item, depth + 1) for key, item in items)
        if depth < _MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
            items = islice(value, max(0, self._left))
            return list(self._items(items, len(value), depth + 1))
        return self.of(str(value), depth)

    def _item(self, key: Any, value: Any, depth: int) -> tuple[str, Any]:
        name = str(self.of(key, depth))
        return name, HIDDEN if self._redaction.hides(name, value) else self.of(value, depth)

    def _items(self, items: Iterable[Any], length: int, depth: int) -> Iterator[Any]:
        before: Any = None
        for item in items:
            is_secret = isinstance(before, str) and self._redaction.hides_next(before, length)
            yield HIDDEN if is_secret else self.of(item, depth)
            before = item

    def _text(self, text: str) -> str:
        """Hide what a text tells. Of a long one only so much is looked at as can be kept.

        Where it is cut, half a secret may not look like one any more: the end goes.
        """
        self._left -= len(text)
        is_long = len(text) > MAX_CHARS
        hidden = self._redaction.text(text[:MAX_CHARS].encode("utf-8", "backslashreplace").decode())
        if not is_long:
            return hidden
        self.is_cut = True
        return hidden[:-_CUT_CHARS]


def _cut(record: Record) -> bytes:
    """Shorten the longest field until the line fits."""
    record["truncated"] = True
    while len(line := orjson.dumps(record, None, _OPTIONS)) > LINE_BYTES:
        sizes = {key: len(orjson.dumps(value)) for key, value in record.items() if key not in PLACE}
        longest = max(sizes, key=sizes.__getitem__)
        value = record[longest]
        excess = len(line) - LINE_BYTES
        if isinstance(value, str) and len(value) > 256:
            # A character takes 1 to 6 bytes in JSON, so this may take a few rounds, never many.
            fits = min(len(value) - excess // 6 - 1, len(value) * 3 // 4, LINE_BYTES)
            record[longest] = value[: max(256, fits)]
        elif len(longest) > 256:
            del record[longest]
            record[longest[:256]] = None
        elif sizes[longest] > 32:
            record[longest] = f"<{type(value).__name__} cut>"
        else:
            # A crowd of small fields: the last ones go.
            record = dict(list(record.items())[: len(record) // 2]) | {"truncated": True}
    return line


def decode(line: bytes) -> Record:
    """Decode a line; raises ValueError if it is not a record."""
    record = orjson.loads(line)
    if (
        type(record) is not dict
        or type(record.get("seq")) is not int
        or not 0 <= record["seq"] <= COUNT_MAX
        or type(record.get("ts")) is not str
        or type(record.get("type")) is not str
    ):
        raise ValueError("not a record: seq, ts or type is missing or of the wrong kind")
    return record


def renumber(lines: bytes, first: int) -> bytes:
    """Give the lines of consecutive records new sequence numbers, from `first` on.

    All their other bytes stay as they are. Raises ValueError if a line is no record's.
    """
    renumbered = bytearray()
    for number, line in enumerate(lines.splitlines(keepends=True), first):
        head, _, tail = line.partition(b",")
        if not head.startswith(b'{"seq":'):
            raise ValueError("not a record line: it does not begin with its sequence number")
        renumbered += b'{"seq":%d,' % number + tail
    return bytes(renumbered)
