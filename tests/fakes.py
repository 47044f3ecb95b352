"""Doubles that keep the contracts they stand for, shared by the tests of several folders."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum, auto
from hashlib import sha256

from journal import events, segments
from journal.claim import Claim
from journal.clock import stamp
from journal.errors import Conflict, Refused, Unavailable
from journal.stores import (
    ABSENT,
    Absent,
    Entry,
    Found,
    Put,
    Store,
    Unchanged,
    Version,
)
from journal.stores.contract import Expectation
from journal.stores.memory import MemoryStore
from journal.stream import Stream, StreamWriter

RUN = "mistral-20250805-142652"
STORE_TIME = 1754422500.0  # 2025-08-05T19:35:00Z


class Fault(Enum):
    """What a network or a store may do to a put, each seen with real ones."""

    NONE = auto()
    LOST = auto()  # applied, its reply lost
    NEVER = auto()  # not applied, and no reply
    LATE = auto()  # no reply; under way still, applied when it is delivered
    DOUBLED = auto()  # sent twice by something in between; the second one's reply arrives
    FALSE_412 = auto()  # refused although the condition held
    REFUSED = auto()  # no rights


class FaultyStore:
    """A store whose puts and gets fail as they are told to; everything else passes through.

    Each put takes the next of `faults`, each get fails while `deaf` counts down. `meanwhile` are
    calls made just before a put reaches the store: what another process did in that moment.
    `requests` are the verbs and keys asked so far.
    """

    def __init__(self, inner: Store | None = None) -> None:
        self.inner = inner or MemoryStore(lambda: STORE_TIME)
        self.faults: deque[Fault] = deque()
        self.late: list[tuple[str, bytes, Expectation]] = []
        self.meanwhile: deque[Callable[[], object]] = deque()
        self.deaf = 0
        self.requests: list[tuple[str, str]] = []

    @property
    def puts(self) -> int:
        return sum(verb == "put" for verb, _ in self.requests)

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        self.requests.append(("get", key))
        if self.deaf:
            self.deaf -= 1
            raise Unavailable(f"{key}: no answer")
        return self.inner.get(key, start=start, unless=unless)

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        self.requests.append(("put", key))
        if self.meanwhile:
            self.meanwhile.popleft()()
        match self.faults.popleft() if self.faults else Fault.NONE:
            case Fault.NONE:
                return self.inner.put(key, body, expect=expect)
            case Fault.LOST:
                with suppress(Conflict):
                    self.inner.put(key, body, expect=expect)
            case Fault.LATE:
                self.late.append((key, body, expect))
            case Fault.DOUBLED:
                self.inner.put(key, body, expect=expect)
                return self.inner.put(key, body, expect=expect)
            case Fault.FALSE_412:
                raise Conflict(f"{key}: 412, for no reason")
            case Fault.REFUSED:
                raise Refused(f"{key}: 403")
            case Fault.NEVER:
                pass
        raise Unavailable(f"{key}: no reply")

    def deliver(self, index: int = 0) -> None:
        """Let a late put arrive; its condition is judged only now."""
        key, body, expect = self.late.pop(index)
        with suppress(Conflict):
            self.inner.put(key, body, expect=expect)

    def delete(self, key: str) -> None:
        self.requests.append(("delete", key))
        self.inner.delete(key)

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        self.requests.append(("list", prefix))
        return self.inner.list(prefix, after=after, delimiter=delimiter)


class StepClock:
    """A stream's clock: each stamp is a second later than the one before."""

    def __init__(self, at: float = STORE_TIME, offset: float = 0.0) -> None:
        self.at = at
        self.offset = offset

    def stamp(self) -> str:
        self.at += 1.0
        return stamp(self.at)

    def saw(self, store_time: float) -> None:
        """Keep the offset: which one is written is the test's choice."""


def stream(store: Store, pid: int = 1, name: str = "main") -> Stream:
    """A stream of the run, seen by the process `pid` on a host of the same number."""
    return Stream(
        store=store,
        run_id=RUN,
        name=name,
        host=f"host-{pid}",
        pid=pid,
        flush_seconds=5.0,
        heartbeat_seconds=180.0,
        clock=StepClock(),
    )


def claimed(store: Store, pid: int = 1, *, resume: bool = True, name: str = "main") -> StreamWriter:
    """The writer that a claim gives at its first attempt."""
    return Claim(stream(store, pid, name), resume=resume).attempt()


def say(writer: StreamWriter, *texts: str) -> None:
    """Append a note of each text."""
    for text in texts:
        writer.append(note(writer.next_seq, text), 1)


def note(seq: int, text: str) -> bytes:
    """The line of a record that says a text."""
    return events.encode({"seq": seq, "ts": stamp(STORE_TIME + seq), "type": "note", "text": text})


def bodies(store: Store, name: str = "main") -> list[bytes]:
    """The segments of a stream as they lie there, up to the first that is absent."""
    found: list[bytes] = []
    while isinstance(answer := store.get(stream(store, name=name).key(len(found))), Found):
        found.append(answer.body)
    return found


def overwrite(store: Store, key: str, body: bytes) -> None:
    """Put an object whatever is there, as a foreign program would."""
    found = store.get(key)
    store.put(key, body, expect=found.version if isinstance(found, Found) else ABSENT)


def seal(before: bytes, **fields) -> bytes:
    """Return the line that seals all that a segment holds so far."""
    return segments.sealed_line(len(before), sha256(before).hexdigest(), **fields)
