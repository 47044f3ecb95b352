"""Fold what is new, install the snapshot. The document's cursor is the register of streams.

Anyone may compact a run at any time; several at once are harmless, since each takes the later
cursor of what it knows and what it finds, and installs on condition that nobody else did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from journal import carried, layout, log, snapshot
from journal.errors import Conflict, Unavailable
from journal.fold import fold
from journal.limits import CLOCK_SLACK_SECONDS, COMPACT_ATTEMPTS
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

    def document(
        self, run_id: str, *, before: Mapping[str, Any] | None = None, told: float = 0.0
    ) -> dict[str, Any]:
        """Render the document of the run as it was read.

        `before` is an earlier one, `told` the newest `last_update` that was installed.
        """
        stored = self.stored.document if self.stored else {}
        # What was told is not taken back, whoever told it, as far as it can be true. It is rounded
        # up, for it is written in whole seconds.
        since = max(ceil(carried.updated(stored) or 0.0), told)
        since = min(since, self.store_time + CLOCK_SLACK_SECONDS)
        return snapshot.render(run_id, self.run, stored, before=before, since=since)


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
    """What a compaction did: the document, whether it was put, and what was found wrong.

    `body` is the document as it lies there now, empty if it is not the journal's.
    """

    document: dict[str, Any]
    installed: bool
    run: dict[str, Folded]
    damages: list[str]
    body: bytes = b""


class Compactor:
    """Compacts one run again and again, remembering what it folded and what it carried over."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._known: dict[str, Folded] | None = None
        self._has_listed = False
        self._before: dict[str, Any] = {}  # the document that was rendered last
        self._told = 0.0  # the `last_update` of the one that was installed last

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
            document = reading.document(self._run_id, before=self._before, told=self._told)
            self._before = document
            if not reading.run or _is_left_alone(reading):
                stored = reading.stored.document if reading.stored else {}
                return Compaction(stored, False, reading.run, reading.damages)
            body = snapshot.encode(document)
            is_new = body != reading.stored_body
            if is_new and not self._install(body, reading.version):
                continue
            self._told = carried.updated(document) or 0.0
            return Compaction(document, is_new, reading.run, reading.damages, body)
        raise Unavailable(f"run {self._run_id}: its snapshot is being replaced by others too fast")

    def _install(self, body: bytes, expect: Expectation) -> bool:
        try:
            self._store.put(layout.snapshot_key(self._run_id), body, expect=expect)
        except Conflict:
            return False
        return True


def _is_left_alone(reading: Reading) -> bool:
    """Tell whether nobody works on the run, and another program has written its document since."""
    stored, states = reading.stored, [folded.state for folded in reading.run.values()]
    if stored is None or stored.streams is not None:
        return False
    is_over = snapshot.lead_of(reading.run).finish is not None
    # By its own word: of a stream that was pruned without any, nothing is known.
    if not is_over and any(state.sealed not in ("close", "finish") for state in states):
        return False
    written = carried.updated(stored.document)
    return written is not None and written > snapshot.last_sign(reading.run)
