"""Runs that were lived long ago, in a store whose time the test sets."""

import fakes
from fakes import claimed

from journal import events, layout
from journal.clock import stamp
from journal.compactor import Compactor
from journal.stores import Found
from journal.stores.memory import MemoryStore

RUN = fakes.RUN
DAY = 86400.0
WEEK = 7 * DAY


class Times:
    """The store's clock."""

    def __init__(self, at=fakes.STORE_TIME):
        self.at = at

    def __call__(self):
        return self.at


def memory(times):
    return fakes.FaultyStore(MemoryStore(times))


def live(store, *, segments=4, status="completed", seal="finish"):
    """Live a run whose main stream has so many segments, and compact it."""
    writer = claimed(store, resume=False)
    tell(writer, "started", attempt=1, job="prepare")
    for _ in range(segments - 1):
        writer.flush("roll")
        tell(writer, "note", text="one of many")
    if status is not None:
        tell(writer, "finished", status=status)
    writer.flush(seal)
    Compactor(store, RUN).compact()
    return writer


def beside(store, name="beside", *, seal=None):
    """Write a stream beside main."""
    writer = claimed(store, pid=9, name=name)
    tell(writer, "note", text="beside")
    writer.flush(seal)
    return writer


def tell(writer, kind, **fields):
    place = {"seq": writer.next_seq, "ts": stamp(fakes.STORE_TIME + writer.next_seq), "type": kind}
    writer.append(events.encode({**place, **fields}), 1)


def segments(store, stream="main"):
    """The numbers of the segments that are there."""
    prefix = layout.stream_prefix(RUN, stream)
    return [layout.parse_segment_key(entry.key)[2] for entry in store.list(prefix)]


def types(store, segment, stream="main"):
    """The types of a segment's lines, with the reason of its seal."""
    found = store.get(layout.segment_key(RUN, stream, segment))
    assert isinstance(found, Found)
    lines = [events.decode(line + b"\n") for line in found.body.splitlines()]
    return [line.get("reason", line["type"]) for line in lines]


def document(store):
    found = store.get(layout.snapshot_key(RUN))
    assert isinstance(found, Found)
    return found.body


TOMBSTONE = ["segment_opened", "pruned"]
