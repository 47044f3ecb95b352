"""Cursors: resumed at any place, exactly what is missing comes, with filters and while it grows."""

from itertools import chain, islice

import pytest
from fold.growing import RUN, Growing
from hypothesis import given
from hypothesis import strategies as st

from journal import layout
from journal.segments import Cursor
from journal.stores import Found
from readers import cursor
from readers.selection import Selection
from readers.tail import Tail

NARROW = Selection(types="file_done,error", grep="7|e").wanted()

flush = st.tuples(
    st.sampled_from(["main", "a", "b"]),
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["file_done", "heartbeat", "error"])),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([None, None, "roll"]),
    st.booleans(),
)
histories = st.lists(flush, min_size=1, max_size=10)
FIXED = [
    ("main", [(0, "file_done"), (2, "heartbeat"), (1, "error")], None, True),
    ("a", [(1, "file_done"), (2, "file_done")], "roll", False),
    ("main", [(3, "file_done")], "roll", False),
    ("a", [(3, "error"), (9, "file_done")], None, True),
    ("b", [(2, "file_done"), (2, "heartbeat")], None, False),
    ("main", [(4, "file_done"), (5, "error")], None, False),
]


class Run(Growing):
    """A growing run whose events a tail reads."""

    def events(self):
        return list(Tail(self.store, RUN).everything())

    def behind(self, token):
        tail = Tail(self.store, RUN)
        return list(chain.from_iterable(tail.behind(cursor.decode(token))))


def by_stream(events):
    """The events of each stream, in their order."""
    streams = {}
    for event in events:
        streams.setdefault(event.stream, []).append(event.line)
    return streams


@given(history=histories, cut=st.integers(0, 40), grown=st.integers(0, 10))
def test_what_was_read_and_what_comes_behind_is_all(history, cut, grown):
    """Nothing twice, nothing missed: whatever was written before and after the cut."""
    run = Run().write(history[:grown] or history[:1])
    tail = Tail(run.store, RUN)
    read = list(islice(tail.everything(), cut))
    run.write(history[max(grown, 1) :])

    rest = run.behind(tail.cursor)

    assert by_stream(read + rest) == by_stream(run.events())
    assert len(read + rest) == len(run.events())


@pytest.mark.parametrize("cut", range(19))
def test_filters_change_nothing_of_it(cut):
    """What is wanted of the one and of the other is what is wanted of the whole."""
    run = Run().write(FIXED)
    tail = Tail(run.store, RUN)
    read = list(islice(tail.everything(), cut))

    shown = [event for event in [*read, *run.behind(tail.cursor)] if NARROW(event)]

    assert by_stream(shown) == by_stream([event for event in run.events() if NARROW(event)])


@given(history=histories, count=st.integers(0, 12), wanted=st.booleans())
def test_behind_the_last_events_nothing_is_missed(history, count, wanted):
    """However few of them were shown: what was passed over is read, too."""
    run = Run().write(history)
    tail = Tail(run.store, RUN)
    list(tail.last(count, NARROW if wanted else lambda _event: True))
    before = run.events()
    run.write(FIXED)

    rest = run.behind(tail.cursor)

    assert len(before) + len(rest) == len(run.events())
    assert by_stream(before + rest) == by_stream(run.events())


def test_batches_count_when_they_are_handed_out():
    """What was read ahead is no part of the place."""
    run = Run().write(FIXED)
    tail = Tail(run.store, RUN)
    batch = next(tail.batches())
    before = tail.cursor
    tail.hand_out(batch[:5])

    assert cursor.decode(before) == {RUN: dict.fromkeys(("main", "a", "b"), Cursor())}
    assert by_stream([*batch[:5], *run.behind(tail.cursor)]) == by_stream(run.events())


def test_a_damaged_line_does_not_shift_the_place():
    """Its bytes are passed over, and nothing behind it is shown twice."""
    run = Run().write(FIXED[:1])
    key = layout.segment_key(RUN, "main", 0)
    found = run.store.get(key)
    assert isinstance(found, Found)
    lines = found.body.split(b"\n")
    run.store.put(key, b"\n".join([*lines[:2], b"junk!", *lines[2:]]), expect=found.version)
    tail = Tail(run.store, RUN)
    read = list(islice(tail.everything(), 3))

    assert by_stream(read + run.behind(tail.cursor)) == by_stream(run.events())


def test_a_token_holds_thousands_of_streams_in_a_few_bytes_each():
    """It is meant for a file or a command line."""
    places = {f"s-{number}": Cursor(number % 9, number * 77, number) for number in range(1000)}
    token = cursor.encode({RUN: places})

    assert cursor.decode(token) == {RUN: places}
    assert len(token) < 16_000


@given(token=st.text(max_size=40) | st.binary(max_size=60).map(lambda raw: f"j1.{raw.hex()}"))
def test_what_is_no_token_is_refused(token):
    """By a ValueError, whatever it is."""
    with pytest.raises(ValueError, match="cursor"):
        cursor.decode(token)


@pytest.mark.parametrize(
    "places",
    [{"../up": {"main": [0, 0, 0]}}, {RUN: {"a/b": [0, 0, 0]}}, {RUN: {"main": [0, -1, 0]}}],
)
def test_a_forged_token_names_no_other_place(places):
    """Names never leave their root."""
    forged = {
        run: {name: Cursor(*at) for name, at in streams.items()} for run, streams in places.items()
    }

    with pytest.raises(ValueError, match="cut or changed"):
        cursor.decode(cursor.encode(forged))
