"""Records of files, serialised by the batch, and what else makes lines of a job's words."""

import os
from typing import Any, Final

import orjson

from journal import events
from journal.limits import LINE_BYTES
from journal.recorder.intake import Tally
from journal.redaction import Redaction

BATCH_FILES: Final = 256  # serialised at once: in all they are shorter than a line may be
_PLAIN: Final = (str, int, float, bool, type(None))


class Batch:
    """Records of files, and what they add to their sources."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.records: list[events.Record] = []
        self.tally: Tally | None = None
        self._sources: list[str] = []
        self.bytes = 0  # of the files counted for `tally`
        self._counted = 0  # records counted for other tallies before
        self._total = 0

    def count(self, tally: Tally | None) -> int:
        """Add what was collected to its source and go on with another; return all bytes so far."""
        if self.tally is not None:
            self.tally.files += len(self.records) - self._counted
            self.tally.bytes += self.bytes
            self._sources.append(self.tally.source)
        self._total += self.bytes
        self.tally, self.bytes, self._counted = tally, 0, len(self.records)
        return self._total

    def lines(self, redaction: Redaction) -> bytes:
        """Serialise the records: all at once, unless one of them needs a closer look."""
        try:
            text = orjson.dumps(self.records)
        except Exception:  # noqa: BLE001 - a number too large, a lone surrogate: one by one
            text = b""
        if not 0 < len(text) <= LINE_BYTES or not redaction.are_plain(self._names()):
            return b"".join(line(record, redaction) for record in self.records)
        # No string holds this: a quote inside a string is escaped.
        return text[1:-1].replace(b'},{"seq":', b'}\n{"seq":') + b"\n"

    def _names(self) -> str:
        """Return all that the job itself has written: paths and names of sources."""
        return "\n".join([*self._sources, *[record["path"] for record in self.records]])


def line(record: events.Record, redaction: Redaction) -> bytes:
    """Encode a record; of one that holds something hostile, what is plain."""
    try:
        return events.encode(record, redaction)
    except Exception:  # noqa: BLE001 - the job's objects run code of theirs, its threads change them
        kept = {key: value for key, value in record.items() if type(value) in _PLAIN}
        return events.encode({**kept, "truncated": True}, redaction)


def name(path: object) -> str:
    """Make text of what the job gave as a path."""
    try:
        return os.fsdecode(path)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a foreign __fspath__ may raise anything
        return str(events.plain(path))


def number(value: Any) -> float | None:
    """Make a number of seconds of what the job gave, None if it is none."""
    try:
        return float(value)
    except Exception:  # noqa: BLE001 - foreign objects may raise anything
        return None
