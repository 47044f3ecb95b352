"""The simulated store: the model of `MemoryStore`, behind a network with weather.

Each process has a `Connection` of its own, which keeps the store contract. A request is judged
when it arrives, which may be long after its sender gave it up, or after its sender's death.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from journal.errors import Conflict, JournalError
from journal.limits import UNMOVED_CONFLICTS
from journal.stores.contract import (
    ABSENT,
    Absent,
    Entry,
    Expectation,
    Found,
    Put,
    Unchanged,
    Version,
)
from tests.simulation.scheduler import Actor, Scheduler
from tests.simulation.weather import Fate, Fault, Weather

T = TypeVar("T")

PAGE = 8  # entries of a page of a listing: the pages of one listing see different states
REQUESTS_MAX = 6000  # of a history; more means that somebody turns in circles


class Witness(Protocol):
    """Who is told of everything that happens in the store."""

    def changed(self, key: str, old: bytes | None, new: bytes, by: str) -> None:
        """Take in that a put was applied."""
        ...

    def circles(self) -> None:
        """Take in that the requests have no end."""
        ...


@dataclass(frozen=True, slots=True)
class Object:
    """One state of an object."""

    body: bytes
    version: Version
    modified: float


@dataclass
class Store:
    """All objects, and the network before them."""

    scheduler: Scheduler
    weather: Weather
    witness: Witness
    whole_seconds: bool = False  # as in S3's `Date`
    broken_prefix: str | None = None  # below it no condition is ever found to hold
    objects: dict[str, Object] = field(default_factory=dict)
    requests: int = 0
    trace: Callable[[str], None] | None = None

    @property
    def time(self) -> float:
        """The store's time, as a reply tells it."""
        now = self.scheduler.now
        return float(int(now)) if self.whole_seconds else now

    def put(self, key: str, body: bytes, expect: Expectation, by: str) -> Put:
        """Apply a put that has arrived. Raises Conflict."""
        there = self.objects.get(key)
        if (ABSENT if there is None else there.version) != expect:
            raise Conflict(f"{key} is not what was expected")
        version = Version(sha256(body).hexdigest())
        self.objects[key] = Object(body, version, self.time)
        self.witness.changed(key, there.body if there else None, body, by)
        return Put(version, self.time)

    def overwrite(self, key: str, body: bytes, by: str) -> None:
        """Put as a foreign program does, on no condition."""
        there = self.objects.get(key)
        self.put(key, body, there.version if there else ABSENT, by)

    def tell(self, text: str) -> None:
        """Write a line of the trace."""
        if self.trace is not None:
            self.trace(f"{self.scheduler.now % 100_000:10.3f}  {text}")


class Connection:
    """What one process knows as the store."""

    def __init__(self, store: Store, who: str) -> None:
        self.store = store
        self.who = who
        self.actor: Actor | None = None
        self.meanwhile: Callable[[], None] | None = None  # what the process does while it waits
        # Answers that may make the library give up, since it began its last call.
        self.refusals = 0
        self.false_conflicts = 0
        self.reads: Callable[[str, int, Found | Unchanged | Absent], None] | None = None

    def __str__(self) -> str:
        return "simulated"

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        """Return the object from byte `start` on, Unchanged if its version is `unless`."""

        def arrive() -> Found | Unchanged | Absent:
            there = self.store.objects.get(key)
            if there is None:
                return Absent(self.store.time)
            if there.version == unless:
                return Unchanged(self.store.time)
            return Found(there.body[start:], there.version, len(there.body), self.store.time)

        answer = self._ask(f"get {key} {start}-", arrive, self.store.weather.get())
        if self.reads is not None:
            self.reads(key, start, answer)
        return answer

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        """Replace the object if its version is `expect`, create it if that is ABSENT."""
        store, body = self.store, bytes(body)
        fate = store.weather.put(create=expect is ABSENT)
        if store.broken_prefix is not None and key.startswith(store.broken_prefix):
            fate = Fate((), fate.answered, Conflict("412, whatever is there"))
        self.refusals += fate.fault is Fault.REFUSED
        self.false_conflicts += isinstance(fate.answer, Conflict)
        label = "absent" if expect is ABSENT else str(expect)[:6]
        return self._ask(
            f"put {key} {len(body)} bytes if {label}",
            lambda: store.put(key, body, expect, self.who),
            fate,
        )

    def begin(self) -> None:
        """Begin a call of the library's."""
        self.refusals = self.false_conflicts = 0

    @property
    def may_be_refused(self) -> bool:
        """Whether the library may say Refused of the call that was begun last."""
        return self.refusals > 0 or self.false_conflicts >= UNMOVED_CONFLICTS

    def delete(self, key: str) -> None:
        """Delete the object if it is there."""
        self._ask(
            f"delete {key}",
            lambda: self.store.objects.pop(key, None),
            self.store.weather.get(),
        )

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        """Yield what lies under `prefix` beyond `after`, a page a request."""
        while True:

            def arrive(after: str = after) -> tuple[Entry, ...]:
                return tuple(_page(self.store.objects, prefix, after, delimiter))

            page = self._ask(f"list {prefix} after {after!r}", arrive, self.store.weather.get())
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].key

    def _ask(self, what: str, arrive: Callable[[], T], fate: Fate) -> T:
        """Send a request on its way, give way, and return or raise what is answered."""
        store = self.store
        now, at = store.scheduler.now, store.scheduler.at
        store.requests += 1
        if store.requests > REQUESTS_MAX:
            store.witness.circles()
        answers: list[Any] = []

        def arrives() -> None:
            try:
                answers.append(arrive())
            except JournalError as error:
                answers.append(error)
            if store.trace is not None:
                late = " late" if actor.is_over or store.scheduler.now > now + fate.answered else ""
                store.tell(f"{self.who:12} {what} -> {_short(answers[-1])}{late}")

        actor = self.actor
        if actor is None:
            raise AssertionError("a connection is used by its actor only")
        for delay in fate.arrivals:
            at(now + delay, arrives)
        at(now + fate.answered, actor.resume)
        if self.meanwhile is not None:
            self.meanwhile()
        actor.wait()
        answer: Any = fate.answer or answers[fate.heard]
        if fate.fault is not None and store.trace is not None:
            store.tell(f"{self.who:12} {what} heard {_short(answer)} [{fate.fault.value}]")
        if isinstance(answer, JournalError):
            raise answer
        return answer  # type: ignore[no-any-return]


def _page(objects: dict[str, Object], prefix: str, after: str, delimiter: str) -> Iterator[Entry]:
    shown = 0
    shared = ""
    for key in sorted(objects):
        if not key.startswith(prefix) or (shared and key.startswith(shared)):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        shared = key[: end + 1] if end >= 0 else ""
        if (shared or key) <= after:
            continue
        there = objects[key]
        if shared:
            yield Entry(shared, None, 0, 0.0)
        else:
            yield Entry(key, there.version, len(there.body), there.modified)
        shown += 1
        if shown == PAGE:
            return


def _short(answer: object) -> str:
    if isinstance(answer, JournalError):
        return f"{type(answer).__name__}({answer})"
    if isinstance(answer, Found):
        return f"Found({len(answer.body)} of {answer.size}, {answer.version[:6]})"
    if isinstance(answer, Put):
        return f"Put({answer.version[:6]})"
    return type(answer).__name__
