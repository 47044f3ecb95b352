"""A follower ends when its run does, and no sooner, wherever it began to read."""

from itertools import chain, islice

import fakes
import pytest
from fakes import RUN

from journal import clock, layout, log
from journal.claim import Claim
from journal.clock import stamp
from journal.compactor import Compactor
from journal.events import encode
from journal.stores.memory import MemoryStore
from readers import cursor
from readers.tail import Tail

T = fakes.STORE_TIME


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Nobody sleeps; who sleeps often does not end."""
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        assert len(slept) < 200, "it does not end"

    monkeypatch.setattr(clock, "sleep", sleep)


def writer(store, pid=1, minute=0, offset=0.0):
    stream = fakes.stream(store, pid)
    stream.clock.at, stream.clock.offset = T + 60 * minute, offset
    return Claim(stream, resume=True).attempt()


def say(writer, *said, seal=None):
    """Write records, each a minute and a type, and flush them."""
    for minute, kind, *fields in said:
        place = {"seq": writer.next_seq, "ts": stamp(T + 60 * minute), "type": kind}
        writer.append(encode(place | (fields[0] if fields else {})), 1)
    writer.flush(seal)


@pytest.fixture
def ended():
    """The store of a run that has ended, of which there is no snapshot yet."""
    store = MemoryStore(lambda: T)
    said = [(0, "started", {"attempt": 1}), (2, "finished", {"status": "completed"})]
    say(writer(store), *said, seal="finish")
    return store


def test_behind_the_end_without_a_snapshot(ended):
    """The end lies before the cursor: it is looked for there."""
    whole = Tail(ended, RUN)
    list(whole.everything())
    tail = Tail(ended, RUN)

    assert list(tail.behind(cursor.decode(whole.cursor))) == []
    assert list(tail.follow()) == []
    assert tail.status == "completed"


def test_behind_the_end_with_a_foreign_snapshot(ended):
    """Which knows of no stream, and is told of once however often it changes."""
    Compactor(ended, RUN).compact()
    whole, told = Tail(ended, RUN), []
    list(whole.everything())
    tail = Tail(ended, RUN, told.append)
    for status in ("running", "completed"):
        body = b'{"status":"%s"}' % status.encode()
        fakes.overwrite(ended, layout.snapshot_key(RUN), body)
        list(tail.behind(cursor.decode(whole.cursor)))

    assert list(tail.follow()) == []
    assert len(told) == 1


def test_since_a_time_of_an_earlier_attempt():
    """Its end is no end of the attempt that is at work."""
    store = MemoryStore(lambda: T)
    first = writer(store)
    say(first, (0, "started", {"attempt": 1}), (1, "file_done"), seal="roll")
    say(first, (2, "finished", {"status": "failed"}), seal="finish")
    second = writer(store, 2, minute=3)
    say(second, (3, "started", {"attempt": 2}), (4, "file_done"))
    Compactor(store, RUN).compact()
    tail = Tail(store, RUN)
    list(tail.since(stamp(T + 60)))
    polls = tail.follow_batches()
    next(polls)
    say(second, (5, "file_done", {"path": "c"}))

    assert [event.record["path"] for event in islice(chain.from_iterable(polls), 1)] == ["c"]


def test_since_a_time_with_a_clock_before_that_was_an_hour_fast():
    """What the one before said is not passed over."""
    store = MemoryStore(lambda: T)
    before = [(0, "started", {"attempt": 1}), *((minute, "file_done") for minute in range(1, 60))]
    say(writer(store), *before)
    say(writer(store, 2, minute=1, offset=3600.0), (1, "started"), (40, "file_done"))
    since = stamp(T + 30 * 60)

    def late(events):
        return [event.line for event in events if event.record["ts"] >= since]

    found = late(chain.from_iterable(Tail(store, RUN).since(since)))
    assert found == late(Tail(store, RUN).everything())
    assert len(found) == 31


def test_a_long_last_line_is_no_damage():
    """Of a segment whose end was read first, which is in the middle of that line."""
    store = MemoryStore(lambda: T)
    one = writer(store)
    say(one, (0, "started", {"attempt": 1}), (1, "error", {"traceback": "y" * 30_000}))
    Compactor(store, RUN).compact()
    told: list[str] = []
    tail = Tail(store, RUN, told.append)
    assert len(tail.last_batch(10)) == 3
    say(one, (2, "file_done"), (3, "finished", {"status": "completed"}), seal="finish")

    found = [event.record["type"] for event in tail.follow()]

    assert (found, told) == (["file_done", "finished", "segment_sealed"], [])


def test_who_stops_is_heeded_in_an_outage():
    """Which may last for hours."""
    store = fakes.FaultyStore(MemoryStore(lambda: T))
    say(writer(store), (0, "started", {"attempt": 1}))
    tail = Tail(store, RUN)
    list(tail.everything())
    store.deaf = 10**9
    asked: list[int] = []

    assert list(tail.follow(lambda: asked.append(1) or len(asked) > 3)) == []


def test_an_outage_in_the_middle_of_what_is_there_is_ridden_out():
    """By one who is patient."""
    store = fakes.FaultyStore(MemoryStore(lambda: T))
    one = writer(store)
    say(one, (0, "started", {"attempt": 1}), seal="roll")
    say(one, (1, "file_done"), (2, "finished", {"status": "completed"}), seal="finish")
    events = Tail(store, RUN, patient=True).everything()
    found = [next(events)]
    store.deaf = 1

    assert len([*found, *events]) == 7


def test_an_interrupted_start_leaves_the_place(ended, monkeypatch):
    """The place that was given holds until its streams are read."""
    whole = Tail(ended, RUN)
    list(whole.everything())
    tail = Tail(ended, RUN)

    def interrupted(_store, _run_id):
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "listing", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(tail.behind(cursor.decode(whole.cursor)))

    assert tail.cursor == whole.cursor
