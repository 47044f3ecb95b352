"""What the simulator found, each cut down by hand to the least that shows it."""

import fakes

from journal import events
from journal.claim import Claim
from journal.clock import stamp
from journal.compactor import Compactor
from journal.stores import Store
from journal.stores.memory import MemoryStore
from journal.stream import StreamWriter


def test_last_update_does_not_go_back_when_the_first_record_comes() -> None:
    """What was said before the claim has an earlier time than the opening (seed 1252)."""
    store = MemoryStore(lambda: fakes.STORE_TIME)
    writer = claimed(store, "main", at=fakes.STORE_TIME)
    before = last_update(store)

    say(writer, "note", at=fakes.STORE_TIME - 1)

    assert last_update(store) >= before


def test_last_update_does_not_go_back_when_another_stream_speaks_first() -> None:
    """Two healthy processes: `main` opens its stream later, the one beside it speaks first."""
    store = MemoryStore(lambda: fakes.STORE_TIME)
    beside = claimed(store, "beside", at=fakes.STORE_TIME)
    claimed(store, "main", at=fakes.STORE_TIME + 10)
    before = last_update(store)

    say(beside, events.STARTED, at=fakes.STORE_TIME + 5)

    assert last_update(store) >= before


def claimed(store: Store, name: str, *, at: float) -> StreamWriter:
    stream = fakes.stream(store, name=name)
    stream.clock.at = at
    return Claim(stream, resume=True).attempt()


def say(writer: StreamWriter, kind: str, *, at: float) -> None:
    record = {"seq": writer.next_seq, "ts": stamp(at), "type": kind}
    writer.append(events.encode(record), 1)
    writer.flush()


def last_update(store: Store) -> str:
    return str(Compactor(store, fakes.RUN).compact(everything=True).document["last_update"])
