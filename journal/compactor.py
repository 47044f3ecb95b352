"""Fold what is new, install the snapshot. The document's cursor is the register of streams.

Anyone may compact a run at any time; several at once are harmless, since each takes the later
cursor of what it knows and what it finds, and installs on condition that nobody else did.
"""

from dataclasses import dataclass, field
from typing import Any

from journal import layout, log, snapshot
from journal.clock import parse_stamp
from journal.errors import Conflict, Unavailable
from journal.fold import fold
from journal.limits import COMPACT_ATTEMPTS
from journal.sections import CLOSED
from journal.segments import START
from journal.snapshot import Folded
from journal.state import StreamState
from journal.stores.contract import (
    ABSENT,
    Expectation,
    Found,
    ReadStore,
    Store,
)


@dataclass(slots=True)
class Reading:
    """A run as it stands in the store: every stream folded to its end.

    `stored` is the document that was found, `version` what to expect when replacing it.
    """

    run: dict[str, Folded]
    stored: snapshot.Snapshot | None
    stored_body: bytes
    version: Expectation
    store_time: float
    damages: list[str] = field(default_factory=list)

    def document(self, run_id: str) -> dict[str, Any]:
        """Render the document of the run as it was read."""
        return snapshot.render(run_id, self.run, self.stored.document if self.stored else {})


def read_run(
    store: ReadStore,
    run_id: str,
    *,
    known: dict[str, Folded] | None = None,
    everything: bool = False,
) -> Reading:
    """Read a run: its snapshot, then of each stream what is new since.

    `known` are states folded before; they are used up. With `everything`, segments are listed too,
    which shows new streams and missing segments, and closed streams are looked at again. Raises
    Unavailable, Refused, Corrupt (a later format).
    """
    answer = store.get(layout.snapshot_key(run_id))
    reading = Reading(dict(known or {}), None, b"", ABSENT, answer.store_time)
    if isinstance(answer, Found):
        reading.stored = snapshot.decode(answer.body)
        reading.stored_body = answer.body
        reading.version = answer.version
    streams = reading.stored.streams if reading.stored else None
    for name, folded in (streams or {}).items():
        if name not in reading.run or reading.run[name].cursor < folded.cursor:
            reading.run[name] = folded
    listed: dict[str, int] | None = None
    if everything or streams is None:
        listed = log.listing(store, run_id).streams
    for name in sorted({*reading.run, *(listed or ())}):
        folded = reading.run.get(name, Folded(START, StreamState()))
        settled = folded.state.sealed in CLOSED and name != layout.MAIN
        if everything or not settled:
            last = None if listed is None else listed.get(name, -1)
            _read_stream(store, run_id, name, folded, reading, last=last)
    return reading


def _read_stream(
    store: ReadStore, run_id: str, name: str, folded: Folded, reading: Reading, *, last: int | None
) -> None:
    """Fold a stream from its cursor to its end into the reading; `last` is its last segment.

    It is -1 for a stream that does not exist, and None if nobody has looked.
    """
    cursor = folded.cursor
    reader = log.StreamReader(store, run_id, name, cursor, exists=max(0, last or 0))
    for batch in reader.read():
        reading.damages += batch.damages
        # State and cursor move together, batch by batch, whatever comes next.
        folded = Folded(batch.cursor, fold(folded.state, batch.records))
        reading.run[name] = folded
    if reader.store_time is not None:
        reading.store_time = max(reading.store_time, reader.store_time)
    # A cursor is in a segment or, behind a seal, at the start of the next one.
    is_beyond = last is not None and cursor.segment > last + 1
    if is_beyond:
        key = layout.segment_key(run_id, name, cursor.segment - 1)
        reading.damages.append(f"{key}: the segment is missing")
    if (reader.misplaced or is_beyond) and cursor != START:
        # The snapshot's cursor names a place that is not there: it is ignored. Of a pruned stream
        # nothing but the snapshot's state is left.
        reading.run.pop(name, None)
        _read_stream(store, run_id, name, Folded(START, StreamState()), reading, last=last)
        if name in reading.run and reading.run[name].state.sealed == "pruned":
            reading.run[name] = folded


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did: the document, whether it was put, and what was found wrong."""

    document: dict[str, Any]
    installed: bool
    run: dict[str, Folded]
    damages: list[str]


class Compactor:
    """Compacts one run again and again, remembering what it folded."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._known: dict[str, Folded] | None = None

    def compact(self, *, everything: bool = False) -> Compaction:
        """Fold what is new and install the document, unless nothing has changed.

        Raises Unavailable (also when every attempt lost its race), Refused, Corrupt.
        """
        everything = everything or self._known is None
        for _ in range(COMPACT_ATTEMPTS):
            known, self._known = self._known, None
            reading = read_run(self._store, self._run_id, known=known, everything=everything)
            self._known = reading.run
            document = reading.document(self._run_id)
            if not reading.run or _is_left_alone(reading, document):
                stored = reading.stored.document if reading.stored else {}
                return Compaction(stored, False, reading.run, reading.damages)
            body = snapshot.encode(document)
            if body == reading.stored_body:
                return Compaction(document, False, reading.run, reading.damages)
            try:
                self._store.put(layout.snapshot_key(self._run_id), body, expect=reading.version)
            except Conflict:
                continue
            return Compaction(document, True, reading.run, reading.damages)
        raise Unavailable(f"run {self._run_id}: its snapshot is being replaced by others too fast")


def _is_left_alone(reading: Reading, document: dict[str, Any]) -> bool:
    """Tell whether the run has ended and another program has written its document since."""
    stored = reading.stored
    if stored is None or stored.streams is not None or document["finished"] is None:
        return False
    try:
        written = parse_stamp(str(stored.document.get("last_update")))
    except (ValueError, OverflowError):
        return False
    return written > parse_stamp(document["last_update"])
