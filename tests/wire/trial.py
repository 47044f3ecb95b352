"""A job that works over a bad wire while a tail looks on, and which promises were broken."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from recorder.processes import PATIENCE_SECONDS

from journal import log
from journal.compactor import Compactor
from journal.layout import snapshot_key, stream_prefix
from journal.limits import READ_SECONDS
from journal.recorder.run import Run
from journal.recorder.start import start_run
from journal.stores import Found, Store, connect, read_only
from readers.tail import Tail

# Generous: the machine is shared, and many runs that begin at once make as many clients.
CALL_SECONDS = 5.0
BEGINNING_SECONDS = 30.0
_CONTROL = ("segment_opened", "segment_sealed")


def patient(root: str) -> Store:
    """A store that has made its client by now, and waits for answers as in life."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journal.stores.s3.READ_SECONDS", READ_SECONDS)
        store = connect(root)
        assert not list(store.list("nothing/"))
    return store


@dataclass(frozen=True)
class Stored:
    """What lies in the store of one run, asked past the proxy."""

    store: Store
    run_id: str

    @property
    def lines(self) -> list[bytes]:
        """All lines of `main`, control lines too."""
        prefix = stream_prefix(self.run_id, "main")
        keys = sorted(entry.key for entry in self.store.list(prefix))
        return [line for key in keys for line in self._body(key).splitlines()]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the job's events, in the order in which they lie there."""
        return [event["number"] for event in map(json.loads, self.lines) if "number" in event]

    @property
    def damages(self) -> list[str]:
        """What the journal's own reader complains of, hashes and chain among it."""
        exists = log.listing(self.store, self.run_id).streams.get("main", 0)
        reader = log.StreamReader(self.store, self.run_id, "main", exists=exists)
        return [damage for batch in reader.read() for damage in batch.damages]

    @property
    def snapshot(self) -> bytes:
        return self._body(snapshot_key(self.run_id))

    def folded_anew(self) -> bytes:
        """The snapshot after it was thrown away and made again from the whole journal."""
        self.store.delete(snapshot_key(self.run_id))
        Compactor(self.store, self.run_id).compact(everything=True)
        return self.snapshot

    def _body(self, key: str) -> bytes:
        found = self.store.get(key)
        return found.body if isinstance(found, Found) else b""


@dataclass
class Job:
    """Says numbered events, and keeps account of what it was told."""

    run: Run
    stored: Stored
    beginning_seconds: float
    longest_call_seconds: float = 0.0
    said: int = 0
    acknowledged: int = 0
    lies: list[str] = field(default_factory=list)

    def say(self, events: int, chars: int = 1000) -> None:
        """Say that many events of up to so many characters."""
        chance = Random(self.said)
        for _ in range(events):
            text = "x" * chance.randrange(chars)
            began = time.monotonic()
            self.run.emit("note", number=self.said, text=text)
            seconds = time.monotonic() - began
            self.longest_call_seconds = max(seconds, self.longest_call_seconds)
            self.said += 1

    def flush(self, *, looks: bool = True) -> None:
        """Wait until all is durable; look into the store whether that is so."""
        if not self.run.flush(PATIENCE_SECONDS):
            self.lies.append(f"after {self.said} events a flush never came true")
            return
        self.acknowledged = self.said
        if looks and (there := len(self.stored.numbers)) < self.said:
            self.lies.append(f"{self.said} events were acknowledged when {there} were there")


class Onlooker:
    """A tail in a thread of its own: what it read, and what it complained of."""

    def __init__(self, root: str, run_id: str) -> None:
        self.lines: list[bytes] = []
        self.complaints: list[str] = []
        self._tail = Tail(read_only(connect(root)), run_id, self.complaints.append)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Onlooker":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._thread.join(PATIENCE_SECONDS)
        self._is_over.set()

    @property
    def damaged(self) -> int:
        return self._tail.damaged

    def _look(self) -> None:
        for event in self._tail.follow(self._is_over.is_set):
            self.lines.append(event.line)


@dataclass(frozen=True)
class Outcome:
    """What came of a run: how much was acknowledged, and the promises that were broken."""

    run_id: str
    acknowledged: int
    breaches: list[str]


def trial(root: str, past: Store, run_id: str, work: Callable[[Job], None]) -> Outcome:
    """Let a job work through a proxy; `past` is the store of the same root past the proxy."""
    stored = Stored(past, run_id)
    with Onlooker(root, run_id) as tail:
        began = time.monotonic()
        run = start_run(run_id, root=root, job="trial", flush_seconds=0.2, sources=1)
        job = Job(run, stored, time.monotonic() - began)
        work(job)
        run.finish()
    return Outcome(run_id, job.acknowledged, list(_breaches(job, tail)))


def _breaches(job: Job, tail: Onlooker) -> Iterator[str]:
    """Hold what lies in the store, and what was told, against the promises."""
    stored = job.stored
    lines = stored.lines
    control = [line for line in map(json.loads, lines) if line["type"] in _CONTROL]
    records = [line for line in map(json.loads, lines) if line["type"] not in _CONTROL]
    yield from job.lies
    if [line["number"] for line in records if "number" in line] != list(range(job.said)):
        yield f"what lies there is not the {job.said} events that were said, in their order"
    if [line["seq"] for line in records] != list(range(len(records))):
        yield "the sequence has a gap or a repetition"
    yield from stored.damages
    writers = {line["writer"] for line in control if "writer" in line}
    end = [line["type"] for line in records[-1:]]
    if len(writers) != 1 or end != ["finished"]:
        yield f"a lone writer came to no end: {len(writers)} writers, {end}, {job.run.trouble}"
    if tail.lines != lines or tail.damaged:
        yield f"the tail saw {len(tail.lines)} of {len(lines)} lines: {tail.complaints}"
    if job.longest_call_seconds > CALL_SECONDS or job.beginning_seconds > BEGINNING_SECONDS:
        yield f"calls took {job.longest_call_seconds:.1f} s, start {job.beginning_seconds:.1f} s"
    if stored.snapshot != stored.folded_anew():
        yield "the snapshot is not the fold of the journal"
