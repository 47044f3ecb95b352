"""What a writer makes of each answer to a put, when it rolls, and how it ends.

The table of outcomes is in FORMAT.md; here is a test for each of its rows.
"""

from hashlib import sha256

import fakes
import pytest
from fakes import Fault, bodies, claimed, say

from journal import events, segments
from journal.errors import Corrupt, Fenced, Refused, Unavailable
from journal.limits import (
    LINE_BYTES,
    SEGMENT_MAX_BYTES,
    SEGMENT_ROLL_BYTES,
    SEGMENT_ROLL_FLUSHES,
)

SLOT_0 = f"{fakes.RUN}/journal/stream=main/0000000000.jsonl"
SLOT_1 = f"{fakes.RUN}/journal/stream=main/0000000001.jsonl"


@pytest.fixture
def store():
    return fakes.FaultyStore()


@pytest.fixture
def writer(store):
    """A writer that has opened the stream, and nothing more."""
    return claimed(store)


def texts(store) -> list[str]:
    """What the records in the journal say, in their order."""
    lines = b"".join(bodies(store.inner)).splitlines()
    return [record["text"] for record in map(events.decode, lines) if record["type"] == "note"]


def types(body: bytes) -> list[str]:
    return [events.decode(line)["type"] for line in body.splitlines()]


def reason(body: bytes) -> str:
    return events.decode(body.splitlines()[-1]).get("reason", "")


def roll(writer) -> None:
    """Fill the first segment until it is sealed with `roll`; its opening was its first flush."""
    for _ in range(SEGMENT_ROLL_FLUSHES - 1):
        say(writer, *["x" * 30_000] * 2)
        writer.flush()


# 200


def test_an_applied_put_acknowledges_all_it_carried(store, writer):
    """After a 200 every record that was sent is acknowledged, and is there."""
    say(writer, "one", "two")

    assert writer.flush()

    assert (writer.acknowledged, texts(store)) == (2, ["one", "two"])


def test_a_flush_is_one_request(store, writer):
    """Fencing costs nothing extra: a flush is one put and no get."""
    store.requests.clear()
    say(writer, "one")
    writer.flush()
    say(writer, "two")

    writer.flush()

    assert store.requests == [("put", SLOT_0), ("put", SLOT_0)]


def test_nothing_waiting_is_no_request(store, writer):
    """A flush with nothing to say asks the store nothing."""
    store.requests.clear()

    assert writer.flush()

    assert store.requests == []


def test_what_is_not_flushed_is_not_acknowledged(writer):
    """An appended record waits, counted in bytes, until it is durable."""
    say(writer, "one")

    assert (writer.acknowledged, writer.next_seq) == (0, 1)
    assert writer.waiting_bytes == len(fakes.note(0, "one"))


# 412: read it back


def test_an_equal_object_was_our_own_put(store, writer):
    """A refused put whose very bytes lie there was applied; its first reply was lost."""
    store.faults.append(Fault.DOUBLED)
    say(writer, "one")

    assert writer.flush()

    assert (writer.acknowledged, writer.waiting_bytes, texts(store)) == (1, 0, ["one"])


def test_a_doubled_create_was_our_own_put(store, writer):
    """The same for the slot that a roll opens: no other writer is suspected."""
    roll(writer)
    store.faults.append(Fault.DOUBLED)
    say(writer, "one")

    assert writer.flush()

    assert texts(store)[-1] == "one"


def test_an_older_flush_that_landed_late_is_built_upon(store, writer):
    """A proper prefix of what was sent is an older flush: its version is taken, all is sent."""
    store.faults.append(Fault.LATE)
    say(writer, "one")
    with pytest.raises(Unavailable):
        writer.flush()
    store.deliver()
    say(writer, "two")

    assert writer.flush()

    assert (writer.acknowledged, texts(store)) == (2, ["one", "two"])


def test_an_opening_that_landed_late_is_built_upon(store, writer):
    """The first put of a slot may land late as well, and the next carries more."""
    roll(writer)
    store.faults.append(Fault.LATE)
    say(writer, "one")
    with pytest.raises(Unavailable):
        writer.flush()
    store.deliver()
    say(writer, "two")

    assert writer.flush()

    assert texts(store)[-2:] == ["one", "two"]


def test_a_flush_that_lands_after_a_later_one_changes_nothing(store, writer):
    """Each flush has its condition: what comes too late is refused by the store."""
    store.faults.append(Fault.LATE)
    say(writer, "one")
    with pytest.raises(Unavailable):
        writer.flush()
    say(writer, "two")
    writer.flush()

    store.deliver()

    assert texts(store) == ["one", "two"]


def test_what_was_sent_is_in_and_behind_it_a_successor(store, writer):
    """If what was sent is a proper prefix of what lies there, it is acknowledged, and we stop."""
    say(writer, "one")
    store.faults.append(Fault.LOST)
    with pytest.raises(Unavailable):
        writer.flush()
    claimed(store, pid=2)

    with pytest.raises(Fenced, match="taken over by pid 2 on host-2"):
        writer.flush()

    assert writer.acknowledged == 1


def test_another_writers_bytes_fence(store, writer):
    """What lies there and is none of ours means that the stream was taken over."""
    claimed(store, pid=2)
    say(writer, "one")

    with pytest.raises(Fenced, match="taken over by pid 2 on host-2"):
        writer.flush()

    assert (writer.acknowledged, texts(store)) == (0, [])


def test_another_writers_slot_fences(store, writer):
    """A writer that rolled and then slept finds its next slot taken."""
    roll(writer)
    claimed(store, pid=2)
    say(writer, "late")

    with pytest.raises(Fenced, match="taken over by pid 2 on host-2"):
        writer.flush()

    assert "late" not in texts(store)


def test_a_takeover_that_stopped_half_way_fences_too(store, writer):
    """A seal by a claimant that died before it opened its slot ends the stream's old writer."""
    store.faults.extend([Fault.NONE, Fault.NEVER])
    with pytest.raises(Unavailable):
        claimed(store, 2)
    say(writer, "one")

    with pytest.raises(Fenced, match="pid \\? on an unknown host"):
        writer.flush()


def test_a_fenced_writer_asks_nothing_more(store, writer):
    """Once fenced, a writer is done: no further request leaves it."""
    claimed(store, pid=2)
    say(writer, "one")
    with pytest.raises(Fenced):
        writer.flush()
    store.requests.clear()

    with pytest.raises(Fenced):
        writer.flush()

    assert store.requests == []


def test_a_fenced_writer_is_told_though_its_successor_cannot_be_read(store, writer):
    """Who took over is a courtesy; that somebody did is what counts."""
    claimed(store, pid=2)
    say(writer, "one")
    fakes.overwrite(store.inner, SLOT_1, b"foreign\n")

    with pytest.raises(Fenced, match="pid \\? on an unknown host"):
        writer.flush()


def test_a_segment_deleted_under_its_writer_is_corrupt(store, writer):
    """An absent segment on a rewrite is nobody's takeover: stop and say so."""
    store.delete(SLOT_0)
    say(writer, "one")

    with pytest.raises(Corrupt, match=r"segment 0 of stream main was deleted under its writer"):
        writer.flush()


def test_a_create_refused_over_nothing_is_sent_again(store, writer):
    """Refused as existing, and absent when read: unknown, so the same is sent again."""
    roll(writer)
    store.faults.append(Fault.FALSE_412)
    say(writer, "one")

    with pytest.raises(Unavailable, match="is absent"):
        writer.flush()
    assert writer.flush()

    assert texts(store)[-1] == "one"


def test_a_false_412_is_sent_again(store, writer):
    """The very version we expected lies there: the same is sent once more."""
    store.faults.extend([Fault.FALSE_412, Fault.FALSE_412])
    say(writer, "one")

    assert writer.flush()

    assert texts(store) == ["one"]


def test_three_false_412_are_a_store_that_cannot_compare(store, writer):
    """The very version we expected, three times: refused, with what is the matter."""
    store.faults.extend([Fault.FALSE_412] * 3)
    say(writer, "one")

    with pytest.raises(Refused, match="conditional writes cannot be relied on"):
        writer.flush()


def test_a_read_back_that_is_not_answered_settles_nothing(store, writer):
    """Without an answer to the read the put stays unsettled, and the next flush settles it."""
    store.faults.append(Fault.DOUBLED)
    store.deaf = 1
    say(writer, "one")

    with pytest.raises(Unavailable):
        writer.flush()
    assert (writer.acknowledged, writer.waiting_bytes > 0) == (0, True)
    assert writer.flush()

    assert (writer.acknowledged, texts(store)) == (1, ["one"])


# 409, time-out, reset, 5xx


def test_a_lost_reply_is_settled_by_the_next_flush(store, writer):
    """No answer is neither success nor failure: the same goes out again and is found applied."""
    store.faults.append(Fault.LOST)
    say(writer, "one")
    with pytest.raises(Unavailable):
        writer.flush()

    assert writer.flush()

    assert (writer.acknowledged, texts(store)) == (1, ["one"])


def test_a_put_that_never_arrived_is_sent_again(store, writer):
    """No answer, and nothing applied: the same goes out again and is applied."""
    store.faults.append(Fault.NEVER)
    say(writer, "one")
    with pytest.raises(Unavailable):
        writer.flush()

    assert writer.flush()

    assert (writer.acknowledged, texts(store)) == (1, ["one"])


def test_what_is_sent_again_may_carry_more(store, writer):
    """New records join what is unsettled, behind the very bytes that were sent."""
    store.faults.append(Fault.LOST)
    say(writer, "one")
    with pytest.raises(Unavailable):
        writer.flush()
    say(writer, "two")

    assert writer.flush()

    assert (writer.acknowledged, texts(store)) == (2, ["one", "two"])


def test_after_a_seal_nothing_is_added(store, writer):
    """A seal that may have been applied is sent again as it is; what is new takes the next slot."""
    store.faults.append(Fault.LOST)
    say(writer, "one")
    with pytest.raises(Unavailable):
        writer.flush("roll")
    say(writer, "two")

    assert not writer.flush()
    assert writer.flush()

    assert [types(body)[1:] for body in bodies(store.inner)] == [
        ["note", "segment_sealed"],
        ["note"],
    ]


# 400, 403, 413, 501


def test_a_refusal_keeps_what_waits(store, writer):
    """A refused put is not applied; its records wait and go out when the rights are back."""
    store.faults.append(Fault.REFUSED)
    say(writer, "one")
    with pytest.raises(Refused):
        writer.flush()
    assert writer.acknowledged == 0

    assert writer.flush()

    assert texts(store) == ["one"]


# Rolling


def test_a_segment_rolls_when_it_is_big_and_flushed_often(store, writer):
    """From 128 KiB and four flushes on, the seal rides on the flush."""
    roll(writer)

    (body,) = bodies(store.inner)

    assert reason(body) == "roll"
    assert len(body) >= SEGMENT_ROLL_BYTES


def test_a_big_segment_does_not_roll_before_its_fourth_flush(store, writer):
    """Rolling at every flush would only make many objects."""
    say(writer, *["x" * 60_000] * 4)

    writer.flush()

    assert "segment_sealed" not in types(bodies(store.inner)[0])


def test_a_small_segment_does_not_roll_however_often_it_is_flushed(store, writer):
    """A quiet run stays in one object."""
    say(writer, "one")
    writer.flush()
    say(writer, "two")
    writer.flush()
    say(writer, "three")
    writer.flush()
    say(writer, "four")
    writer.flush()
    say(writer, "five")
    writer.flush()

    assert types(bodies(store.inner)[0]) == ["segment_opened"] + ["note"] * 5


def test_a_roll_opens_the_next_slot_with_the_next_record(store, writer):
    """Rolling is no request of its own: the next slot is opened by the next flush."""
    roll(writer)
    before = len(bodies(store.inner))
    say(writer, "one")

    writer.flush()

    assert (before, types(bodies(store.inner)[1])) == (1, ["segment_opened", "note"])


def test_a_rolled_slot_is_chained_to_the_one_before(store, writer):
    """The opening names the whole segment before it: number, length and hash."""
    roll(writer)
    say(writer, "one")
    writer.flush()

    first, second = bodies(store.inner)

    prev = events.decode(second.splitlines()[0])["prev"]
    assert prev == {"segment": 0, "bytes": len(first), "sha256": sha256(first).hexdigest()}


def test_a_rolled_slot_keeps_writer_and_epoch(store, writer):
    """A roll is not a takeover."""
    roll(writer)
    say(writer, "one")
    writer.flush()

    opened = [events.decode(body.splitlines()[0]) for body in bodies(store.inner)]

    assert [(line["writer"], line["epoch"]) for line in opened] == [(writer.writer, 1)] * 2


def test_flushes_are_counted_per_segment(store, writer):
    """The second segment, too, is flushed four times before it rolls."""
    roll(writer)
    say(writer, *["x" * 60_000] * 3)
    writer.flush()

    assert types(bodies(store.inner)[1])[-1] == "note"


def test_no_segment_grows_beyond_the_most(store, writer):
    """A backlog goes out in segments of 8 MiB at most, one put for each."""
    say(writer, *["x" * 60_000] * 300)
    store.requests.clear()

    done = [writer.flush(), writer.flush(), writer.flush()]

    assert done == [False, False, True]
    assert store.puts == 3
    assert max(map(len, bodies(store.inner))) <= SEGMENT_MAX_BYTES


def test_a_backlog_fills_its_segments(store, writer):
    """A segment of a backlog is as full as whole lines make it."""
    say(writer, *["x" * 60_000] * 300)

    writer.flush()

    assert len(bodies(store.inner)[0]) > SEGMENT_MAX_BYTES - LINE_BYTES - 2 * segments.SEAL_ROOM


def test_a_backlog_is_acknowledged_segment_by_segment(store, writer):
    """What one put made durable is acknowledged before the next is tried."""
    say(writer, *["x" * 60_000] * 200)
    store.faults.extend([Fault.NONE, Fault.NEVER])

    writer.flush()
    first = writer.acknowledged
    with pytest.raises(Unavailable):
        writer.flush()

    assert 0 < first == writer.acknowledged < 200


def test_a_line_that_no_longer_fits_takes_the_next_slot(store, writer):
    """A segment with less room than a line is sealed as it is."""
    say(writer, *["x" * 60_000] * 139)
    writer.flush()
    say(writer, "y" * 60_000)

    assert not writer.flush()
    assert writer.flush()

    assert [types(body)[-1] for body in bodies(store.inner)] == ["segment_sealed", "note"]
    assert len(texts(store)) == 140


# Ending


@pytest.mark.parametrize("seal", ["close", "finish"])
def test_the_end_rides_on_the_last_flush(store, writer, seal):
    """The last records and the seal are one put; then the writer is closed."""
    say(writer, "one")
    store.requests.clear()

    assert writer.flush(seal)

    (body,) = bodies(store.inner)
    assert (reason(body), writer.closed, store.puts) == (seal, True, 1)


def test_an_end_with_nothing_to_say_is_said(store, writer):
    """Closing seals even when no record waits."""
    assert writer.flush("close")

    assert types(bodies(store.inner)[0]) == ["segment_opened", "segment_sealed"]


def test_an_end_is_said_once(store, writer):
    """A second end asks the store nothing."""
    writer.flush("finish")
    store.requests.clear()

    assert writer.flush("close")

    assert store.requests == []


def test_an_end_is_not_reached_before_the_backlog_is_out(store, writer):
    """With more than a segment waiting, the end comes behind the last of it."""
    say(writer, *["x" * 60_000] * 200)

    done = [writer.flush("close"), writer.flush("close")]

    assert done == [False, True]
    assert [reason(body) for body in bodies(store.inner)] == ["roll", "close"]


def test_an_end_right_behind_a_roll_takes_a_slot_of_its_own(store, writer):
    """A sealed segment cannot be sealed again: the end needs one more."""
    roll(writer)

    assert writer.flush("finish")

    assert types(bodies(store.inner)[1]) == ["segment_opened", "segment_sealed"]


def test_an_unsettled_end_is_not_an_end(store, writer):
    """Closed means that the seal is in the journal, not that it was sent."""
    store.faults.append(Fault.LOST)
    with pytest.raises(Unavailable):
        writer.flush("close")
    assert not writer.closed

    assert writer.flush("close")

    assert writer.closed


def test_a_segments_seal_hashes_all_before_it(store, writer):
    """The seal says how many bytes lie before it, and their hash."""
    say(writer, "one")
    writer.flush("close")

    (body,) = bodies(store.inner)

    at = body.rindex(b"\n", 0, -1) + 1
    seal = events.decode(body[at:])
    assert (seal["bytes"], seal["sha256"]) == (at, sha256(body[:at]).hexdigest())
