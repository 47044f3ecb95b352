"""What a record proves of the process that wrote it, and how long it may prove nothing."""

import pytest
from fold.stories import BEGAN, Story

from journal.clock import stamp
from journal.health import unreachable, verdict
from journal.limits import STALL_MAX_SECONDS, STALL_MIN_SECONDS
from journal.signs import stall_limit

HOUR = 60


def refused(story, times):
    for _ in range(times):
        story.say("error", after=1, message="refused", error="ConnectionError", fatal=False)
    return story


def judged(story, minute, **others):
    return verdict(story.document(**others), BEGAN + minute * 60)


def phase(**limits):
    return Story().started().say("phase", phase="data_prep", sub_phase="extracting", **limits)


def flying(*paths):
    return [{"source": "a", "path": path, "bytes": 1, "seconds": 1.0} for path in paths]


def downloading(minutes, *, bytes_a_minute, story=None):
    """A file whose bytes are told of every minute, and which does not end."""
    story = story or Story().started().source("a")
    said = sum(record["type"] == "progress" for record in story.records)
    for minute in range(said + 1, said + minutes + 1):
        fields = {"bytes": minute * bytes_a_minute, "in_flight": flying("big")}
        story.say("progress", after=1, source="a", files=0, **fields)
    return story


# Limits


def test_a_declared_limit_is_the_phase_s():
    """Shorter than any other would be, and gone with the phase."""
    story = phase(stall_seconds=300.0)

    assert stall_limit(story.state).seconds == 300
    assert stall_limit(story.say("phase", phase="training").state).seconds == STALL_MIN_SECONDS


def test_a_declared_limit_is_no_shorter_than_the_silence_promised():
    """What goes on inside a file may show in beats only."""
    limit = stall_limit(phase(stall_seconds=60.0).state)

    assert limit.seconds == 200
    assert limit.reason == "declared for extracting, and no less than the silence promised"


def test_a_declared_limit_holds_for_cpu_as_well():
    """Three hours of compressing are three hours."""
    story = phase(stall_seconds=3 * 3600.0).beats(150, cpu_seconds=170.0)

    assert judged(story, 150).progress == "slow"
    assert stall_limit(story.state).stirring_seconds == 3 * 3600


@pytest.mark.parametrize("declared", [None, 0, -5, "20m", float("nan"), True, 1e300])
def test_a_limit_that_is_none_is_not_declared(declared):
    """A foreign hand may have written it."""
    assert stall_limit(phase(stall_seconds=declared).state).reason == "the default"


@pytest.mark.parametrize(
    ("pause", "reason"),
    [(3, "the default"), (9, "3 times the longest pause so far"), (30, "the longest there is")],
)
def test_a_limit_says_where_it_comes_from(pause, reason):
    """Learned from the pauses of the run itself, between two bounds."""
    story = Story().started().files("a", 1).beats(pause).files("a", 1)

    assert stall_limit(story.state).reason == reason


def test_a_deadline_that_was_extended_holds_a_stall_off():
    """Work before its end does not shorten it, and behind it the limit counts."""
    story = Story().started().say("extended", until=stamp(BEGAN + 60 * HOUR))

    story.files("a", 1).beats(80)

    assert judged(story, 61).progress == "advancing"
    assert judged(story, 74).progress == "advancing"
    assert judged(story, 76).progress == "stalled"


@pytest.mark.parametrize("until", [None, 5, "later", "9999-99-99"])
def test_a_deadline_that_is_no_time_extends_nothing(until):
    """Unreadable is not for ever."""
    story = Story().started().say("extended", until=until).beats(18)

    assert judged(story, 18).progress == "stalled"


def test_bytes_below_the_rate_declared_are_no_work():
    """A link that trickles is stalled; one that keeps its rate is not."""
    limits = {"stall_seconds": 600.0, "min_rate_bytes": 65536, "min_rate_seconds": 60.0}

    slow = downloading(20, bytes_a_minute=1000, story=phase(**limits).source("a"))
    fast = downloading(20, bytes_a_minute=70_000, story=phase(**limits).source("a"))

    assert judged(slow, 20).progress == "stalled"
    assert judged(fast, 20).progress == "advancing"


def test_a_beat_s_bytes_below_the_rate_declared_are_no_work():
    """What a beat counts is held against the rate too."""
    limits = {"stall_seconds": 600.0, "min_rate_bytes": 65536, "min_rate_seconds": 60.0}

    assert judged(phase(**limits).beats(20, bytes=100_000), 20).progress == "stalled"
    assert judged(phase(**limits).beats(20, bytes=300_000), 20).progress == "advancing"


# What is work


def test_bytes_inside_a_file_are_work():
    """Forty minutes without a file, and never stuck."""
    story = Story().started().source("a").files("a", 1)

    seen = judged(downloading(41, bytes_a_minute=400_000_000, story=story), 41)

    assert (seen.progress, seen.health) == ("slow", "warn")
    assert seen.why == (
        "alive (last record 0 s ago, promised every 3 min); no file finished for 41 min, but "
        "1 in flight and 2.00 GB in 5 min: slow, not stuck; stalled after 15 min without a byte "
        "(the default)"
    )


def test_files_and_bytes_of_late_are_told():
    """Of an ordinary run, what it did in the last minutes."""
    story = Story().started().source("a").files("a", 60, after=60, bytes=10_000_000)

    assert "5 files and 50.0 MB in 5 min; stalled after 15 min" in judged(story, 60).why


def test_traffic_without_a_byte_counted_is_told():
    """A job that counts no bytes shows the process's own."""
    story = Story().started().source("a").files("a", 1)
    story.beats(30, write_bytes=10**9, in_flight=flying("big"))

    assert "1 in flight and 1.00 GB read and written between two beats: slow" in (
        judged(story, 30).why
    )


def test_errors_again_and_again_are_no_work():
    """Somebody who only fails is slow, and after an hour stalled."""
    story = Story().started().files("a", 1)

    at_first, later = judged(refused(story, 3), 3), judged(refused(story, 17), 20)
    at_last = judged(refused(story, 46), 66)

    assert (at_first.progress, later.progress) == ("advancing", "slow")
    assert at_last.progress == "stalled"
    assert "errors only, no file and no byte for 66 min" in at_last.why


def test_a_stack_is_neither_work_nor_life():
    """It is told because there is none."""
    story = Story().started().files("a", 1).beats(18)

    before = story.document()
    story.say("stack", seconds=1080.0, stall_seconds=900.0, traceback="…", by="journal")

    assert story.document()["last_update"] == before["last_update"]
    assert judged(story, 18).progress == "stalled"


def test_a_silence_is_no_idleness():
    """Cut off or dead, liveness says; that nothing moves nobody knows."""
    story = Story().started().files("a", 1, after=1)

    assert (judged(story, 8).liveness, judged(story, 8).progress) == ("late", "advancing")
    assert (judged(story, 30).liveness, judged(story, 30).progress) == ("lost", None)


def test_a_clock_set_forward_is_taken_back_by_the_beat_that_tells():
    """Or a crash in the hour behind it would not be seen."""
    story = Story().started().files("a", 1, after=1)
    story.files("a", 1, after=HOUR + 1)  # in truth a minute later
    story.beat(after=1, offset=-3600.0)

    assert judged(story, 3).liveness == "alive"
    assert judged(story, 3 + 11).liveness == "lost"


def test_a_clock_set_back_is_not_believed_before_it_is_told():
    """The first beat behind it may still carry the offset of before."""
    story = Story().started().files("a", 1, after=60)

    story.beat(after=-57).beat(after=3, offset=3600.0)

    assert judged(story, 66).liveness == "alive"


def test_a_wait_without_an_end_sleeps_with_the_machine():
    """Its hour is one of the process."""
    story = Story().started().say("waiting", reason="quota").beat()

    assert judged(story.beat(after=180), 183).progress == "waiting"


# Streams


def test_liveness_is_the_lead_s():
    """Children that live on do not speak for a main that has died."""
    child = Story(host="host-2").started().files("a", 60, after=60)

    assert judged(Story().started().beats(30), 60, child=child).liveness == "lost"


def test_progress_is_anybody_s():
    """Main only waits for the others."""
    child = Story(host="host-2").started().files("a", 60, after=60)

    seen = judged(Story().started().beats(60), 60, child=child)

    assert (seen.liveness, seen.progress, seen.health) == ("alive", "advancing", "ok")


def test_a_stream_that_fell_silent_in_a_file_is_named():
    """Its share will not be done; main may not know yet."""
    child = Story(host="host-2").started().beat(in_flight=flying("x"))

    seen = judged(Story().started().files("a", 60, after=60), 60, child=child)

    assert seen.health == "warn"
    assert "silent with files in flight: child for 57 min" in seen.why


def test_a_stream_that_fell_silent_between_files_is_not():
    """A pool's workers are ended without a word, every day."""
    child = Story(host="host-2").started().beat(in_flight=[])

    assert judged(Story().started().files("a", 60, after=60), 60, child=child).health == "ok"


def test_a_run_that_was_handed_over_is_nobody_s_to_judge():
    """What comes next says how it is itself."""
    story = Story().started().files("a", 1).say("segment_sealed", reason="close")

    seen = judged(story, 600)

    assert (seen.state, seen.liveness, seen.progress, seen.health) == ("running", None, None, "ok")
    assert seen.why.startswith("handed over 10 h 00 min ago")


def test_a_clock_that_differs_is_told():
    """Skew is shown, and takes no part."""
    seen = judged(Story(offset=300.0).started().files("a", 1, after=1), 7)

    assert seen.liveness == "alive"
    assert seen.why.endswith("its clock is 5 min behind")


# A store that does not answer


def test_a_store_that_does_not_answer_leaves_it_unknown():
    """Neither alive nor dead."""
    seen = unreachable(Story().started().document(), BEGAN, BEGAN + 600)

    assert (seen.state, seen.liveness, seen.progress, seen.health) == (
        *("running", "unknown"),
        *(None, "warn"),
    )
    assert seen.why == "unknown: the store has not answered for 10 min"


def test_what_was_final_is_final_without_the_store():
    """Nothing can change it."""
    document = Story().started().finished().document()

    assert unreachable(document, BEGAN, BEGAN + 600).health == "done"


def test_nothing_was_ever_read():
    """Of a store that never answered."""
    assert unreachable(None, BEGAN, BEGAN + 60).state == "pending"


def test_behind_an_outage_the_writer_gets_time_to_be_heard():
    """It was cut off as well; a promised silence later it is lost."""
    document = Story().started().document()

    seen = verdict(document, BEGAN + 3600, answered_since=BEGAN + 3500)
    later = verdict(document, BEGAN + 3600, answered_since=BEGAN + 3399)

    assert (seen.liveness, later.liveness) == ("late", "lost")


def test_cpu_for_an_hour_is_called_by_its_own_limit():
    """A livelock has the longer one, and the sentence says which."""
    story = Story().started().files("a", 1).beats(66, cpu_seconds=170.0)

    assert "the limit of it is 60 min" in judged(story, 66).why
    assert stall_limit(story.state).stirring_seconds == STALL_MAX_SECONDS


# Cases that other tools get wrong


def test_a_run_that_never_beat_is_lost():
    """It opened its stream, and nothing was ever heard of it again."""
    story = Story()

    assert (judged(story, 9).state, judged(story, 9).liveness) == ("pending", "late")
    assert (judged(story, 11).state, judged(story, 11).liveness) == ("pending", "lost")


def test_a_run_that_beats_and_never_starts_is_stalled():
    """A process that hangs before its first word is no healthier than one that hangs behind it."""
    seen = judged(Story().beats(18), 18)

    assert (seen.state, seen.progress, seen.health) == ("pending", "stalled", "critical")


def test_a_run_that_was_lost_and_resumed_is_alive():
    """The new attempt speaks, with a clock of its own."""
    story = Story().started().files("a", 10, after=10)
    resumed = story.opened(epoch=2).started(after=600, attempt=2)

    seen = judged(resumed, 611)

    assert (seen.state, seen.liveness, seen.progress) == ("running", "alive", "advancing")


def test_an_end_that_comes_late_is_the_end():
    """Called lost for an hour because its store was away: what it says then holds."""
    story = Story().started().files("a", 10, after=10)
    lost = judged(story, 70)

    ended = judged(story.finished(after=61), 71)

    assert (lost.liveness, ended.state, ended.liveness) == ("lost", "completed", None)


@pytest.mark.parametrize("late", ["heartbeat", "error", "file_done", "waiting", "stack"])
def test_nothing_that_comes_late_revives_a_run(late):
    """Final states are final."""
    story = Story().started().files("a", 1, after=1).finished("failed", message="disk full")

    seen = judged(story.say(late, after=1, source="a"), 2)

    assert (seen.state, seen.liveness, seen.health) == ("failed", None, "critical")


def test_a_worker_left_behind_does_not_revive_a_run():
    """Main has said that it is over; a stream that goes on is abandoned."""
    worker = Story(host="host-2").started().files("a", 60, after=60)

    seen = judged(Story().started().finished(after=1), 60, worker=worker)

    assert (seen.state, seen.health) == ("completed", "done")


# What the counters of a beat cover


def test_what_files_have_told_of_is_no_work_of_the_beat():
    """A beat counts since the last one: a file done behind that was work then, not now."""
    story = Story().started().source("a").beat().files("a", 1, after=1, bytes=10**9)

    story.beat(files=1, bytes=10**9).beats(15)

    assert judged(story, 22).why.endswith("no work for 18 min; the limit is 15 min (the default)")


def test_bytes_that_nobody_has_told_of_are_work_of_the_beat():
    """A download that says nothing else."""
    story = Story().started().source("a").beat().files("a", 1, after=1, bytes=10**9)

    story.beats(18, bytes=10**9 + 1)

    assert judged(story, 22).progress == "slow"


def test_a_beat_that_comes_late_needs_as_much_more():
    """Forty minutes of log lines between errors are no work."""
    story = Story().started().beat()
    for _ in range(3):
        refused(story, 39).beat(after=1, write_bytes=75_000)

    assert judged(story, story.minute).progress == "stalled"


def test_behind_an_outage_nothing_is_called_stalled_at_once():
    """Those who work may not have been heard of yet."""
    document = Story().started().files("a", 1, after=1).beats(18).document()

    seen = verdict(document, BEGAN + 19 * 60, answered_since=BEGAN + 18 * 60)

    assert (seen.liveness, seen.progress, seen.health) == ("alive", None, "ok")


@pytest.mark.parametrize(("write_bytes", "progress"), [(30_000, "slow"), (15_000, "stalled")])
def test_who_beats_more_often_need_not_do_more(write_bytes, progress):
    """64 KiB in three minutes are work, told in one beat or in three."""
    story = Story().opened(heartbeat_seconds=60.0).started().files("a", 1)
    for _ in range(20):
        story.beat(after=1, write_bytes=write_bytes)

    assert judged(story, 20).progress == progress
