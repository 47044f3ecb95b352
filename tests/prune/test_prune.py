"""What a prune removes, what it leaves, and which runs it leaves alone."""

import fakes
import orjson
import pytest
from prune.lived import (
    DAY,
    RUN,
    TOMBSTONE,
    WEEK,
    Times,
    beside,
    document,
    live,
    memory,
    segments,
    tell,
    types,
)

from journal import layout
from journal.claim import Claim
from journal.compactor import Compactor
from journal.errors import Denied, Fenced, Missing, Pruned
from journal.prune import look, prune
from journal.stores import ABSENT

SLOT_0 = layout.segment_key(RUN, "main", 0)


@pytest.fixture
def times():
    return Times()


@pytest.fixture
def store(times):
    return memory(times)


@pytest.fixture
def old(store, times):
    """A store with a finished run of four segments, a month later."""
    live(store)
    times.at += 30 * DAY
    return store


# What is removed


def test_tombstones_are_left_of_a_finished_run(old):
    """The first slot and the end of the chain stay, without events; what was between is gone."""
    done = prune(old, RUN, WEEK)

    assert (done.why_kept, done.segments) == (None, 4)
    assert segments(old) == [0, 4]
    assert [types(old, segment) for segment in (0, 4)] == [TOMBSTONE, TOMBSTONE]


def test_a_run_of_one_segment_leaves_two_tombstones(store, times):
    """Whoever saw that it is sealed could open the next slot, so that is taken."""
    live(store, segments=1)
    times.at += WEEK

    prune(store, RUN, WEEK)

    assert [types(store, segment) for segment in (0, 1)] == [TOMBSTONE, TOMBSTONE]


def test_a_stream_that_was_never_closed_is_abandoned(store, times):
    """`finished` in main ends the run: what lies beside it goes with it."""
    live(store)
    beside(store)
    times.at += WEEK

    prune(store, RUN, WEEK)

    assert [types(store, segment, "beside") for segment in (0, 1)] == [TOMBSTONE, TOMBSTONE]


def test_a_main_stream_that_was_left_open_is_pruned(store, times):
    """It said `finished`, and nobody sealed it."""
    live(store, seal=None)
    times.at += WEEK

    prune(store, RUN, WEEK)

    assert segments(store) == [0, 4]


def test_what_is_not_the_journal_s_stays(old):
    """Other objects of the run's folder, and even of its journal's, are left alone."""
    keys = [f"{RUN}/_complete", f"{RUN}/progress.json", f"{RUN}/journal/notes.txt"]
    for key in keys:
        old.put(key, b"mine", expect=ABSENT)

    prune(old, RUN, WEEK)

    assert [old.get(key).body for key in keys] == [b"mine"] * 3


def test_the_document_stays_and_says_the_same(old):
    """All but the journal's own part, which names the end of the chain."""
    before = orjson.loads(document(old))

    prune(old, RUN, WEEK)

    after = orjson.loads(document(old))
    assert {**after, "journal": None} == {**before, "journal": None}


def test_a_document_that_lagged_is_finished_first(store, times):
    """What was never folded is folded before it goes."""
    live(store)
    store.delete(layout.snapshot_key(RUN))
    times.at += WEEK

    prune(store, RUN, WEEK)

    assert orjson.loads(document(store))["status"] == "completed"


@pytest.mark.parametrize("everything", [False, True])
def test_a_compaction_afterwards_changes_nothing(old, everything):
    """Nor does it find damage."""
    prune(old, RUN, WEEK)
    before = document(old)

    compaction = Compactor(old, RUN).compact(everything=everything)

    assert (compaction.damages, document(old)) == ([], before)


def test_another_program_s_document_is_not_replaced(old):
    """Of a tombstone nothing could be folded but a run that never began."""
    foreign = b'{"phase":"training","last_update":"2035-01-01T00:00:00Z"}'
    fakes.overwrite(old, layout.snapshot_key(RUN), foreign)

    prune(old, RUN, WEEK)
    Compactor(old, RUN).compact(everything=True)

    assert document(old) == foreign


def test_a_second_prune_has_nothing_to_do(old):
    """It looks, and neither puts nor deletes."""
    prune(old, RUN, WEEK)
    old.requests.clear()

    again = prune(old, RUN, WEEK)

    assert (again.segments, again.bytes, again.why_kept) == (0, 0, None)
    assert {verb for verb, _ in old.requests} == {"get", "list"}


def test_looking_changes_nothing(old):
    """It tells what a prune would remove, and how old the run is."""
    found = look(old, RUN, WEEK)

    assert (found.segments, found.why_kept, found.age_seconds) == (4, None, 30 * DAY)
    assert segments(old) == [0, 1, 2, 3]


# What is left alone


@pytest.mark.parametrize("status", ["completed", "failed", "aborted", "preempted"])
def test_every_end_is_an_end(store, times, status):
    live(store, status=status)
    times.at += WEEK

    assert prune(store, RUN, WEEK).why_kept is None


def test_a_run_that_has_not_finished_stays(store, times):
    """However long ago it was: its next attempt goes on from its events."""
    live(store, status=None, seal="close")
    times.at += 300 * DAY

    assert prune(store, RUN, WEEK).why_kept == "it has not finished"
    assert segments(store) == [0, 1, 2, 3]


def test_a_run_that_was_begun_again_stays(store, times):
    """`finished` does not count when an attempt with a higher number has started."""
    live(store, status="failed")
    writer = fakes.claimed(store)
    tell(writer, "started", attempt=2)
    writer.flush()
    times.at += WEEK

    assert prune(store, RUN, WEEK).why_kept == "it has not finished"


def test_a_run_that_is_too_young_stays(store, times):
    """One second is missing."""
    live(store)
    times.at += 30 * DAY - 1

    assert prune(store, RUN, 30 * DAY).why_kept == "it was written to 29 d 23 h ago"
    assert segments(store) == [0, 1, 2, 3]


def test_a_stream_beside_main_keeps_the_run_young(store, times):
    """The last write to any stream counts."""
    live(store)
    times.at += WEEK
    beside(store)

    assert "written to 0 s ago" in prune(store, RUN, WEEK).why_kept


@pytest.mark.parametrize("age", [0.0, WEEK - 1])
def test_no_age_below_a_week_is_taken(old, age):
    with pytest.raises(ValueError, match="7 d 00 h after the last write at the earliest"):
        prune(old, RUN, age)


def test_a_damaged_run_stays(old):
    """Who looks into it needs what there is."""
    old.delete(layout.segment_key(RUN, "main", 1))
    old.delete(layout.snapshot_key(RUN))

    assert "damaged" in prune(old, RUN, WEEK).why_kept


def test_a_run_without_a_main_stream_stays(store, times):
    """Nobody can have said that it has finished."""
    beside(store, seal="close")
    times.at += WEEK

    assert prune(store, RUN, WEEK).why_kept == "it has no main stream"


def test_a_run_without_a_journal_is_missing(store):
    store.put(layout.snapshot_key(RUN), b"{}", expect=ABSENT)

    with pytest.raises(Missing):
        prune(store, RUN, WEEK)


def test_a_store_whose_clock_was_set_back_prunes_nothing(store, times):
    """What the records and this host say of the time does not count."""
    live(store)
    times.at = 40 * DAY

    assert prune(store, RUN, WEEK).why_kept is not None
    assert segments(store) == [0, 1, 2, 3]


def test_without_the_right_to_delete_nothing_is_begun(old):
    """Or a run would lose its first segment, and the rest would stay."""

    class Undeletable:
        get, put, list = old.get, old.put, old.list

        def delete(self, key):
            raise Denied(f"DELETE {key}: 403")

    before = [types(old, segment) for segment in segments(old)]

    with pytest.raises(Denied):
        prune(Undeletable(), RUN, WEEK)

    assert [types(old, segment) for segment in segments(old)] == before


# Who comes back


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("hint", [None, 0, 1, 4, 5])
def test_a_pruned_run_is_not_claimed(old, resume, hint):
    """Its id is not used again, whatever a claimant remembers of it."""
    prune(old, RUN, WEEK)

    with pytest.raises(Pruned, match="its id is not used again"):
        Claim(fakes.stream(old), resume=resume, hint=hint).attempt()


def test_a_writer_of_the_last_segment_is_fenced(store, times):
    """It left its stream open beside a finished run, and slept."""
    live(store)
    writer = beside(store)
    times.at += WEEK
    prune(store, RUN, WEEK)
    tell(writer, "note", text="awake")

    with pytest.raises(Fenced):
        writer.flush()


@pytest.fixture
def sleeper(store, times):
    """A writer that was taken over behind its sealed segment, and slept until after the prune."""
    writer = fakes.claimed(store)
    tell(writer, "started", attempt=1)
    writer.flush("roll")
    successor = fakes.claimed(store, pid=2)
    tell(successor, "finished", status="completed")
    successor.flush("finish")
    times.at += 8 * DAY
    prune(store, RUN, WEEK)
    tell(writer, "note", text="awake")
    return writer


def test_a_sleeper_whose_next_slot_was_deleted_is_fenced(store, sleeper):
    """It can create it; then it looks for the tombstone, and acknowledges nothing."""
    with pytest.raises(Fenced, match="was pruned"):
        sleeper.flush()

    assert (sleeper.acknowledged, segments(store)) == (1, [0, 1, 2])


def test_a_sleeper_that_cannot_look_for_the_tombstone_looks_again(store, sleeper):
    """Until then it does not know, and says so."""
    store.deaf = 1
    with pytest.raises(fakes.Unavailable):
        sleeper.flush()

    with pytest.raises(Fenced, match="was pruned"):
        sleeper.flush()


def test_what_a_sleeper_left_is_removed_by_the_next_prune(store, times, sleeper):
    """A slot that it created among the tombstones is nobody's."""
    with pytest.raises(Fenced):
        sleeper.flush()

    assert prune(store, RUN, WEEK).segments == 1
    assert segments(store) == [0, 2]


def test_who_has_not_slept_asks_nothing(store):
    """A roll costs no request beside its puts."""
    writer = fakes.claimed(store)
    tell(writer, "started", attempt=1)
    writer.flush("roll")
    tell(writer, "note", text="more")
    store.requests.clear()

    writer.flush()

    assert [verb for verb, _ in store.requests] == ["put"]


def test_a_claimant_that_slept_is_refused(store, times):
    """It saw a sealed end, and opens the slot behind it when that has been deleted."""
    first = fakes.claimed(store)
    first.flush("roll")
    late = Claim(fakes.stream(store, pid=3), resume=True)

    def meanwhile():
        last = fakes.claimed(store.inner, pid=2)
        tell(last, "finished", status="completed")
        last.flush("finish")
        times.at += 8 * DAY
        prune(store.inner, RUN, WEEK)

    store.meanwhile.append(meanwhile)

    with pytest.raises(Pruned):
        late.attempt()


def test_a_run_that_is_resumed_meanwhile_is_left_alone(old):
    """The end of the chain is its lock: here the claimant had it first."""
    old.meanwhile.append(lambda: fakes.claimed(old.inner, pid=2))

    kept = prune(old, RUN, WEEK)

    assert kept.why_kept == "stream main was just written to"
    assert segments(old) == [0, 1, 2, 3, 4]
    assert "started" in types(old, 0)


def test_a_claimant_that_comes_meanwhile_is_refused(old):
    """Here the prune had it first."""
    late = Claim(fakes.stream(old, pid=2), resume=True)
    old.meanwhile.append(lambda: prune(old.inner, RUN, WEEK))

    with pytest.raises(Pruned):
        late.attempt()


def test_a_stream_that_moves_after_main_was_taken_waits(store, times):
    """Nothing is removed until the whole run is, and the next prune says what it waits for."""
    live(store)
    aside = beside(store)
    times.at += WEEK
    tell(aside, "note", text="alive")
    store.meanwhile.extend([lambda: None, aside.flush])

    first = prune(store, RUN, WEEK)
    times.at += DAY
    second = prune(store, RUN, WEEK)

    assert first.why_kept == "stream beside was just written to"
    assert second.why_kept == "half pruned; stream beside was written to 24 h 00 min ago"
    assert types(store, 0, "beside") == ["segment_opened", "note", "note"]


def test_it_goes_on_when_that_stream_is_old_enough(store, times):
    live(store)
    aside = beside(store)
    times.at += WEEK
    tell(aside, "note", text="alive")
    store.meanwhile.extend([lambda: None, aside.flush])
    prune(store, RUN, WEEK)
    times.at += WEEK

    prune(store, RUN, 30 * DAY)

    assert look(store, RUN, WEEK).segments == 0
