"""Which alarms other stall limits would have given, of runs told one record after another."""

from fold.stories import BEGAN, RUN, Story

from journal.clock import stamp
from journal.fold import fold
from journal.health import verdict
from journal.segments import Cursor
from journal.snapshot import Folded, render
from journal.state import StreamState
from readers.tuning import DEFAULT, LIMITS, Rehearsal, Tuning

MINUTE = 60.0
DOWNLOADING = ("data_prep", "downloading_policy")


def begun(**said):
    """A run that has begun to download, and has a file after a minute."""
    story = Story().started().say("phase", phase=DOWNLOADING[0], sub_phase=DOWNLOADING[1], **said)
    return story.source("laws").files("laws", 1, after=1)


def rehearsed(main, *, minutes_after=0.0, limits=LIMITS, **others):
    """What several limits give of a run, seen so many minutes after its last record."""
    rehearsal = Rehearsal(limits)
    streams = {"main": main, **others}
    told = [(name, record) for name, story in streams.items() for record in story.records]
    for name, record in sorted(told, key=lambda one: one[1]["ts"]):
        rehearsal.take(name, record)
    tuning = Tuning(limits)
    last = max(story.minute for story in streams.values())
    ended = rehearsal.end(BEGAN + (last + minutes_after) * MINUTE)
    tuning.add(RUN, ended, rehearsal.places)
    return tuning


def alarms(tuning, limit):
    """False, true and open alarms of a limit, in minutes or DEFAULT."""
    tally = tally_of(tuning, limit)
    return tally.false_alarms, tally.true_alarms, tally.open_alarms


def tally_of(tuning, limit):
    seconds = limit if limit is DEFAULT else limit * MINUTE
    return tuning.total().tallies[tuning.limits.index(seconds)]


def hanging(minutes):
    """A run that shows no work for so long, and beats."""
    return begun().beats(minutes)


def test_a_pause_that_work_followed_was_no_stall():
    """Every limit that is shorter than the pause gives a false alarm, and no longer one."""
    tuning = rehearsed(hanging(12).files("laws", 1).done("laws").finished())

    assert [alarms(tuning, limit) for limit in (5, 10, 15, 90)] == [(1, 0, 0)] * 2 + [(0, 0, 0)] * 2
    assert alarms(tuning, DEFAULT) == (0, 0, 0)
    assert tuning.recommended(tuning.total()) == 15 * MINUTE
    assert tuning.total().longest_pause == 12 * MINUTE


def test_a_hang_that_was_put_an_end_to_was_a_stall():
    """A run that failed without any more work: a true alarm, and how early it had come."""
    tuning = rehearsed(hanging(60).finished("failed"))

    assert [alarms(tuning, limit) for limit in (5, 45, 60, 90)] == [(0, 1, 0)] * 2 + [(0, 0, 0)] * 2
    assert tally_of(tuning, 5).before_end == [55 * MINUTE]
    assert tally_of(tuning, 5).before_default == [10 * MINUTE]
    assert tally_of(tuning, DEFAULT).before_end == [45 * MINUTE]
    assert tally_of(tuning, 45).before_default == [-30 * MINUTE]
    assert tuning.recommended(tuning.total()) == 5 * MINUTE


def test_an_alarm_before_a_completed_end_was_false():
    """A run that was idle at its end and then completed had not stalled."""
    tuning = rehearsed(hanging(12).finished())

    assert alarms(tuning, 5) == (1, 0, 0)
    assert tuning.runs == {RUN: "completed"}


def test_an_alarm_before_a_preemption_tells_nothing():
    """Whether work would have come again nobody knows."""
    tuning = rehearsed(hanging(12).finished("preempted"))

    assert alarms(tuning, 5) == (0, 0, 1)


def test_an_alarm_of_a_run_that_was_lost_was_true():
    """Somebody killed it while it hung: no work came any more."""
    tuning = rehearsed(hanging(30), minutes_after=60)

    assert tuning.runs == {RUN: "lost"}
    assert alarms(tuning, 20) == (0, 1, 0)
    assert tally_of(tuning, 20).before_end == [10 * MINUTE]


def test_an_alarm_of_a_run_at_work_is_open():
    """The same run, looked at while it still beats."""
    tuning = rehearsed(hanging(30), minutes_after=1)

    assert tuning.runs == {RUN: "running"}
    assert alarms(tuning, 20) == (0, 0, 1)


def test_an_attempt_that_was_begun_again_had_stalled():
    """A hung attempt that was killed and resumed: the new attempt's work is no answer."""
    story = hanging(30).opened(epoch=2).started(after=20, attempt=2).files("laws", 1).finished()
    tuning = rehearsed(story)

    assert alarms(tuning, 20) == (0, 1, 0)
    assert tally_of(tuning, 20).before_end == [10 * MINUTE]


def test_a_declared_wait_is_no_alarm():
    """What the job had declared holds under every limit."""
    story = begun().say("waiting", reason="rate limit", until=stamp(BEGAN + 40 * MINUTE)).beats(36)
    tuning = rehearsed(story.files("laws", 1).finished())

    assert {alarms(tuning, limit) for limit in (5, 90, DEFAULT)} == {(0, 0, 0)}


def test_a_machine_that_slept_is_no_alarm():
    """Where nobody was heard of, liveness judges."""
    tuning = rehearsed(begun().beat().beat(after=300).files("laws", 1, after=1).finished())

    assert {alarms(tuning, limit) for limit in (10, 90, DEFAULT)} == {(0, 0, 0)}


def test_a_stream_that_works_holds_the_alarm_of_the_others_off():
    """A run has stalled when all of its streams have."""
    crew = Story(pid=2).started().source("laws")
    crew.files("laws", 30, after=40)
    tuning = rehearsed(begun().beats(39).finished(), crew=crew)

    assert alarms(tuning, 5) == (0, 0, 0)


def test_the_stream_that_worked_last_is_the_one_that_counts():
    """A limit is passed when all streams have passed it, not when the first has."""
    crew = Story(pid=2).started().source("laws")
    crew.files("laws", 30, after=30)
    tuning = rehearsed(begun().beats(42).finished("failed"), crew=crew)

    assert [alarms(tuning, limit) for limit in (10, 15, 30)] == [(0, 1, 0), (0, 0, 0), (0, 0, 0)]


def test_a_pause_that_ends_between_two_beats_is_seen():
    """Work that comes again before the next beat answers an alarm of just before."""
    tuning = rehearsed(begun().beat().files("laws", 1, after=3.1).finished())

    assert alarms(tuning, 5) == (1, 0, 0)


def test_cpu_is_no_answer_to_an_alarm():
    """It makes a stalled run a slow one; that work came again it does not prove."""
    story = hanging(21).beats(15, cpu_seconds=60.0)
    tuning = rehearsed(story.finished("failed"))

    assert alarms(tuning, DEFAULT) == (0, 1, 0)
    assert tally_of(tuning, DEFAULT).before_end == [21 * MINUTE]


def test_busy_cpu_holds_a_declared_limit_off_no_longer():
    """CPU alone puts the default's alarm off for an hour, a declared limit's not at all."""
    tuning = rehearsed(begun().beats(75, cpu_seconds=60.0).finished("aborted"))

    assert tally_of(tuning, 20).before_end == [55 * MINUTE]
    assert tally_of(tuning, DEFAULT).before_end == [15 * MINUTE]


def test_a_limit_that_the_run_had_declared_is_not_what_is_judged_by():
    """The default of a run that declared a limit is what it would have had without."""
    tuning = rehearsed(begun(stall_seconds=300.0).beats(12).files("laws", 1).finished())

    assert alarms(tuning, DEFAULT) == (0, 0, 0)
    assert alarms(tuning, 5) == (1, 0, 0)


def test_each_sub_phase_has_its_own_limit():
    """A long pause in one sub-phase says nothing of another."""
    story = begun().beats(6).files("laws", 1)
    story.say("phase", phase="data_prep", sub_phase="extracting").beats(24).files("laws", 1)
    tuning = rehearsed(story.finished())

    fit = {place[1]: tuning.recommended(found) for place, found in tuning.places.items()}
    assert fit == {"downloading_policy": 10 * MINUTE, "extracting": 30 * MINUTE}


def test_what_is_rehearsed_is_what_readers_say():
    """An alarm comes at the very moment at which the verdict turns to stalled."""
    story = hanging(60)
    tuning = rehearsed(story, minutes_after=600)
    last = BEGAN + story.minute * MINUTE
    called = last - tally_of(tuning, DEFAULT).before_end[0]

    def said(at):
        seen = [record for record in story.records if record["ts"] <= stamp(at)]
        run = {"main": Folded(Cursor(), fold(StreamState(), seen))}
        return verdict(render(RUN, run, {}), at).progress

    assert [said(called - 1), said(called + 1)] == ["advancing", "stalled"]


def test_hundreds_of_files_are_one_work():
    """Files in quick succession are folded together, and a hang behind them is seen."""
    tuning = rehearsed(begun().files("laws", 3000, after=30).beats(30).finished("failed"))

    assert tally_of(tuning, 5).before_end == [25 * MINUTE]
    assert alarms(tuning, 5) == (0, 1, 0)


def test_foreign_records_break_nothing():
    """Whatever a hand wrote is judged somehow, and not raised at."""
    story = begun()
    for value in (None, "x", -1, 1e308, float("nan"), [], {}):
        story.say("heartbeat", clock_offset=value, bytes=value, cpu_seconds=value)
        story.say("phase", phase=value, sub_phase=value, stall_seconds=value)
        story.say("waiting", until=value).say("finished", status=value).say(
            "started", attempt=value
        )
        story.records[-1]["ts"] = "yesterday"
    tuning = rehearsed(story.beats(30), minutes_after=60)

    assert len(tuning.runs) == 1
