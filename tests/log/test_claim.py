"""Becoming the writer of a stream, and taking it over."""

from hashlib import sha256

import fakes
import pytest
from fakes import Fault, bodies, claimed, say

from journal import events
from journal.claim import Claim
from journal.errors import Corrupt, Fenced, Held, Refused, Unavailable

SLOT_0 = f"{fakes.RUN}/journal/stream=main/0000000000.jsonl"
SLOT_1 = f"{fakes.RUN}/journal/stream=main/0000000001.jsonl"
FOLDER = f"{fakes.RUN}/journal/stream=main/"


@pytest.fixture
def store():
    return fakes.FaultyStore()


def openings(store):
    return [events.decode(body.splitlines()[0]) for body in bodies(store.inner)]


def seals(store):
    lasts = (events.decode(body.splitlines()[-1]) for body in bodies(store.inner))
    return [(last.get("reason"), last.get("epoch")) for last in lasts]


def claim(store, pid=2, *, resume=True, hint=None):
    return Claim(fakes.stream(store, pid), resume=resume, hint=hint)


# A new stream


def test_a_new_stream_is_opened_with_one_put(store):
    """Nobody to look for: a claim without resume creates slot 0 and asks nothing else."""
    claim(store, resume=False).attempt()

    assert store.requests == [("put", SLOT_0)]


def test_an_opening_says_who_writes(store):
    """The first line has the run, the place, the process, its promises and no link."""
    writer = claim(store, pid=7, resume=False).attempt()

    (opened,) = openings(store)

    assert list(opened) == [
        *("seq", "ts", "type", "v", "run_id", "stream", "segment", "epoch", "writer", "host"),
        *("pid", "clock_offset", "flush_seconds", "heartbeat_seconds", "prev"),
    ]
    assert (opened["seq"], opened["segment"], opened["epoch"], opened["prev"]) == (0, 0, 1, None)
    assert (opened["writer"], opened["host"], opened["pid"]) == (writer.writer, "host-7", 7)


def test_resuming_what_never_was_opens_it(store):
    """Resume of a stream that does not exist begins it."""
    writer = claim(store).attempt()

    assert (writer.epoch, writer.segment, writer.next_seq) == (1, 0, 0)


def test_each_claim_draws_a_new_writer_id(store):
    """Two processes of one host and pid are told apart."""
    assert claimed(store, pid=1).writer != claimed(store, pid=1).writer


# Held


def test_a_stream_that_has_a_writer_is_held(store):
    """Without resume the one who comes second is told who was first, and since when."""
    claimed(store, pid=1)

    with pytest.raises(Held) as held:
        claim(store, resume=False).attempt()

    assert (held.value.run_id, held.value.stream) == (fakes.RUN, "main")
    assert (held.value.host, held.value.pid) == ("host-1", 1)
    assert held.value.since == openings(store)[0]["ts"]


def test_held_names_the_present_holder(store):
    """After a takeover the holder is who took over, not who opened slot 0."""
    claimed(store, pid=1)
    claimed(store, pid=3)

    with pytest.raises(Held, match="pid 3 on host-3"):
        claim(store, resume=False).attempt()


def test_being_held_writes_nothing(store):
    """A claim that is held leaves the stream as it was."""
    claimed(store, pid=1)
    before = bodies(store.inner)

    with pytest.raises(Held):
        claim(store, resume=False).attempt()

    assert bodies(store.inner) == before


def test_held_by_an_opening_with_foreign_fields(store):
    """A holder whose opening says nonsense of host and pid still holds."""
    writer = claimed(store, pid=1)
    body = bodies(store.inner)[0].replace(b'"pid":1', b'"pid":"x"')
    fakes.overwrite(store.inner, SLOT_0, body)

    with pytest.raises(Held):
        claim(store, resume=False).attempt()

    assert not writer.fenced


# Lost replies


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.NEVER, Fault.DOUBLED])
@pytest.mark.parametrize("resume", [True, False])
def test_an_unheard_opening_is_settled_to_be_our_own(store, fault, resume):
    """A claimant whose create is not answered finds its own opening, not another's."""
    ours = claim(store, resume=resume)
    store.faults.append(fault)

    writer = until_answered(ours)

    assert [opened["writer"] for opened in openings(store)] == [writer.writer]
    assert writer.epoch == 1


def until_answered(claim):
    """Attempt it, and once more if nobody knows."""
    try:
        return claim.attempt()
    except Unavailable:
        return claim.attempt()


def test_an_opening_that_lands_late_is_settled_to_be_our_own(store):
    """The second create is refused by the first, which came after all."""
    ours = claim(store, resume=False)
    store.faults.append(Fault.LATE)
    with pytest.raises(Unavailable):
        ours.attempt()
    store.deliver()

    writer = ours.attempt()

    assert openings(store)[0]["writer"] == writer.writer


def test_an_unheard_opening_that_was_taken_over_is_another_s(store):
    """Our opening was applied, and before we heard of it a second claimant sealed it."""
    ours = claim(store, pid=2)
    store.faults.append(Fault.LOST)
    with pytest.raises(Unavailable):
        ours.attempt()
    claimed(store, pid=3)

    writer = ours.attempt()

    assert [opened["pid"] for opened in openings(store)] == [2, 3, 2]
    assert (writer.segment, writer.epoch) == (2, 3)


def test_an_unheard_opening_that_was_taken_over_is_held_without_resume(store):
    """The same without resume: the run has another writer now."""
    ours = claim(store, pid=2, resume=False)
    store.faults.append(Fault.LOST)
    with pytest.raises(Unavailable):
        ours.attempt()
    claimed(store, pid=3)

    with pytest.raises(Held, match="pid 3 on host-3"):
        ours.attempt()


def test_an_unheard_takeover_seal_raises_the_epoch(store):
    """A seal that was applied unheard is found on the next attempt; the epoch goes beyond it."""
    claimed(store, pid=1)
    ours = claim(store)
    store.faults.append(Fault.LOST)
    with pytest.raises(Unavailable):
        ours.attempt()

    writer = ours.attempt()

    assert seals(store)[0] == ("takeover", 2)
    assert writer.epoch == 3


def test_a_create_refused_over_nothing_is_attempted_again(store):
    """Refused as existing, and absent when read: nobody knows, so attempt it again."""
    ours = claim(store)
    store.faults.append(Fault.FALSE_412)
    with pytest.raises(Unavailable):
        ours.attempt()

    assert ours.attempt().segment == 0


def test_a_refused_claim_is_refused(store):
    """No rights: no waiting will cure that."""
    store.faults.append(Fault.REFUSED)

    with pytest.raises(Refused):
        claim(store).attempt()


def test_a_store_that_never_accepts_the_seal_is_refused(store):
    """The very tail that was read, refused again and again: compare is broken, and we stop."""
    claimed(store, pid=1)
    store.faults.extend([Fault.FALSE_412] * 50)

    with pytest.raises(Refused, match="conditional writes cannot be relied on"):
        claim(store).attempt()


# Taking over


def test_an_unsealed_tail_is_sealed_and_the_next_slot_opened(store):
    """A takeover is two puts: the seal on the tail, the opening behind it."""
    first = claimed(store, pid=1)
    say(first, "one")
    first.flush()

    second = claimed(store, pid=2)

    assert seals(store)[0] == ("takeover", 2)
    assert (second.segment, second.epoch, second.next_seq) == (1, 2, 1)


@pytest.mark.parametrize("end", ["close", "finish", "roll"])
def test_a_sealed_tail_is_left_as_it_is(store, end):
    """What is sealed is not sealed again; the next slot is opened behind it."""
    first = claimed(store, pid=1)
    first.flush(end)
    before = bodies(store.inner)[0]

    second = claimed(store, pid=2)

    assert bodies(store.inner)[0] == before
    assert (second.segment, second.epoch) == (1, 2)


def test_a_takeover_is_chained_to_the_sealed_segment(store):
    """The link is over the segment with the takeover's seal in it."""
    claimed(store, pid=1)
    claimed(store, pid=2)

    first, _ = bodies(store.inner)

    assert openings(store)[1]["prev"]["sha256"] == sha256(first).hexdigest()


def test_epochs_go_up_with_every_claim(store):
    """Epoch is highest seen plus one, also of a seal whose author died before opening."""
    claimed(store, pid=1)
    store.faults.extend([Fault.NONE, Fault.NEVER])
    with pytest.raises(Unavailable):
        claim(store, pid=2).attempt()

    assert claimed(store, pid=3).epoch == 3
    assert claimed(store, pid=4).epoch == 4


def test_sequence_numbers_go_on_over_a_takeover(store):
    """The successor's first record has the seq behind the last of its predecessor."""
    first = claimed(store, pid=1)
    say(first, "one", "two")
    first.flush()

    assert claimed(store, pid=2).next_seq == 2


def test_a_takeover_fences_the_one_before(store):
    """The old writer learns it at its next flush."""
    first = claimed(store, pid=1)
    claimed(store, pid=2)
    say(first, "one")

    with pytest.raises(Fenced):
        first.flush()


# Races


def test_the_holder_flushes_between_the_look_and_the_seal(store):
    """The tail moved under the claimant: it reads again, and nothing of the holder's is lost."""
    first = claimed(store, pid=1)
    say(first, "one")
    store.meanwhile.append(first.flush)

    second = claimed(store, pid=2)

    assert (first.acknowledged, second.next_seq, second.epoch) == (1, 1, 2)


def test_two_claimants_of_one_tail(store):
    """Whoever loses the seal reads again and goes on with a higher epoch."""
    claimed(store, pid=1)
    store.meanwhile.append(claim(store, pid=3).attempt)

    second = claimed(store, pid=2)

    assert [opened["pid"] for opened in openings(store)] == [1, 3, 2]
    assert second.epoch == 3


def test_two_claimants_of_one_slot(store):
    """Whoever loses the slot after sealing reads again and takes over from the winner."""
    claimed(store, pid=1)
    store.meanwhile.extend([lambda: None, claim(store, pid=3).attempt])

    second = claimed(store, pid=2)

    assert [opened["pid"] for opened in openings(store)] == [1, 3, 2]
    assert second.epoch > openings(store)[1]["epoch"]


def test_two_claimants_of_a_new_stream(store):
    """One creates slot 0; the other, without resume, is held by it."""
    store.meanwhile.append(claim(store, pid=3, resume=False).attempt)

    with pytest.raises(Held, match="pid 3 on host-3"):
        claim(store, pid=2, resume=False).attempt()


# Where to look


def test_a_hint_that_exists_spares_the_listing(store):
    """From a segment that is there, the chain is followed to its end."""
    claimed(store, pid=1).flush("close")
    claimed(store, pid=2).flush("close")
    store.requests.clear()

    writer = claim(store, hint=0).attempt()

    assert writer.segment == 2
    assert "list" not in dict(store.requests)


def test_a_hint_that_does_not_exist_is_looked_up(store):
    """A hint is a guess: without it the folder is listed."""
    claimed(store, pid=1)
    store.requests.clear()

    writer = claim(store, hint=9).attempt()

    assert writer.segment == 1
    assert ("list", FOLDER) in store.requests


def test_the_listing_begins_at_the_last_segment(store):
    """A long chain is not read from its start."""
    for_each_pid = [claimed(store, pid) for pid in (1, 2, 3)]
    store.requests.clear()

    claim(store, pid=4).attempt()

    assert for_each_pid[2].segment == 2
    assert ("get", SLOT_1) not in store.requests


def test_foreign_objects_in_the_folder_are_passed_over(store):
    """What is no segment by its name does not count as one."""
    claimed(store, pid=1)
    store.put(f"{FOLDER}notes.txt", b"mine", expect=fakes.ABSENT)
    store.put(f"{FOLDER}99.jsonl", b"mine", expect=fakes.ABSENT)

    assert claimed(store, pid=2).segment == 1


# What must not be claimed


def test_a_pruned_run_is_refused(store):
    """A tombstone in slot 0 stays for good: the id is not used again."""
    claimed(store, pid=1).flush("finish")
    (body,) = bodies(store.inner)
    tombstone = body[: body.index(b"\n") + 1]
    tombstone += fakes.seal(tombstone, reason="pruned", epoch=1, seq=0, ts="2025-08-05T19:35:00Z")
    fakes.overwrite(store.inner, SLOT_0, tombstone)

    with pytest.raises(Refused, match="was pruned"):
        claim(store).attempt()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"foreign\n",
        b'{"seq":0,"ts":"x","type":"note"}\n',
        b'{"seq":0,"ts":"x","type":"segment_opened","v":1}\n',
        b'{"seq":0,"ts":"x","type":"segment_opened","v":1,"epoch":"two"}\n',
        b'{"seq":0,"ts":"x","type":"segment_opened","v":1,"epoch":null}\n',
        b'{"seq":0,"ts":"x","type":"segment_opened","v":1,"epoch":1}\n{"seq":0,"ts":"x"',
        (
            b'{"seq":0,"ts":"x","type":"segment_opened","v":1,"epoch":1}\n'
            b'{"seq":0,"ts":"x","type":"segment_sealed"}\n'
        ),
    ],
)
def test_a_tail_that_is_no_segment_is_corrupt(store, body):
    """Nothing is built upon bytes that contradict the format; the complaint names the place."""
    store.put(SLOT_0, body, expect=fakes.ABSENT)

    with pytest.raises(Corrupt, match=r"stream=main/0000000000\.jsonl"):
        claim(store).attempt()


def test_a_tail_of_a_later_format_is_corrupt(store):
    """What a newer program wrote is not taken over by an older one."""
    store.put(
        SLOT_0,
        b'{"seq":0,"ts":"x","type":"segment_opened","v":2,"epoch":1}\n',
        expect=fakes.ABSENT,
    )

    with pytest.raises(Corrupt, match="journal format 2"):
        claim(store).attempt()
