"""What the records of a run add up to, rule by rule."""

import pytest
from fold.stories import Story, document, seconds_after

from journal.limits import STALL_MAX_SECONDS, STALL_MIN_SECONDS, WAIT_MAX_SECONDS


def progress(story):
    return story.document()["progress"]


def last_update(story):
    """Minutes from the beginning to the last sign of life."""
    return seconds_after(story.document()["last_update"]) / 60


# Attempts


def test_files_done_twice_do_not_count_twice():
    """An attempt that begins a source anew starts counting it anew."""
    story = Story().started().source("a").files("a", 3)

    story.started(attempt=2).source("a").files("a", 4)

    assert progress(story)["files_downloaded"] == 4


def test_what_an_attempt_found_finished_counts_once():
    """`done` is what earlier attempts left; files of this one come on top."""
    story = Story().started().source("a").files("a", 3)

    story.started(attempt=2).source("a", done={"files": 3, "bytes": 300}).files("a", 2)

    assert (progress(story)["files_downloaded"], progress(story)["bytes_done"]) == (5, 500)


def test_a_source_that_is_not_worked_on_again_keeps_its_own():
    """A second attempt that has no need of a source leaves its numbers."""
    story = Story().started().source("a").files("a", 3).done("a")

    story.started(attempt=2).source("b").files("b", 2)

    assert progress(story)["files_downloaded"] == 5
    assert progress(story)["policy_sources_completed"] == 1


def test_a_source_said_again_in_the_same_attempt_goes_on():
    """Two blocks of the same source are one source."""
    story = Story().started().source("a").files("a", 3).done("a")

    story.source("a").files("a", 2)

    assert progress(story)["files_downloaded"] == 5
    assert progress(story)["policy_sources_completed"] == 0


def test_the_first_start_of_a_run_stays_its_start():
    """A second attempt has its own begin; the run's is that of the first."""
    story = Story().started().started(attempt=2, after=60)

    state = story.state

    assert (state.attempt_started - state.started, state.attempt) == (3600, 2)


def test_an_attempt_without_a_number_is_the_next():
    """A foreign `started` without attempt counts on."""
    story = Story().started()
    story.say("started", job="prepare")

    assert story.state.attempt == 2


# Sources


def test_downloaded_files_are_those_of_downloading_sub_phases():
    """Whatever follows `downloading`, and no other sub-phase."""
    story = Story().started()
    story.source("a", sub_phase="downloading").files("a", 1)
    story.source("b", sub_phase="downloading_policy").files("b", 2)
    story.source("c", sub_phase="tokenizing").files("c", 4)

    assert progress(story)["files_downloaded"] == 3
    assert progress(story)["files_done"] == 7


def test_policy_sources_are_those_of_downloading_policy():
    """Completed: those that ended, of that sub-phase only."""
    story = Story().started()
    story.source("a").done("a").source("b")
    story.source("c", sub_phase="downloading").done("c")

    assert progress(story)["policy_sources_completed"] == 1


@pytest.mark.parametrize(
    ("fields", "total"),
    [
        ({"sources_total": 8}, 8),
        ({"sources": [{"source": "a"}, {"source": "b"}, {"source": "c"}]}, 3),
        ({"sources_total": 1}, 2),
        ({}, 2),
        ({"sources_total": "eight", "sources": "many"}, 2),
    ],
)
def test_the_total_of_policy_sources_is_what_was_said_or_seen(fields, total):
    """`sources_total`, else the length of the plan, and never less than was seen."""
    story = Story().started(**fields).source("a").source("b")

    assert progress(story)["policy_sources_total"] == total


def test_a_source_takes_the_sub_phase_of_the_moment():
    """A source that does not say its sub-phase belongs to the present one, and stays there."""
    story = Story().started().say("phase", phase="data_prep", sub_phase="downloading_policy")
    story.say("source_started", source="a").say("phase", phase="data_prep", sub_phase="packing")

    story.files("a", 2)

    assert progress(story)["files_downloaded"] == 2


def test_one_name_in_two_sub_phases_is_two_sources():
    """Records mean the source of that name that was started last."""
    story = Story().started().source("a").files("a", 1)

    story.source("a", sub_phase="tokenizing").files("a", 2).done("a")

    named = {one["sub_phase"]: one for one in story.document()["sources"]}
    assert named["downloading_policy"]["files"] == 1
    assert (named["tokenizing"]["files"], named["tokenizing"]["state"]) == (2, "done")


def test_a_source_with_a_fatal_error_is_not_completed():
    """An error fatal to a source ends it, as failed."""
    story = Story().started().source("a")

    story.say("error", source="a", error="HTTPError", message="gone", fatal=True)

    assert story.document()["sources"][0]["state"] == "failed"
    assert progress(story)["policy_sources_completed"] == 0


def test_an_error_fatal_to_a_file_leaves_its_source_running():
    """What is named is what it is fatal to."""
    story = Story().started().source("a")

    story.say("error", source="a", path="x", error="HTTPError", message="gone", fatal=True)

    assert story.document()["sources"][0]["state"] == "running"


def test_a_file_of_a_source_that_nobody_started_counts_for_none():
    """There is no source to count it for; it is a sign of life all the same."""
    story = Story().started().files("a", 1, after=5)

    assert (progress(story)["files_done"], last_update(story)) == (0, 5)


def test_bytes_of_a_file_in_flight_count_as_they_move():
    """`progress` says how far a source is; the file that ends does not count them again."""
    story = Story().started().source("a").say("progress", source="a", files=0, bytes=70)
    assert progress(story)["bytes_done"] == 70

    story.files("a", 1, bytes=100)

    assert progress(story)["bytes_done"] == 100


def test_skipped_files_are_counted_apart():
    """A skipped file is not a file done."""
    story = Story().started().source("a").say("file_skipped", source="a", path="x", reason="old")

    assert (progress(story)["files_skipped"], progress(story)["files_done"]) == (1, 0)


def test_a_name_whose_latest_source_is_summed_up_means_the_one_before():
    """Among too many sources: records mean the latest of a name that is still known."""
    story = Story().started().source("a", sub_phase="tokenizing").source("a").done("a")
    for number in range(256):
        story.source(f"s{number}").done(f"s{number}")

    story.files("a", 1)

    named = {(one["sub_phase"], one["source"]): one for one in story.document()["sources"]}
    assert named["tokenizing", "a"]["files"] == 1


def test_a_failed_source_that_is_summed_up_is_not_completed():
    """Too many sources to name: those that failed are still told from those that did not."""
    story = Story().started()
    for number in range(300):
        story.source(f"s{number}")
        story.say("error", source=f"s{number}", error="E", message="m", fatal=True)

    assert progress(story)["sources_seen"] == 300
    assert progress(story)["sources_completed"] == 0


# What it is doing


def test_the_operation_that_was_said_is_the_current_one():
    """A phase may name its operation; that goes before any source."""
    story = Story().started().source("a")

    story.say("phase", phase="data_prep", sub_phase="packing", operation="shuffle")

    assert story.document()["current_operation"] == "shuffle"


def test_the_source_that_spoke_last_is_the_current_operation():
    """Of several at work, the one with the newest record."""
    story = Story().started().source("a", after=1).source("b", after=1).files("a", 1, after=1)

    assert story.document()["current_operation"] == "a"


def test_a_source_that_ended_is_no_operation():
    """Then the other one that runs is."""
    story = Story().started().source("a", after=1).source("b", after=1).done("b", after=1)

    assert story.document()["current_operation"] == "a"


def test_a_run_that_ended_does_nothing():
    """No operation once `finished` is said."""
    story = Story().started().source("a").finished()

    assert story.document()["current_operation"] is None


# The end


def test_an_end_is_final():
    """The first `finished` of an attempt counts, whatever comes after it."""
    story = Story().started().finished("failed", message="disk full").finished("completed")

    assert story.document()["finished"]["status"] == "failed"


def test_an_attempt_not_higher_does_not_leave_the_end():
    """A late `started` of the same attempt is not a new one."""
    story = Story().started(attempt=2).finished("failed").started(attempt=2).started(attempt=1)

    assert story.document()["status"] == "failed"


def test_a_higher_attempt_leaves_the_end():
    """A run that is resumed runs."""
    story = Story().started().finished("failed").started(attempt=2)

    assert (story.document()["status"], story.document()["finished"]) == ("running", None)


def test_a_beat_after_the_end_revives_nothing():
    """A process that lives on after its last word does not make the run go on."""
    story = Story().started().finished("failed").beat(files=5)

    assert story.document()["status"] == "failed"


def test_an_unknown_status_is_a_failure():
    """Nobody knows what it means, but completed is not what it says."""
    story = Story().started().finished("so-so")

    assert story.document()["finished"]["status"] == "failed"


def test_an_end_of_another_stream_ends_that_stream_only():
    """`finished` speaks for the run in main, elsewhere for its own process."""
    worker = Story(host="host-2").started().finished("failed")

    assert Story().started().document(worker=worker)["status"] == "running"


def test_a_new_attempt_has_nothing_in_flight():
    """What the killed process had under way is gone with it."""
    story = Story().started().beat(in_flight=[{"path": "x"}]).started(attempt=2)

    assert story.document()["vitals"]["in_flight"] == []


def test_an_end_empties_the_files_in_flight():
    """Nothing is under way behind it."""
    story = Story().started().beat(in_flight=[{"path": "x"}]).finished()

    assert story.document()["vitals"]["in_flight"] == []


# Signs of life


def test_every_record_is_a_sign_of_life():
    """Also of a type that nobody knows."""
    story = Story().started().say("of_another_kind", after=90)

    assert last_update(story) == 90


def test_a_beat_with_work_in_it_is_a_sign_of_life():
    """Bytes that moved since the last beat prove work, however long no file was done."""
    story = Story().started().beats(180, bytes=1)

    assert last_update(story) == 180


def test_a_hung_run_freezes_at_the_stall_limit():
    """Beats that prove nothing but the process count no longer than that."""
    story = Story().started().beats(180, files=0, bytes=0)

    assert last_update(story) == STALL_MIN_SECONDS / 60


def test_work_after_a_freeze_is_life_again():
    """A stall that was none ends with the first record."""
    story = Story().started().beats(180).files("a", 1, after=1)

    assert last_update(story) == 181


def test_the_limit_follows_the_run_s_own_gaps():
    """Three times the longest silence of work seen so far."""
    story = Story().started().beats(9).files("a", 1, after=1).beats(180)

    assert last_update(story) == 10 + 3 * 10


def test_what_nobody_was_there_for_is_no_gap():
    """A machine that slept for an hour, beats and all, was silent, and not slow."""
    story = Story().started().files("a", 1, after=60).beats(180)

    assert last_update(story) == 60 + STALL_MIN_SECONDS / 60


def test_what_nobody_was_there_for_is_no_stall():
    """It goes on where it was: five minutes without work before, and ten more are left."""
    story = Story().started().beats(6).beat(after=60).beats(180)

    assert last_update(story) == 66 + (15 - 6 - 3)


def test_the_limit_never_exceeds_the_most():
    """However long the gaps were."""
    story = Story().started().beats(54).files("a", 1).beats(180)

    assert last_update(story) == 54 + STALL_MAX_SECONDS / 60


def test_cpu_alone_holds_a_stall_off_for_an_hour():
    """A decompression, or a livelock: nobody can tell, so not for ever."""
    story = Story().started().beats(180, cpu_seconds=100.0)

    assert last_update(story) == STALL_MAX_SECONDS / 60


def test_cpu_that_stopped_holds_nothing_off():
    """What burned its CPU and then went quiet freezes a stall limit after that."""
    story = Story().started().beats(6, cpu_seconds=100.0).beats(180)

    assert last_update(story) == 6 + STALL_MIN_SECONDS / 60


def test_a_little_cpu_is_no_work():
    """Below the floor it is the interpreter's own."""
    story = Story().started().beats(180, cpu_seconds=0.5)

    assert last_update(story) == STALL_MIN_SECONDS / 60


@pytest.mark.parametrize("counter", ["read_bytes", "write_bytes"])
def test_traffic_of_the_process_is_work(counter):
    """An extraction writes and finishes no file for hours."""
    story = Story().started().beats(180, **{counter: 10**6})

    assert last_update(story) == 180


def test_a_little_traffic_is_no_work():
    """Below the floor it is log lines."""
    story = Story().started().beats(180, read_bytes=1000)

    assert last_update(story) == STALL_MIN_SECONDS / 60


def test_a_declared_wait_holds_a_stall_off_until_its_end():
    """And then the limit is counted from there."""
    story = Story().started().say("waiting", reason="restore", until="2025-08-05T21:35:00Z")

    assert last_update(story.beats(300)) == 120 + STALL_MIN_SECONDS / 60


@pytest.mark.parametrize("until", [{}, {"until": "later"}, {"until": 5}, {"until": None}])
def test_a_wait_without_an_end_lasts_an_hour(until):
    """Nor does one whose end nobody can read last longer."""
    story = Story().started().say("waiting", reason="quota", **until).beats(300)

    assert last_update(story) == (WAIT_MAX_SECONDS + STALL_MIN_SECONDS) / 60


def test_a_record_of_work_closes_a_wait():
    """Whoever works no longer waits."""
    story = Story().started().say("waiting", reason="restore", until="2025-08-05T21:35:00Z")

    story.files("a", 1, after=9).beats(300)

    assert last_update(story) == 9 + STALL_MIN_SECONDS / 60


def test_a_wait_is_no_gap():
    """A wait does not teach that long silences are usual here."""
    story = Story().started().say("waiting", reason="restore", until="2025-08-05T21:35:00Z")

    story.files("a", 1, after=120).beats(300)

    assert last_update(story) == 120 + STALL_MIN_SECONDS / 60


def test_work_during_a_wait_is_no_gap():
    """A beat with a byte in it, an hour into a wait, does not teach long silences either."""
    story = Story().started().say("waiting", reason="restore", until="2025-08-05T21:35:00Z")

    story.beat(after=60, files=1).files("a", 1).beats(300)

    assert last_update(story) == 60 + STALL_MIN_SECONDS / 60


def test_the_time_between_two_attempts_is_no_gap():
    """Nobody was there to work."""
    story = Story().started().started(attempt=2, after=600).beats(300)

    assert last_update(story) == 600 + STALL_MIN_SECONDS / 60


def test_times_are_those_of_the_store():
    """A record's time is corrected by its stream's offset."""
    story = Story(offset=90.0).started()

    assert last_update(story) == 1.5


def test_a_beat_brings_a_newer_offset():
    """The correction follows the host's clock as it drifts."""
    story = Story(offset=90.0).started().beat(offset=30.0, files=1)

    assert last_update(story) == 3.5


@pytest.mark.parametrize("offset", [None, "90", 1e300, -1e300, True, [90.0]])
def test_an_offset_that_is_none_is_not_applied(offset):
    """A foreign value moves no time."""
    story = Story(offset=offset).started()

    assert last_update(story) == 0


def test_the_last_sign_of_life_is_that_of_any_stream():
    """The newest over all."""
    worker = Story(host="host-2").started().files("a", 1, after=42)

    assert seconds_after(Story().started().document(worker=worker)["last_update"]) == 42 * 60


def test_a_clock_that_is_set_back_takes_no_sign_of_life_back():
    """The newest stays the newest."""
    story = Story().started().files("a", 1, after=30).files("a", 1, after=-20)

    assert last_update(story) == 30


@pytest.mark.parametrize("ts", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_is_none_is_that_of_the_record_before(ts):
    """A foreign hand's `ts` moves nothing."""
    story = Story().started(after=7)
    story.records.append({"seq": 2, "ts": ts, "type": "note"})

    assert last_update(story) == 7


# Several streams


def test_status_and_phase_are_main_s():
    """Other streams speak for themselves."""
    main = Story().started().say("phase", phase="data_prep", sub_phase="downloading")
    worker = Story(host="host-2").started().say("phase", phase="other", after=9)

    shown = document({"main": main, "a-worker": worker})

    assert (shown["phase"], shown["instance_id"]) == ("data_prep", "host-1")


def test_without_main_the_newest_stream_speaks():
    """A worker may be there before main is."""
    old = Story(host="host-1").started()
    new = Story(host="host-2").started(after=5)

    assert document({"a": new, "b": old})["instance_id"] == "host-2"


def test_without_main_ties_go_by_name():
    """So that the document does not depend on any order."""
    one, other = Story(host="host-1").started(), Story(host="host-2").started()

    assert document({"a": one, "b": other})["instance_id"] == "host-2"


def test_a_phase_that_main_never_said_is_the_newest_said():
    """Better than none."""
    worker = Story(host="host-2").started().say("phase", phase="data_prep", sub_phase="packing")

    assert Story().started().document(worker=worker)["sub_phase"] == "packing"


def test_counters_are_summed_over_streams():
    """Workers share the work."""
    main = Story().started().source("a").files("a", 1)
    worker = Story(host="host-2").started().source("b").files("b", 2)

    shown = main.document(worker=worker)

    assert shown["progress"]["files_downloaded"] == 3


def test_what_was_given_up_is_summed():
    """`dropped` is never silent."""
    story = Story().started().say("dropped", count=3, reason="full").say("dropped", count=4)

    assert story.document()["dropped"] == 7


def test_errors_are_told_by_class():
    """How many, the first and the last time, and the last one's words."""
    story = Story().started().say("error", error="HTTPError", message="one")
    story.say("error", error="HTTPError", message="two", after=5).say("error", message="three")

    errors = story.document()["errors"]

    (other, http) = errors["classes"][::-1]
    assert (errors["count"], other["error"], other["count"]) == (3, "error", 1)
    assert (http["count"], http["message"]) == (2, "two")
    assert (http["first"], http["last"]) == ("2025-08-05T19:35:00Z", "2025-08-05T19:40:00Z")


def test_what_the_journal_says_of_itself_is_no_work():
    """A store that fails now and then does not keep a hung run fresh."""
    story = (
        Story().started().beats(30).say("error", after=1, error="JournalUnavailable", by="journal")
    )

    assert last_update(story) == STALL_MIN_SECONDS / 60


def test_last_update_does_not_go_back_behind_the_opening():
    """A document made between the opening and `started`, stamped before it, said the opening's."""
    before = Story()
    shown = seconds_after(before.document()["last_update"])

    assert seconds_after(before.started(after=-1).document()["last_update"]) >= shown
