"""The streams of one run, as readers find them: in the snapshot, by a listing, or in a cursor."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

import orjson

from journal import layout, log, snapshot
from journal.errors import Missing, Unavailable
from journal.events import FINISHED, SEGMENT_OPENED, STARTED, Record
from journal.layout import MAIN
from journal.log import Batch, StreamReader
from journal.sections import CLOSED
from journal.segments import PRUNED, START, Cursor, is_pruned
from journal.snapshot import Folded
from journal.stores import Found, ReadStore, Version
from readers import ends
from readers.event import Stretch
from readers.ledger import Ledger
from readers.outage import Outage

_LAST_WORDS: Final = 2  # records: the last, and one that a foreign hand may have put behind it

READ_EACH: Final = 16
"""Up to so many open streams are read at every poll; of more, those that have moved."""


class Streams:
    """The streams of a run, each with how far it was read and how much of it was handed out.

    `complain` is called with a line for each damage; damages are counted in `damaged`.
    """

    def __init__(
        self, store: ReadStore, run_id: str, complain: Callable[[str], None], *, keep: bool
    ) -> None:
        """Know no stream yet; `keep` is that of a StreamReader."""
        self.run_id = run_id
        self.damaged = 0
        self.status: str | None = None  # how the run ended, as far as it was read
        self.flush_seconds: float | None = None  # the shortest that a writer said
        self._store = store
        self._complain = complain
        self._keep = keep
        self._readers: dict[str, StreamReader] = {}
        self._ledgers: dict[str, Ledger] = {}
        self._version: Version | None = None
        self._attempt = 0
        self._known_seq = 0  # main's records before it are in the status already
        self._is_pruned = False
        self._complained_of: set[str] = set()
        self._moved: dict[str, Cursor] = {}  # how far others have read, where it is further

    @property
    def places(self) -> dict[str, Cursor]:
        """Of each stream the place behind the last event that was handed out."""
        return {name: ledger.place for name, ledger in self._ledgers.items()}

    @property
    def read(self) -> list[Cursor]:
        """How far each stream was read."""
        return [reader.cursor for reader in self._readers.values()]

    @property
    def is_over(self) -> bool:
        """Whether main has said its last, as far as it was read, or was pruned."""
        return self.status is not None or self._is_pruned

    @property
    def is_alone(self) -> bool:
        """Whether there is but one stream."""
        return len(self._readers) < 2

    def hand_out(self, name: str, count: int) -> None:
        """Count off so many events of a stream as handed out."""
        self._ledgers[name].pass_over(count)

    def hand_out_all(self) -> None:
        """Count all that was read as handed out."""
        for ledger in self._ledgers.values():
            ledger.pass_over_all()

    def add(self, name: str, cursor: Cursor = START, *, exists: int = 0) -> None:
        """Read a stream from a place on, unless it is known already."""
        if name not in self._readers:
            self._readers[name] = StreamReader(
                self._store, self.run_id, name, cursor, exists=exists, keep=self._keep
            )
            self._ledgers[name] = Ledger(cursor)

    def add_behind(self, name: str, start: Cursor, batches: Iterable[Batch], end: Cursor) -> None:
        """Read a stream from `end` on; what lies between `start` and there was read already."""
        self.add(name, end)
        ledger = self._ledgers[name] = Ledger(start)
        for batch in batches:
            ledger.enter(batch)

    def look(self) -> dict[str, Folded]:
        """Return the streams that the snapshot knows, if it has changed since the last look.

        Raises Unavailable, Refused.
        """
        key = layout.snapshot_key(self.run_id)
        answer = self._store.get(key, unless=self._version)
        if not isinstance(answer, Found):
            return {}
        self._version = answer.version
        stored = snapshot.decode(answer.body)
        if stored.complaint is not None and stored.complaint not in self._complained_of:
            self._complained_of.add(stored.complaint)
            self._complain(f"{key}: {stored.complaint}")
        known = stored.streams or {}
        for name, folded in known.items():
            self._note_end(name, folded.cursor)
        return known

    def names(self) -> list[str]:
        """Return the names of all streams, by a listing."""
        return log.stream_names(self._store, self.run_id)

    def survey(self) -> None:
        """List all segments, and note which streams have grown. Raises Unavailable, Refused."""
        for entry in self._store.list(layout.streams_prefix(self.run_id)):
            place = layout.parse_segment_key(entry.key)
            if place is not None and place[0] == self.run_id:
                self.add(place[1])
                self._note_end(place[1], Cursor(place[2], entry.size or 0))

    def _note_end(self, name: str, end: Cursor) -> None:
        reader = self._readers.get(name)
        if reader is None or _is_before(reader.cursor, end):
            self._moved[name] = end

    def start(self, count_all: Mapping[str, int], known: Mapping[str, Folded]) -> None:
        """Read all streams from their first record; `count_all` are the highest segments."""
        for name in {**known, **count_all}:
            self.add(name, START, exists=count_all.get(name, 0))

    def know(self, main: Folded) -> None:
        """Take over what the snapshot says of main: its attempt, and whether the run has ended."""
        self.status = main.state.finish.status if main.state.finish is not None else None
        self._attempt = main.state.attempt
        self._known_seq = main.cursor.seq

    def look_back(self, place: Cursor) -> None:
        """See whether main, which is read from a place on, has said its last before it.

        Raises Unavailable, Refused.
        """
        end = ends.end_of(
            self._store,
            self.run_id,
            MAIN,
            (place.segment, place.bytes) if place.bytes else (max(0, place.segment - 1), 0),
            count=_LAST_WORDS,
            wanted=lambda record: record["seq"] < place.seq,
        )
        for record in chain.from_iterable(batch.records for batch in end.batches):
            if record["type"] in (FINISHED, STARTED) and record["seq"] < place.seq:
                self._heed(record)
        if not end.batches:
            first = self._store.get(layout.segment_key(self.run_id, MAIN, 0))
            if isinstance(first, Found) and is_pruned(first.body):
                self._note_pruned()

    def close(self, name: str, folded: Folded) -> None:
        """Take over that a stream is closed, if it was read as far as the snapshot has."""
        reader = self._readers[name]
        if reader.cursor == folded.cursor:
            reader.sealed = folded.state.sealed

    def check_exists(self) -> None:
        """Raise Missing if there is neither a stream nor a snapshot."""
        if not self._readers and self._version is None:
            raise Missing(f"no run {self.run_id} under this root; `journal ls` shows the runs")

    def check_end(self, known: Mapping[str, Folded]) -> None:
        """Complain of a stream that ends before the place that the snapshot has read up to."""
        for name, folded in known.items():
            reader = self._readers[name]
            if _is_before(reader.cursor, folded.cursor) and reader.sealed != PRUNED:
                key = layout.segment_key(self.run_id, name, reader.cursor.segment)
                self.complain_of([f"{key}: the snapshot has read further than there is"])

    def due(self, *, closed: bool) -> list[StreamReader]:
        """Return the streams to read now; closed ones only if asked to, or if they have moved."""
        readers = self._readers
        self._moved = {
            name: end
            for name, end in self._moved.items()
            if name not in readers or _is_before(readers[name].cursor, end)
        }
        if closed:
            return list(readers.values())
        still_open = [one for one in readers.values() if one.sealed not in CLOSED]
        if len(still_open) <= READ_EACH:
            return [
                one
                for one in readers.values()
                if one.sealed not in CLOSED or one.stream == MAIN or one.stream in self._moved
            ]
        return [
            one
            for one in readers.values()
            if one.stream == MAIN or one.stream in self._moved or one.cursor == START
        ]

    def stretches(self, reader: StreamReader, outage: Outage | None) -> Iterator[Stretch]:
        """Yield what is new in a stream; an outage, if it is given, is waited for.

        It is in here: who merges several streams holds events of the others, which an exception
        would lose. Raises Unavailable if it is not, Refused, Corrupt.
        """
        batches = reader.read()
        while True:
            try:
                batch = next(batches, None)
            except Unavailable as failed:
                if outage is None:
                    raise
                if not outage.wait(failed):
                    return
                batches = reader.read()
                continue
            if outage is not None:
                outage.is_over()
            if batch is None:
                return
            yield self._take(batch)

    def _take(self, batch: Batch) -> Stretch:
        """Take a batch that was read, and return its events."""
        self.complain_of(map(str, batch.damages))
        self._ledgers[batch.stream].enter(batch)
        self.note(batch)
        return Stretch(self.run_id, batch.stream, batch)

    def note(self, batch: Batch) -> None:
        """Keep in mind what a batch says of the run itself."""
        kinds, lines = batch.kinds, batch.lines
        if kinds and kinds[0] == SEGMENT_OPENED:
            said = orjson.loads(lines[0]).get("flush_seconds")
            if isinstance(said, int | float) and said > 0:
                self.flush_seconds = min(self.flush_seconds or said, said)
        if batch.stream == MAIN and (FINISHED in kinds or STARTED in kinds):
            for line, kind in zip(lines, kinds, strict=True):
                if kind in (FINISHED, STARTED):
                    record = orjson.loads(line)
                    if record["seq"] >= self._known_seq:
                        self._heed(record)
        if batch.sealed == PRUNED:
            self._note_pruned()

    def _note_pruned(self) -> None:
        if not self._is_pruned:
            self._is_pruned = True
            self._complain(f"run {self.run_id} was pruned; `journal status` shows what is left")

    def _heed(self, record: Record) -> None:
        """Keep in mind whether main's last word is `finished`."""
        if record["type"] == FINISHED:
            self.status = str(record.get("status"))
        else:
            attempt = record.get("attempt")
            number = attempt if type(attempt) is int else self._attempt + 1
            if self.status is None or number > self._attempt:
                self.status, self._attempt = None, number

    def complain_of(self, damages: Iterable[str]) -> None:
        """Complain of damages, of each once."""
        for damage in damages:
            if damage in self._complained_of:
                continue  # it is found again with every poll
            self._complained_of.add(damage)
            self.damaged += 1
            self._complain(damage)


def _is_before(one: Cursor, other: Cursor) -> bool:
    return (one.segment, one.bytes) < (other.segment, other.bytes)
