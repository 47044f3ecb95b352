"""The events of a run: the last of them, all of them, and as they come.

Streams are found in the snapshot, whose conditional GET tells each poll which are new; they are
listed once at the start and once at the end. Within what one poll finds, records of several streams
come in the order of their times; each stream's own order always holds.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge

from journal import clock, layout, log, snapshot
from journal.errors import Missing, Unavailable
from journal.events import CONTROL, FINISHED, SEGMENT_SEALED, STARTED, Record
from journal.layout import MAIN
from journal.sections import CLOSED
from journal.segments import PRUNED, START, Cursor
from journal.snapshot import Folded
from journal.stores import Found, ReadStore, Version
from readers.ends import end_of
from readers.event import Event

POLL_SECONDS = 1.0
POLL_MAX_SECONDS = 5.0


def _anything(_record: Record) -> bool:
    return True


class Tail:
    """Reads the events of one run; not for several threads at once.

    `complain` is called with a line for each damage found and each outage; damages are counted in
    `damaged`.
    """

    def __init__(
        self, store: ReadStore, run_id: str, complain: Callable[[str], None] = lambda _line: None
    ) -> None:
        self.damaged = 0
        self.status: str | None = None  # how the run ended, as far as it was read
        self._store = store
        self._run_id = run_id
        self._complain = complain
        self._readers: dict[str, log.StreamReader] = {}
        self._version: Version | None = None
        self._attempt = 0
        self._outage = _Outage(complain)
        self._moments = _Moments()
        self._complained_of: set[str] = set()

    def everything(self) -> Iterator[Event]:
        """Yield all events there are. Raises Missing, Unavailable, Refused, Corrupt."""
        known = self._look()
        listing = log.listing(self._store, self._run_id)
        for key in listing.foreign:
            self._complain(f"{key}: not the journal's, ignored")
        for name in {**known, **listing.streams}:
            self._add(name, START, listing.streams.get(name, 0))
        self._check_exists()
        yield from self._poll(patient=False)
        for name, folded in known.items():
            last, read = folded.cursor, self._readers[name].cursor
            is_pruned = self._readers[name].sealed == PRUNED
            if (read.segment, read.bytes) < (last.segment, last.bytes) and not is_pruned:
                key = layout.segment_key(self._run_id, name, read.segment)
                self._complain_of([f"{key}: the snapshot has read further than there is"])

    def last(self, count: int, wanted: Callable[[Record], bool] = _anything) -> Iterator[Event]:
        """Yield the last `count` wanted events, reading from the end: three requests as a rule.

        Those are the snapshot, a listing of the streams and the end of the last segment; each
        further stream adds one. Raises Missing, Unavailable, Refused, Corrupt.
        """
        known = self._look()
        names = {**known, **dict.fromkeys(log.stream_names(self._store, self._run_id))}
        segments = (
            log.listing(self._store, self._run_id).streams if names.keys() - known.keys() else {}
        )
        if MAIN in known:
            main = known[MAIN].state
            self.status = main.finish.status if main.finish is not None else None
            self._attempt = main.attempt
        ends = [
            self._end_of(name, known.get(name), segments.get(name, 0), count, wanted)
            for name in names
        ]
        self._check_exists()
        found = [event for event in merge(*ends, key=_Moments()) if wanted(event.record)]
        yield from found[-count:] if count else ()

    def follow(
        self, stop: Callable[[], bool] = lambda: False, poll_seconds: float = POLL_SECONDS
    ) -> Iterator[Event]:
        """Yield the events that come after those read, until the run has ended or `stop` says so.

        An outage of the store is ridden out, with a complaint at its start and one at its end.
        """
        pause = poll_seconds
        while not stop():
            before = self._places()
            if self.status is not None:
                # Main has said its last: list once more, and read every stream to its end.
                for name in self._patiently(lambda: log.stream_names(self._store, self._run_id)):
                    self._add(name, START)
                yield from self._poll(patient=True, closed=True)
                if self.status is not None:
                    return
            for name in self._patiently(self._look):
                self._add(name, START)
            yield from self._poll(patient=True)
            moved = self._places() != before
            pause = poll_seconds if moved else min(pause * 1.5, max(poll_seconds, POLL_MAX_SECONDS))
            if self.status is None:
                clock.sleep(pause)

    def _places(self) -> list[Cursor]:
        return [reader.cursor for reader in self._readers.values()]

    def _add(self, name: str, cursor: Cursor, exists: int = 0) -> None:
        if name not in self._readers:
            self._readers[name] = log.StreamReader(
                self._store, self._run_id, name, cursor, exists=exists
            )

    def _check_exists(self) -> None:
        if not self._readers and self._version is None:
            raise Missing(f"no run {self._run_id} under this root; `journal ls` shows the runs")

    def _look(self) -> dict[str, Folded]:
        """Return the streams that the snapshot knows, if it has changed since the last look."""
        key = layout.snapshot_key(self._run_id)
        answer = self._store.get(key, unless=self._version)
        if not isinstance(answer, Found):
            return {}
        self._version = answer.version
        stored = snapshot.decode(answer.body)
        if stored.complaint is not None:
            self._complain(f"{key}: {stored.complaint}")
        return stored.streams or {}

    def _end_of(
        self,
        name: str,
        known: Folded | None,
        segment: int,
        count: int,
        wanted: Callable[[Record], bool],
    ) -> list[Event]:
        """Return at least the last `count` wanted events of a stream, and stand behind them."""
        place, seq = (segment, 0), 0
        if known is not None:
            cursor, seq = known.cursor, known.cursor.seq
            place = (cursor.segment, cursor.bytes)
            if cursor.bytes == 0 and cursor.segment > 0:
                place = (cursor.segment - 1, known.state.sealed_bytes)
        end = end_of(self._store, self._run_id, name, place, count=count, wanted=wanted)
        self._complain_of(end.damages)
        found = [Event(self._run_id, name, record, line) for record, line in end.records]
        if name == MAIN:
            for event in found:
                if event.record["seq"] >= seq:  # the snapshot knows what came before
                    self._take(event.record)
        self._add(name, end.cursor)
        closed = known is not None and known.state.sealed in CLOSED
        if end.cursor.bytes == 0 and not closed:
            # The segment was sealed: another may have been opened behind it.
            found += self._events(self._readers[name], patient=False)
        return found

    def _poll(self, *, patient: bool, closed: bool = False) -> Iterator[Event]:
        """Yield what is new in all streams, merged by time; in closed ones only if asked to."""
        readers = [
            reader
            for reader in self._readers.values()
            if closed or reader.sealed not in CLOSED or reader.stream == MAIN
        ]
        if len(readers) == 1:
            yield from self._events(readers[0], patient=patient)
        else:
            streams = [self._events(reader, patient=patient) for reader in readers]
            yield from merge(*streams, key=self._moments)

    def _events(self, reader: log.StreamReader, *, patient: bool) -> Iterator[Event]:
        """Yield what is new in a stream.

        A failing store is waited for in here: the merge above holds events of other streams that an
        exception would lose.
        """
        name, batches = reader.stream, reader.read()
        while True:
            try:
                batch = next(batches, None)
            except Unavailable as failed:
                if not patient:
                    raise
                self._outage.wait(failed)
                batches = reader.read()
                continue
            if patient:
                self._outage.is_over()
            if batch is None:
                return
            self._complain_of(map(str, batch.damages))
            for record, line in zip(batch.records, batch.lines, strict=True):
                if name == MAIN:
                    self._take(record)
                yield Event(self._run_id, name, record, line)

    def _patiently(self, ask: Callable[[], Iterable[str]]) -> list[str]:
        while True:
            try:
                answer = list(ask())
            except Unavailable as failed:
                self._outage.wait(failed)
            else:
                return answer

    def _take(self, record: Record) -> None:
        """Keep in mind whether main's last word is `finished`, and say if that is all there is."""
        if record["type"] == FINISHED:
            self.status = str(record.get("status"))
        elif record["type"] == STARTED:
            attempt = record.get("attempt")
            number = attempt if type(attempt) is int else self._attempt + 1
            if self.status is None or number > self._attempt:
                self.status, self._attempt = None, number
        elif record["type"] == SEGMENT_SEALED and record.get("reason") == PRUNED:
            self._complain(f"run {self._run_id} was pruned; `journal status` shows what is left")

    def _complain_of(self, damages: Iterable[str]) -> None:
        for damage in damages:
            if damage in self._complained_of:
                continue  # it is found again with every poll
            self._complained_of.add(damage)
            self.damaged += 1
            self._complain(damage)


class _Outage:
    """Waits while the store does not answer, and says so once when it begins and when it ends."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._since: float | None = None

    def wait(self, why: Unavailable) -> None:
        if self._since is None:
            self._since = clock.monotonic()
            self._complain(f"the store does not answer, trying on: {why}")
        clock.sleep(POLL_MAX_SECONDS)

    def is_over(self) -> None:
        if self._since is not None:
            self._complain(f"the store is back after {clock.monotonic() - self._since:.0f} s")
            self._since = None


class _Moments:
    """Orders events by time; each stream's own order is kept by a stable merge.

    A control line goes with the record before it. Its own time is that of a claim or a flush, after
    an outage hours later than the records behind it, which must not wait for that.
    """

    def __init__(self) -> None:
        self._latest: dict[str, str] = {}

    def __call__(self, event: Event) -> str:
        """Return the key of an event; called once for each, in the order of its stream."""
        if event.record["type"] in CONTROL:
            return self._latest.get(event.stream, "")
        moment: str = event.record["ts"]
        self._latest[event.stream] = moment
        return moment
