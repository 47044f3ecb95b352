"""The last events of a run as plain text, where the old monitor's alerts look for a log."""

from collections.abc import Iterable
from typing import Final

from journal.cli.lines import line_of
from journal.clock import parse_stamp, stamp_seconds
from journal.companions import rewrite
from journal.layout import latest_log_key
from journal.limits import LATEST_LOG_BYTES, LATEST_LOG_LINE_CHARS
from journal.redaction import STANDARD
from journal.stores import Store
from readers.event import Event
from readers.selection import Selection
from readers.tail import Tail

_HEAD: Final = "journal: the last events of run "


def write_latest_log(store: Store, run_id: str, count: int) -> bool | None:
    """Write the last `count` events of a run; tell whether anything was put.

    None if another program's log is there, which is left alone. Raises Missing, Unavailable,
    Refused, Corrupt.
    """
    events = Tail(store, run_id).last(count, Selection().wanted())
    text = text_of(run_id, events)
    is_foreign = False

    def make(there: bytes | None) -> bytes | None:
        nonlocal is_foreign
        is_foreign = there is not None and not there.startswith(_HEAD.encode())
        return None if is_foreign else text

    put = rewrite(store, latest_log_key(run_id), make)
    return None if is_foreign else put


def text_of(run_id: str, events: Iterable[Event]) -> bytes:
    """Return the log: a line that says what it is, then the events, the newest last.

    An alert quotes the last line alone, so each has its time in full. Old lines give way to
    LATEST_LOG_BYTES.
    """
    head = f"{_HEAD}{run_id}\n".encode()
    lines: list[bytes] = []
    room = LATEST_LOG_BYTES - len(head)
    for event in reversed(list(events)):
        # Hidden once more: what a foreign hand wrote into the journal was never looked through.
        text = STANDARD.text(line_of(event, _time))[:LATEST_LOG_LINE_CHARS]
        line = f"{text}\n".encode()
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    return head + b"".join(reversed(lines))


def _time(ts: str) -> str:
    try:
        return stamp_seconds(parse_stamp(ts))
    except (ValueError, OverflowError):
        return ts
