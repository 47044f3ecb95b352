"""Other programs overwrite the document whole, at any moment; the snapshot comes back over it."""

import fakes
import pytest
from coexist.shared import FOREIGN, Shared
from hypothesis import given
from hypothesis import strategies as st

SHELL = {
    "phase": "data_prep",
    "instance_type": "p4d.24xlarge",
    "instance_id": "i-0abc",
    "instance_ip": "10.0.0.7",
    "region": "us-east-1",
    "details": "Preparing data",
}
HOST = {"base_model": "mistral-7b", "start_time": "2025-08-05T19:27:00Z", "instance_id": "i-0abc"}


@pytest.fixture
def shared():
    return Shared()


def stamps(shared):
    return shared.document["last_update"]


# The snapshot is back


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'"x"', b"[1]", b'{"journal": 5}'])
def test_the_snapshot_is_back_within_one_compaction(shared, body):
    """Whatever was put over it, and be it no document at all."""
    shared.compact()
    fakes.overwrite(shared.store.inner, "mistral-20250805-142652/metadata.json", body)

    assert shared.compact()["job"] == "prepare"


def test_an_overwrite_between_reading_and_putting_is_not_put_over(shared):
    """The shell's new fields are in the snapshot that follows, and the training host's still."""
    shared.compact()
    shared.overwrite(**HOST)
    shared.store.meanwhile.append(lambda: shared.overwrite(**SHELL))

    document = shared.compact()

    assert (document["region"], document["base_model"]) == ("us-east-1", "mistral-7b")


def test_a_silent_job_has_its_document_back_with_its_next_beat(shared):
    """A beat is a record like any other: no more than a promised silence passes until then."""
    shared.compact()
    shared.overwrite(**SHELL)
    shared.wait(180)
    shared.say("main", "heartbeat", files=0, bytes=0, clock_offset=0.0)

    assert shared.compact()["status"] == "running"
    assert shared.monitor().state == "RUNNING"


# What others wrote


def test_what_the_shell_wrote_is_carried(shared):
    """Its fields stay; those that are the journal's are the journal's."""
    shared.overwrite(**SHELL)

    document = shared.compact()

    theirs = {key: document[key] for key in SHELL if key in FOREIGN}
    assert theirs == {key: value for key, value in SHELL.items() if key in FOREIGN}
    assert document["details"][:9] == "no source"


def test_a_phase_that_the_shell_posted_holds_until_a_stream_says_one(shared):
    """Whoever looks must not see a run fall back to its setup."""
    shared.overwrite(**SHELL)
    shared.compact()

    assert shared.compact(1)["phase"] == "data_prep"


@pytest.mark.parametrize("phase", ["error", "complete", "", None, 7])
def test_a_posted_phase_that_is_over_or_none_does_not_hold(shared, phase):
    """What an earlier run of the name left behind, and what is not a phase at all."""
    shared.overwrite(phase=phase)

    assert shared.compact()["phase"] == "setup"


def test_what_the_shell_dropped_comes_back(shared):
    """The training host writes once; the shell's next overwrite knows nothing of its fields."""
    shared.overwrite(**HOST)
    shared.compact()
    shared.overwrite(**SHELL)

    document = shared.compact()

    assert (document["base_model"], document["start_time"]) == (
        "mistral-7b",
        "2025-08-05T19:27:00Z",
    )
    assert document["region"] == "us-east-1"


def test_what_was_filled_in_by_another_compactor_makes_room(shared):
    """Somebody who never saw `start_time` fills it in; who saw it brings it back."""
    shared.overwrite(**HOST)
    shared.compact(0)
    shared.overwrite(**SHELL)
    shared.compact(1)

    assert shared.compact(0)["start_time"] == "2025-08-05T19:27:00Z"


def test_the_newest_value_of_a_field_wins(shared):
    """The instance was replaced, and the shell says so."""
    shared.overwrite(region="us-east-1")
    shared.compact()
    shared.overwrite(region="eu-west-1")

    assert shared.compact()["region"] == "eu-west-1"


def test_null_is_no_value(shared):
    """Who writes null has nothing to say of a field."""
    shared.overwrite(region="us-east-1")
    shared.compact()
    shared.overwrite(region=None)

    assert shared.compact()["region"] == "us-east-1"


def test_what_others_keep_in_progress_comes_back_too(shared):
    """`progress` is shared, field by field."""
    shared.overwrite(progress={"tokens": 12, "files_downloaded": 99})
    shared.compact()
    shared.overwrite(**SHELL)

    progress = shared.compact()["progress"]

    assert (progress["tokens"], progress["files_downloaded"]) == (12, 0)


def test_two_compactors_settle(shared):
    """What each remembers is in the document once; then neither has anything to change."""
    shared.overwrite(**HOST)
    shared.compact(0)
    shared.overwrite(**SHELL)
    shared.compact(1)
    shared.compact(0)
    shared.store.requests.clear()

    shared.compact(1)
    shared.compact(0)

    assert shared.store.puts == 0


def test_what_is_remembered_is_bounded(shared):
    """A program with another field in each of its documents does not make ours grow for ever."""
    shared.play(
        [
            act
            for number in range(200)
            for act in (
                ("overwrite", {f"step_{number}": "x" * 1000}, 0.0, False),
                ("compact", 0),
            )
        ]
    )

    document = shared.document
    assert "step_199" in document
    assert 50 < sum(key.startswith("step_") for key in document) < 70


# last_update


def test_last_update_does_not_go_back_behind_what_the_shell_told(shared):
    """The shell posts four minutes after our last record: that is the heartbeat from then on."""
    shared.compact()
    shared.wait(240)
    shared.overwrite(**SHELL)
    shared.wait(20)

    shared.compact()

    assert stamps(shared) == "2025-08-05T19:39:00Z"


def test_an_older_time_of_another_program_is_not_taken(shared):
    """Its clock is behind: our own sign of life is newer."""
    before = shared.compact()["last_update"]
    shared.overwrite(ahead=-3600)

    shared.compact()

    assert stamps(shared) == before


def test_a_time_that_is_still_to_come_counts_as_now(shared):
    """Its clock is ahead: that must not keep a dead run alive for an hour."""
    shared.compact()
    shared.wait(60)
    shared.overwrite(ahead=3600)

    shared.compact()

    assert stamps(shared) == "2025-08-05T19:36:02Z"


def test_what_was_told_is_remembered_over_the_next_overwrite(shared):
    """Two programs with two clocks: the journal does not follow the one that is behind."""
    shared.compact()
    shared.wait(240)
    shared.overwrite()
    shared.compact()
    shared.overwrite(ahead=-120)

    shared.compact()

    assert stamps(shared) == "2025-08-05T19:39:00Z"


def test_a_run_that_died_behind_an_overwrite_times_out(shared):
    """Compacting again and again does not keep it alive beyond ten minutes of the last word."""
    shared.compact()
    shared.wait(240)
    shared.overwrite(**SHELL)
    shared.play([("compact", 0), ("wait", 300.0), ("compact", 1), ("wait", 301.0), ("compact", 0)])

    assert shared.monitor().state == "TIMED_OUT"


foreign_fields = st.dictionaries(
    st.sampled_from(FOREIGN), st.sampled_from(["2025-08-05T19:27:00Z", "a", None]), max_size=3
)
overwrites = st.tuples(
    st.just("overwrite"),
    foreign_fields,
    st.sampled_from([0.0, 0.0, -0.5, -40.0, 40.0, 7200.0]),
    st.booleans(),
)
acts = st.one_of(
    overwrites,
    st.tuples(st.just("wait"), st.sampled_from([0.3, 1.0, 59.7, 400.0])),
    st.tuples(st.just("compact"), st.sampled_from([0, 0, 1])),
    st.tuples(st.sampled_from(["main", "worker"])),
)


@given(st.lists(acts, max_size=25))
def test_at_any_moment_and_in_any_order(acts):
    """The snapshot is back, `last_update` does not go back, and what was there is carried."""
    assert Shared().play(acts) == []


# Nobody is at work any more


@pytest.mark.parametrize("end", ["finished", "handed over"])
def test_a_newer_document_behind_the_last_word_is_left_alone(shared, end):
    """Whoever goes on outside the journal has the word."""
    shared.compact()
    finish(shared, end)
    shared.compact()
    shared.wait(30)
    shared.overwrite(phase="training")

    assert shared.compact() == shared.document
    assert "journal" not in shared.document


def finish(shared, end):
    if end == "finished":
        shared.say("main", "finished", status="completed", seal="finish")
    else:
        shared.close("main")


def test_an_older_document_behind_the_last_word_is_replaced(shared):
    """What was said last is the journal's."""
    shared.compact()
    shared.wait(60)
    shared.say("main", "phase", phase="data_prep")
    shared.close("main")
    shared.overwrite(ahead=-30)

    assert "journal" in shared.compact()


def test_as_long_as_a_stream_is_open_the_document_is_the_journal_s(shared):
    """Main has handed over, training has a stream: the run goes on in it."""
    shared.say("training", "started", job="train", attempt=1)
    shared.close("main")
    shared.compact()
    shared.wait(30)
    shared.overwrite(phase="training")

    assert "journal" in shared.compact()


def test_a_run_that_goes_on_takes_its_document_back(shared):
    """What was left alone is replaced by the first compaction of the next attempt."""
    shared.close("main")
    shared.wait(30)
    shared.overwrite(phase="training", **HOST)
    shared.compact()
    resume(shared)

    document = shared.compact()

    assert (document["attempt"], document["base_model"]) == (2, "mistral-7b")


def resume(shared):
    shared.writers["main"] = fakes.claimed(shared.store, pid=2)
    shared.say("main", "started", job="prepare", attempt=2)
