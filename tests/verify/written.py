"""A run as the product writes it, and ways to damage it: the little language of these tests."""

from collections.abc import Callable
from hashlib import sha256

import fakes
import orjson

from journal import events, layout, markers, snapshot
from journal.clock import stamp
from journal.compactor import Compactor
from journal.stores import Found, Store
from journal.stream import StreamWriter
from readers.verify import Verification, verify

RUN = fakes.RUN
SNAPSHOT = layout.snapshot_key(RUN)
COMPLETE = layout.marker_key(RUN, layout.COMPLETE_MARKER)
ERROR = layout.marker_key(RUN, layout.ERROR_MARKER)


def key(segment: int, stream: str = "main") -> str:
    return layout.segment_key(RUN, stream, segment)


def say(writer: StreamWriter, kind: str, **fields: object) -> None:
    """Append a record, a second after the one before."""
    seq = writer.next_seq
    place = {"seq": seq, "ts": stamp(fakes.STORE_TIME + seq), "type": kind}
    writer.append(events.encode({**place, **fields}), 1)


def start(writer: StreamWriter, attempt: int = 1) -> None:
    """Begin an attempt with a source."""
    say(writer, "started", job="prep", attempt=attempt, host="host-1", pid=1, params={})
    say(writer, "source_started", source="laws", sub_phase="downloading_policy", files=6)


def file(writer: StreamWriter, path: str) -> None:
    say(writer, "file_done", source="laws", path=path, bytes=1000, seconds=0.5)


def finish(writer: StreamWriter, status: str = "completed") -> None:
    say(writer, "finished", status=status, message=None)
    writer.flush("finish")


def write(store: Store) -> None:
    """Write a finished run: four segments of main, two of another stream, snapshot and marker."""
    main = fakes.claimed(store, resume=False)
    start(main)
    main.flush("roll")
    beside = fakes.claimed(store, pid=2, resume=False, name="beside")
    say(beside, "note", text="one")
    beside.flush("roll")
    for part in (("a", "b", "c"), ("d", "e", "f")):
        for path in part:
            file(main, path)
        main.flush("roll")
    say(beside, "note", text="two")
    beside.flush("close")
    finish(main)
    compact(store)


def compact(store: Store) -> None:
    """Install snapshot and marker, as the end of a run does."""
    run = Compactor(store, RUN).compact(everything=True).run
    markers.install(store, RUN, run["main"].state)


class Journal:
    """The run in a store, to be damaged."""

    def __init__(self, store: Store) -> None:
        self.store = store
        write(store)

    def body(self, name: str) -> bytes:
        found = self.store.get(name)
        assert isinstance(found, Found)
        return found.body

    def put(self, name: str, body: bytes) -> None:
        assert self.store.get(name) != body
        fakes.overwrite(self.store, name, body)

    def change(self, name: str, old: bytes, new: bytes) -> None:
        """Replace the first occurrence of some bytes."""
        body = self.body(name)
        assert old in body
        self.put(name, body.replace(old, new, 1))

    def lines(self, segment: int) -> list[bytes]:
        return self.body(key(segment)).splitlines(keepends=True)

    def reorder(self, segment: int, *numbers: int) -> None:
        """Let a segment consist of these of its lines."""
        lines = self.lines(segment)
        self.put(key(segment), b"".join(lines[number] for number in numbers))

    def reseal(self, segment: int, old: bytes, new: bytes) -> None:
        """Change a segment as somebody does who makes a new seal, and mends the chain behind it."""
        lines = self.lines(segment)
        seal = events.decode(lines[-1])
        before = b"".join(lines[:-1])
        assert old in before
        before = before.replace(old, new, 1)
        said = {name: seal[name] for name in ("reason", "epoch", "seq", "ts")}
        old_hash = sha256(self.body(key(segment))).hexdigest().encode()
        self.put(key(segment), before + fakes.seal(before, **said))
        if isinstance(self.store.get(key(segment + 1)), Found):
            new_hash = sha256(self.body(key(segment))).hexdigest().encode()
            self.reseal(segment + 1, old_hash, new_hash)

    def state(self, change: Callable[[dict], object]) -> None:
        """Change the snapshot's part of main as somebody does who makes a new hash."""
        document = orjson.loads(self.body(SNAPSHOT))
        own = document["journal"]
        change(own["streams"]["main"])
        own["sha256"] = sha256(orjson.dumps(own["streams"])).hexdigest()
        self.put(SNAPSHOT, snapshot.encode(document))

    def verify(self) -> Verification:
        return verify(self.store, RUN)


def findings(journal: Journal) -> list[str]:
    """The kind of each damage and where it is: `seal main/1`, `snapshot`, `marker _complete`."""
    return [f"{one.kind} {_short(one.key)}" for one in journal.verify().damages]


def _short(name: str) -> str:
    place = layout.parse_segment_key(name)
    return name.removeprefix(f"{RUN}/") if place is None else f"{place[1]}/{place[2]}"
