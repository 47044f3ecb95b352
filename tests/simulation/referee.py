"""Holds all that happens in a history against the promises; the first breach ends the history."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from journal import carried, layout, snapshot
from journal.clock import parse_stamp, stamp
from journal.errors import JournalError
from journal.fold import fold
from journal.layout import MAIN
from journal.limits import CLOCK_SLACK_SECONDS
from journal.log import Batch
from journal.segments import Cursor
from journal.snapshot import Folded
from journal.state import StreamState
from journal.stores.contract import Absent, Found, Unchanged
from tests.simulation.chain import Broken, Chain
from tests.simulation.scheduler import Scheduler

RUN = "simulated"
RENDERED_EACH = 6  # every so many installed documents are rendered again from the log


@dataclass
class Document:
    """The journal's own document that was installed last."""

    cursors: dict[str, Cursor] = field(default_factory=dict)


@dataclass
class Reference:
    """A stream folded by the referee, up to a number of lines."""

    folded: int = 0
    state: StreamState = field(default_factory=StreamState)


class Referee:
    """Sees every applied put, every acknowledgement, every batch a reader was given."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.breach: str | None = None
        self.chains: dict[str, Chain] = {}
        self.document = Document()
        self.counts: Counter[str] = Counter()
        self.checks_snapshots = True
        self._shown = 0.0  # the newest document's `last_update`, as far as it can be true
        self._told = 0.0  # the latest one that a foreign program wrote
        self._scheduler = scheduler
        self._references: dict[str, Reference] = {}
        self._installed = 0
        self._spooled: dict[tuple[str, str], int] = {}
        self._silenced: dict[tuple[str, str], int] = {}

    def fail(self, what: str) -> None:
        """End the history: a promise is broken."""
        if self.breach is None:
            self.breach = what
        self._scheduler.is_stopped = True

    def circles(self) -> None:
        """End the history: somebody turns in circles."""
        self.fail("liveness: the requests have no end")

    def chain(self, stream: str) -> Chain:
        """Return what lies in a stream."""
        if stream not in self.chains:
            self.chains[stream] = Chain(stream)
        return self.chains[stream]

    def changed(self, key: str, old: bytes | None, new: bytes, by: str) -> None:
        """Take in that a put was applied."""
        place = layout.parse_segment_key(key)
        try:
            if place is not None:
                chain = self.chain(place[1])
                if chain.is_deleted:
                    raise Broken("a stream was written to though its segment was deleted")
                chain.change(place[2], old, new, by)
            elif key == layout.snapshot_key(RUN) and self.checks_snapshots:
                self._changed_document(new)
        except Broken as broken:
            self.fail(f"{key}, put by {by}: {broken}")

    def acknowledged(self, by: str, stream: str, first: int, lines: list[bytes]) -> None:
        """Take in that a writer was told its records from seq `first` on are durable."""
        there = self.chain(stream).records[first : first + len(lines)]
        self.counts["acknowledged"] += len(lines)
        if there != lines:
            self.fail(f"{by}: records from {first} on were acknowledged and are not in the log")

    def heard_durable(self, by: str, stream: str, events: int) -> None:
        """Take in that a job was told that its first `events` events are durable."""
        there = self.chain(stream).said.get(by, -1) + 1
        if there < events:
            self.fail(f"{by}: flush said {events} events are durable, {there} are in the log")

    def fenced(self, by: str, stream: str, segment: int, sent: bytes, *, counted: bool) -> None:
        """Take in that a writer was fenced; `counted` if all it sent counted as acknowledged."""
        self.counts["fenced"] += 1
        chain = self.chain(stream)
        there = chain.segments[segment] if segment < len(chain.segments) else None
        if there is None or there.touched == {by}:
            self.fail(f"{by} was fenced, and nobody but itself wrote to its segment")
        elif there.body.startswith(sent) and not counted:
            self.fail(f"{by} was fenced, and what it sent is in the log, not acknowledged")

    def held(self, by: str, stream: str) -> None:
        """Take in that a claimant was told that somebody has the stream."""
        self.counts["held"] += 1
        chain = self.chain(stream)
        if all(segment.touched == {by} for segment in chain.segments):
            self.fail(f"{by} was told that {stream} is held, and nobody but itself holds it")

    def spooled(self, by: str, stream: str, events: int) -> None:
        """Take in that a process died; its first `events` events are in the log or its spool."""
        self.counts["spools left"] += 1
        self._spooled[by, stream] = events

    def silenced(self, by: str, stream: str) -> None:
        """Take in that a process knows that it lost its stream: it adds nothing to the log."""
        self._silenced.setdefault((by, stream), self.chain(stream).said.get(by, -1))

    def recovered(self) -> None:
        """Check that all spools have been sent, but for those of fenced writers."""
        for (by, stream), events in self._spooled.items():
            there = self.chain(stream).said.get(by, -1) + 1
            if there < events:
                self.fail(f"{by} left {events} events, and {there} are in the log")
        for (by, stream), last in self._silenced.items():
            there = self.chain(stream).said.get(by, -1)
            if there != last:
                self.fail(f"{by} knew that it was fenced after {last}, and {there} is in the log")

    def read(self, by: str, before: Cursor, batch: Batch) -> None:
        """Take in what a reader was given from a cursor on."""
        chain = self.chain(batch.stream)
        if chain.is_deleted:
            return
        self.counts["lines read"] += len(batch.lines)
        if batch.damages:
            self.fail(f"{by} sees damage: {batch.damages[0]}")
        start, end = chain.index(before), chain.index(batch.cursor)
        if start is None or end is None or chain.lines[start:end] != batch.lines:
            self.fail(f"{by} was given other lines than lie from {before} to {batch.cursor}")

    def compacted(self, by: str, damages: list[str]) -> None:
        """Take in that a compaction came to its end."""
        self.counts["compactions"] += 1
        if damages and self.checks_snapshots:
            self.fail(f"{by} sees damage: {damages[0]}")

    def _changed_document(self, new: bytes) -> None:
        """Hold a new document against the one that it replaces, which its writer has read."""
        stored, now = snapshot.decode(new), self._scheduler.now
        if stored.streams is None:  # a foreign program's
            self._told = max(self._told, _rounded(stored))
            self._shown = min(_rounded(stored), now + CLOCK_SLACK_SECONDS)
            return
        self.counts["documents"] += 1
        self._installed += 1
        for name, cursor in self.document.cursors.items():
            if name not in stored.streams or stored.streams[name].cursor < cursor:
                raise Broken(f"the snapshot went back in {name}")
        self._check_update(stored.document["last_update"], snapshot.last_sign(stored.streams))
        folded = {name: self._folded(name, part) for name, part in stored.streams.items()}
        if self._installed % RENDERED_EACH == 0:
            self._rendered_again(stored.document, new, folded)
        self.document = Document({name: part.cursor for name, part in stored.streams.items()})

    def _check_update(self, updated: str, sign: float) -> None:
        """It does not go back, and is no later than a sign of life or what somebody told."""
        at = parse_stamp(updated)
        if at < int(max(sign, self._shown)):
            raise Broken(f"last_update went back from {stamp(self._shown)} to {updated}")
        if at > max(sign, min(self._told, self._scheduler.now + CLOCK_SLACK_SECONDS)):
            raise Broken(f"last_update is {updated}, and the last sign of life of {stamp(sign)}")
        self._shown = at

    def check_left_alone(self, document: Mapping[str, Any], run: Mapping[str, Folded]) -> None:
        """Check that a foreign document which stays was written after all that anybody said."""
        self.counts["left alone"] += 1
        main = run[MAIN].state if MAIN in run else None
        is_over = main is not None and main.finish is not None
        is_open = any(part.state.sealed in (None, "roll", "takeover") for part in run.values())
        newer = (carried.updated(document) or 0.0) > snapshot.last_sign(run)
        if (is_open and not is_over) or not newer:
            self.fail("the last document is another program's, and the run is at work")

    def _folded(self, name: str, part: Folded) -> Folded:
        """Fold a stream up to the cursor that a document says, and compare."""
        chain = self.chain(name)
        end = chain.index(part.cursor)
        if end is None:
            raise Broken(f"the snapshot's cursor in {name}, {part.cursor}, is no place in the log")
        reference = self._references.setdefault(name, Reference())
        if reference.folded > end:
            reference = self._references[name] = Reference()  # it was folded anew from the start
        new = chain.decoded[reference.folded : end]
        reference.state = fold(reference.state, new)
        reference.folded = end
        if reference.state != part.state:
            raise Broken(f"the snapshot's state of {name} is not the fold of its records")
        return Folded(part.cursor, reference.state)

    def _rendered_again(
        self, document: Mapping[str, Any], body: bytes, run: dict[str, Folded]
    ) -> None:
        since = carried.updated(document) or 0.0
        again = snapshot.encode(snapshot.render(RUN, run, document, since=since))
        if again != body:
            raise Broken("the snapshot is not what its records render to")


def _rounded(stored: snapshot.Snapshot) -> float:
    """Return a document's `last_update` rounded up to seconds, 0.0 if it holds none."""
    updated = carried.updated(stored.document)
    return 0.0 if updated is None else float(ceil(updated))


class Frugality:
    """Sees what a compactor asks for: never what a document it was given already covers."""

    def __init__(self, referee: Referee, by: str) -> None:
        self._referee = referee
        self._by = by
        self._covered: dict[str, Cursor] = {}

    def saw(self, key: str, start: int, answer: Found | Unchanged | Absent) -> None:
        """Take in a get and its answer."""
        if key == layout.snapshot_key(RUN) and isinstance(answer, Found):
            streams = snapshot.decode(answer.body).streams
            self._covered = {n: part.cursor for n, part in (streams or {}).items()}
            return
        place = layout.parse_segment_key(key)
        if place is None:
            return
        covered = self._covered.get(place[1])
        if covered is not None and (place[2], start) < (covered.segment, covered.bytes):
            self._referee.fail(f"{self._by} reads {key} from {start}, folded already: {covered}")


def trouble(by: str, error: JournalError) -> str:
    """Say what a process was told and should not have been."""
    return f"{by} was told {type(error).__name__}: {error}"
