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
from journal.segments import PRUNED, START, is_pruned
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

    `stored` is the document that was found, `version` what to expect when replacing it. `pruned`
    are streams of which the journal holds no more than a tombstone.
    """

    run: dict[str, Folded]
    stored: snapshot.Snapshot | None
    stored_body: bytes
    version: Expectation
    store_time: float
    damages: list[str] = field(default_factory=list)
    pruned: set[str] = field(default_factory=set)

    def fall_back(self, stream: str, folded: Folded | None = None) -> None:
        """Take of a stream what the stored document says, or `folded`; nothing if it says nothing.

        What is no more in the journal must not get into a document that does not know it.
        """
        # Decoded again: the state that was decoded before is used up.
        stored = (snapshot.decode(self.stored_body).streams or {}).get(stream)
        if stored is None:
            self.run.pop(stream, None)
        else:
            self.run[stream] = folded or stored

    def document(self, run_id: str) -> dict[str, Any]:
        """Render the document of the run as it was read."""
        return snapshot.render(run_id, self.run, self.stored.document if self.stored else {})


def read_run(
    store: ReadStore,
    run_id: str,
    *,
    known: dict[str, Folded] | None = None,
    everything: bool = False,
    only: str | None = None,
    search: bool = False,
) -> Reading:
    """Read a run: its snapshot, then of each stream what is new since.

    `known` are states folded before; they are used up. With `everything`, segments are listed too,
    which shows new streams and missing segments, and closed streams are looked at again. With
    `only`, no other stream is read if the snapshot knows the run; with `search`, streams that it
    does not know are found. Raises Unavailable, Refused, Corrupt (a later format).
    """
    answer = store.get(layout.snapshot_key(run_id))
    reading = Reading(dict(known or {}), None, b"", ABSENT, answer.store_time)
    if isinstance(answer, Found):
        reading.stored = snapshot.decode(answer.body)
        reading.stored_body = answer.body
        reading.version = answer.version
    stored = reading.stored
    streams = stored.streams if stored is not None and not stored.outdated else None
    for name, folded in (streams or {}).items():
        if name not in reading.run or reading.run[name].cursor < folded.cursor:
            reading.run[name] = folded
    listed: dict[str, int] | None = None
    if everything or streams is None:
        listed = log.listing(store, run_id).streams
    names = {*reading.run, *(listed or ())} if only is None or listed is not None else {only}
    if search and listed is None:
        names.update(log.stream_names(store, run_id))
    for name in sorted(names):
        folded = reading.run.get(name, Folded(START, StreamState()))
        settled = folded.state.sealed in CLOSED and name != layout.MAIN
        if everything or streams is None or not settled:
            last = None if listed is None else listed.get(name, -1)
            _read_stream(store, run_id, name, folded, reading, last=last)
    if layout.MAIN in reading.pruned and layout.MAIN not in reading.run:
        reading.run.clear()  # what is left beside it does not speak for the run
    return reading


def _read_stream(
    store: ReadStore, run_id: str, name: str, folded: Folded, reading: Reading, *, last: int | None
) -> None:
    """Fold a stream from its cursor to its end into the reading; `last` is its last segment.

    It is -1 for a stream that does not exist, and None if nobody has looked.
    """
    cursor, before = folded.cursor, len(reading.damages)
    reader = log.StreamReader(store, run_id, name, cursor, exists=max(0, last or 0))
    for batch in reader.read():
        reading.damages += map(str, batch.damages)
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
    is_damaged = len(reading.damages) > before
    if is_damaged and _is_pruned(store, run_id, name):
        # What is missing was meant to go, and what was folded of the rest means nothing.
        reading.pruned.add(name)
        del reading.damages[before:]
        reading.fall_back(name)
    elif folded.state.sealed == PRUNED and folded.state.last_record is None:
        reading.pruned.add(name)  # a tombstone, or a stream that never said anything
        reading.fall_back(name, folded)
    elif (reader.misplaced or is_beyond) and cursor != START:
        # The snapshot's cursor names a place that is not there: it is ignored.
        reading.run.pop(name, None)
        _read_stream(store, run_id, name, Folded(START, StreamState()), reading, last=last)


def _is_pruned(store: ReadStore, run_id: str, stream: str) -> bool:
    """Look whether a stream was pruned; its first slot tells before anything is missing."""
    found = store.get(layout.segment_key(run_id, stream, 0))
    return isinstance(found, Found) and is_pruned(found.body)


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
        self._has_listed = False

    def compact(
        self, *, everything: bool = False, only: str | None = None, search: bool = False
    ) -> Compaction:
        """Fold what is new and install the document, unless nothing has changed.

        What is read is as in `read_run`. Raises Unavailable (also when every attempt lost its
        race), Refused, Corrupt.
        """
        everything = everything or (only is None and (self._known is None or not self._has_listed))
        for _ in range(COMPACT_ATTEMPTS):
            known, self._known = self._known, None
            reading = read_run(
                self._store,
                self._run_id,
                known=known,
                everything=everything,
                only=only,
                search=search,
            )
            # Behind a tombstone there may be strays, and nothing to fold.
            self._known = {n: f for n, f in reading.run.items() if n not in reading.pruned}
            self._has_listed |= everything
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
