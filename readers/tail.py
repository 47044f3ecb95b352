"""The events of runs: the last of them, all of them, those behind a cursor, and as they come.

Streams are found in the snapshot, whose conditional GET tells each poll which are new; they are
listed once at the start and once at the end, and of several every few minutes. Within what one poll
finds, records of several streams come in the order of their times; each stream's own order always
holds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, islice
from operator import itemgetter

from journal import clock, log
from journal.errors import Unavailable
from journal.layout import MAIN
from journal.segments import START, Cursor
from journal.snapshot import Folded
from journal.stores import ReadStore
from readers import cursor, ends
from readers.cursor import Places
from readers.event import Event, Stretch
from readers.last import last_of
from readers.moments import Moments
from readers.outage import Outage
from readers.runs import located
from readers.streams import Streams

POLL_SECONDS = 1.0
POLL_LEAST_SECONDS = 0.5
POLL_MAX_SECONDS = 5.0
SURVEY_SECONDS = 300.0

_PLACE = itemgetter(0, 1)  # of an event: its run and its stream
_TOGETHER = 4096  # events handed out at once: enough that handing out costs nothing


_Poll = list[Iterator[Stretch]]
"""What one look at the streams finds, stream by stream: to be read to its end before the next."""


def _anything(_event: Event) -> bool:
    return True


class Tail:
    """Reads the events of one run or of several; not for several threads at once.

    `complain` is called with a line for each damage found and each outage. `cursor` is the place
    behind the last event that was handed out: one that is yielded alone is so from then on, a batch
    when the next one is asked for; if that is deferred, when `hand_out` is told of it. What was not
    handed out is held in memory.
    """

    def __init__(
        self,
        store: ReadStore,
        run_ids: str | Sequence[str],
        complain: Callable[[str], None] = lambda _line: None,
        *,
        keep: bool = True,
        deferred: bool = False,
        patient: bool = False,
    ) -> None:
        """Read no run yet; without `keep`, lines are passed on faster and records cost more.

        One who is `patient` rides out an outage while reading what is there, too, once the store
        has answered.
        """
        self._store = store
        self._complain = complain
        self._keep = keep
        self._deferred = deferred
        self._patient = patient
        self._given: Places = {}  # where to begin, of streams that are not read yet
        self._over: set[str] = set()  # runs that were drained
        self._runs: dict[str, Streams] = {}
        self._outage = Outage(complain)
        self._moments = Moments()
        self._surveyed = clock.monotonic()
        for run_id in [run_ids] if isinstance(run_ids, str) else run_ids:
            self._open(run_id)

    def _open(self, run_id: str) -> Streams:
        return self._runs.setdefault(
            run_id, Streams(self._store, run_id, self._complain, keep=self._keep)
        )

    @property
    def run_ids(self) -> list[str]:
        """The runs that are read."""
        return list(self._runs)

    @property
    def damaged(self) -> int:
        """How many damages were found."""
        return sum(run.damaged for run in self._runs.values())

    @property
    def statuses(self) -> dict[str, str | None]:
        """How each run ended, as far as it was read."""
        return {run_id: run.status for run_id, run in self._runs.items()}

    @property
    def status(self) -> str | None:
        """How the run ended, as far as it was read; of several, of one that has not: None."""
        statuses = set(self.statuses.values())
        return None if None in statuses or not statuses else max(statuses, key=str)

    @property
    def cursor(self) -> str:
        """The place behind the last event that was handed out, as a token."""
        given = self._given
        return cursor.encode(
            {name: {**given.get(name, {}), **run.places} for name, run in self._runs.items()}
        )

    def everything(self) -> Iterator[Event]:
        """Yield all events there are. Raises Missing, Unavailable, Refused, Corrupt."""
        return self._each(self._everything())

    def batches(self) -> Iterator[Sequence[Event]]:
        """Yield all events there are, many at a time. Raises as `everything` does."""
        return self._together(self._everything())

    def last(self, count: int, wanted: Callable[[Event], bool] = _anything) -> Iterator[Event]:
        """Yield the last `count` wanted events, reading from the end: three requests as a rule.

        Those are, for each run, the snapshot, a listing of the streams and the end of the last
        segment; each further stream adds one. Raises Missing, Unavailable, Refused, Corrupt.
        """
        for event in self.last_batch(count, wanted):
            self._runs[event.run_id].hand_out(event.stream, 1)
            if wanted(event):
                yield event

    def last_batch(self, count: int, wanted: Callable[[Event], bool] = _anything) -> list[Event]:
        """Return what `last` yields and what lies between, to be handed out."""
        streams = [
            end for run in self._runs.values() for end in last_of(self._store, run, count, wanted)
        ]
        found = list(merge(*streams, key=self._moments))
        shown = [at for at, event in enumerate(found) if wanted(event)]
        first = shown[-count] if 0 < count <= len(shown) else 0
        if count == 0:
            first = len(found)
        self.hand_out(found[:first])
        return found[first:]

    def since(self, ts: str) -> Iterator[Sequence[Event]]:
        """Yield batches with all events whose `ts` is not before a time, and few others.

        Raises Missing, Unavailable, Refused, Corrupt.
        """
        for run in self._runs.values():
            known = run.look()
            listing = log.listing(self._store, run.run_id)
            for name in {**known, **listing.streams}:
                last = listing.streams.get(name, 0)
                segment = known[name].cursor.segment if name in known else last
                start = ends.start_of(self._store, run.run_id, name, segment, ts)
                run.add(name, start, exists=last)
            if MAIN in known:
                run.know(known[MAIN])
            run.check_exists()
        yield from self._together([self._poll(patient=self._patient, closed=True)])

    def behind(self, places: Places) -> Iterator[Sequence[Event]]:
        """Yield batches with all events behind a cursor. Raises as `since` does.

        A run that the cursor does not name is read from its start.
        """
        self._given = places
        for run in self._runs.values():
            known = run.look()
            listing = log.listing(self._store, run.run_id)
            there = places.get(run.run_id, {})
            for name in {**known, **listing.streams, **there}:
                at = there.get(name, Cursor())
                run.add(name, at, exists=listing.streams.get(name, 0))
                if name in known:
                    run.close(name, known[name])
            main, place = known.get(MAIN), there.get(MAIN, START)
            if main is not None and place.seq >= main.cursor.seq:
                run.know(main)  # there is no more to be read of it
            elif place != START:
                run.look_back(place)
            run.check_exists()
        yield from self._together([self._poll(patient=self._patient, closed=True)])

    def follow(
        self,
        stop: Callable[[], bool] = lambda: False,
        poll_seconds: float | None = None,
    ) -> Iterator[Event]:
        """Yield the events that come after those read, until the runs have ended or `stop`.

        An outage of the store is ridden out, with a complaint at its start and one at its end.
        """
        return self._each(self._following(stop, poll_seconds))

    def follow_batches(
        self,
        stop: Callable[[], bool] = lambda: False,
        poll_seconds: float | None = None,
        *,
        forever: bool = False,
    ) -> Iterator[Sequence[Event]]:
        """Yield what `follow` does, in batches, and an empty one at the end of each poll.

        `forever` goes on when all runs have ended: others may be joined.
        """
        for poll in self._following(stop, poll_seconds, forever=forever):
            yield from self._together([poll])
            yield []

    def hand_out(self, batch: Sequence[Event]) -> None:
        """Count a batch that was yielded, or its first part, as handed out."""
        if isinstance(batch, Stretch):
            self._runs[batch.run_id].hand_out(batch.stream, len(batch))
            return
        for (run_id, stream), count in Counter(map(_PLACE, batch)).items():
            self._runs[run_id].hand_out(stream, count)

    def hand_out_all(self) -> None:
        """Count all that was read as handed out."""
        for run in self._runs.values():
            run.hand_out_all()

    def join(self, run_id: str) -> None:
        """Read one more run from its start, from the next poll on."""
        run = self._open(run_id)
        if not run.read:
            for name in self._patiently(run.names):
                run.add(name)

    def look_again(self, run_id: str) -> None:
        """Follow a run that has ended once more if its snapshot has changed: another attempt.

        Raises Unavailable, Refused.
        """
        if run_id in self._over and self._runs[run_id].look():
            self._over.discard(run_id)

    def _everything(self) -> Iterator[_Poll]:
        known: dict[str, dict[str, Folded]] = {}
        for run in self._runs.values():
            known[run.run_id] = run.look()
            listing = log.listing(self._store, run.run_id)
            for key in listing.foreign:
                self._complain(f"{key}: not the journal's, ignored")
            run.start(listing.streams, known[run.run_id])
            run.check_exists()
        yield self._poll(patient=self._patient)
        for run in self._runs.values():
            run.check_end(known[run.run_id])

    def _following(
        self,
        stop: Callable[[], bool],
        poll_seconds: float | None,
        *,
        forever: bool = False,
    ) -> Iterator[_Poll]:
        """Yield of each poll what is new, to be read to its end before the next."""
        over = self._over
        self._outage.stop = stop
        pause, shortest = 0.0, poll_seconds
        while not stop():
            at_work = [run for run in self._runs.values() if run.run_id not in over]
            before = [run.read for run in at_work]
            ending = [run for run in at_work if run.is_over]
            for run in at_work:
                # Main has said its last: list once more, and read every stream to its end.
                for name in self._patiently(run.names if run in ending else run.look):
                    run.add(name)
            self._survey(at_work)
            yield self._poll(patient=True, of=at_work, closed=ending)
            over |= {run.run_id for run in ending if run.is_over}
            if len(over) == len(self._runs) and not forever:
                return
            shortest = poll_seconds or self._cadence(at_work)
            moved = [run.read for run in at_work] != before
            longest = max(shortest, POLL_MAX_SECONDS)
            pause = shortest if moved else min(max(pause, shortest) * 1.5, longest)
            if not any(run.is_over for run in at_work if run not in ending):
                clock.sleep(pause)

    def _cadence(self, runs: Iterable[Streams]) -> float:
        """Return how often to look at writers who flush so often: five times as often."""
        said = [run.flush_seconds for run in runs if run.flush_seconds is not None]
        wanted = min(said) / 5 if said else POLL_SECONDS
        return min(max(wanted, POLL_LEAST_SECONDS), POLL_MAX_SECONDS)

    def _survey(self, runs: Iterable[Streams]) -> None:
        """List the segments of runs with several streams now and then: a snapshot may lag."""
        if clock.monotonic() - self._surveyed < SURVEY_SECONDS:
            return
        for run in runs:
            if not run.is_alone:
                self._patiently(lambda run=run: run.survey() or ())  # type: ignore[misc]
        self._surveyed = clock.monotonic()

    def _poll(
        self,
        *,
        patient: bool,
        closed: bool | Sequence[Streams] = False,
        of: Sequence[Streams] | None = None,
    ) -> _Poll:
        """Return what is new in all streams; in closed ones only if asked to."""
        runs = list(self._runs.values()) if of is None else of
        return [
            run.stretches(reader, self._outage if patient else None)
            for run in runs
            for reader in run.due(closed=closed if isinstance(closed, bool) else run in closed)
        ]

    def _merged(self, poll: _Poll) -> Iterator[Event]:
        streams = [chain.from_iterable(stretches) for stretches in poll]
        return streams[0] if len(streams) == 1 else merge(*streams, key=self._moments)

    def _patiently(self, ask: Callable[[], Iterable[str]]) -> list[str]:
        while True:
            try:
                answer = list(ask())
            except Unavailable as failed:
                if not self._outage.wait(failed):
                    return []
            else:
                return answer

    def _together(self, polls: Iterable[_Poll]) -> Iterator[Sequence[Event]]:
        for batch in chain.from_iterable(map(self._grouped, polls)):
            yield batch
            if not self._deferred:
                self.hand_out(batch)

    def _grouped(self, poll: _Poll) -> Iterator[Sequence[Event]]:
        if len(poll) == 1:
            for stretch in poll[0]:
                for at in range(0, len(stretch), _TOGETHER):
                    yield stretch[at : at + _TOGETHER]
        else:
            merged = self._merged(poll)
            while together := list(islice(merged, _TOGETHER)):
                yield together

    def _each(self, polls: Iterable[_Poll]) -> Iterator[Event]:
        for poll in polls:
            for event in self._merged(poll):
                self._runs[event.run_id].hand_out(event.stream, 1)
                yield event


def follow(
    run: str,
    root: str | None = None,
    *,
    after: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    complain: Callable[[str], None] = lambda _line: None,
) -> Iterator[Event]:
    """Yield the events of a run, those that are there and those that come, until it has ended.

    `run` is what RUN is on the command line. `after` is a cursor: only what comes behind it. An
    outage of the store is ridden out; `complain` is called with a line for it. For the place to go
    on from, make a Tail of your own: its `cursor`. Raises Missing, Unavailable (only before the
    first event), Refused, Corrupt, ValueError.
    """
    store, run_id = located(run, root)
    tail = Tail(store, run_id, complain, patient=True)
    if after is None:
        yield from tail.everything()
    else:
        yield from chain.from_iterable(tail.behind(cursor.decode(after)))
    yield from tail.follow(stop)
