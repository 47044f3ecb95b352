"""What a finished run took is told of each of its sources, whatever its states hold."""

import orjson
import pytest
from fold.stories import Story

from journal.fold import fold
from journal.history import former_of
from journal.limits import SOURCES_KEPT
from journal.state import Former, SourceState, StreamState, rebuilt


def worked(name, *, started=1000.0, wall=60.0, **numbers):
    """A source that is done, of one file unless it is said otherwise."""
    times = {"started": started, "spoke": started + wall, "ended": started + wall}
    return SourceState(name, "downloading", 1, **{"files": 1, "bytes": 100, **times, **numbers})


def of(*sources, attempt=1):
    return StreamState(attempt=attempt, sources=list(sources))


def test_each_source_is_told_with_what_it_took():
    """In the order of their beginning: files, bytes and seconds from begin to end."""
    story = Story().started()
    story.source("b").files("b", 3, after=2.0).done("b", after=1.0)
    story.source("a", sub_phase="processing").files("a", 1, after=5.0).done("a")

    told = former_of([story.state])
    assert [tuple(one.values())[:4] for one in told] == [
        ("b", "downloading_policy", 3, 300),
        ("a", "processing", 1, 100),
    ]
    assert [one["wall_seconds"] for one in told] == [180.0, 300.0]


def test_a_run_without_a_stream_has_no_history():
    """Nothing is told of nothing."""
    assert former_of([]) == []


def test_what_failed_or_never_began_is_left_out():
    """It says nothing of what the source costs."""
    sources = of(worked("failed", failed=True), worked("empty", files=0, bytes=0), worked("good"))

    assert [one["source"] for one in former_of([sources])] == ["good"]


def test_a_source_that_was_not_ended_lasted_until_it_spoke_last():
    """A job that never says `source_done` has a history all the same."""
    (one,) = former_of([of(worked("a", ended=None, spoke=1030.0))])

    assert one["wall_seconds"] == 30.0


def test_what_files_were_measured_to_take_is_added_up():
    """Of files done side by side the seconds are more than the source lasted; a wait is neither."""
    story = Story().started().source("a")
    story.say("file_done", after=1.0, source="a", path="x", bytes=100, seconds=60.0)
    story.say("waiting", source="a", reason="rate limit").say("note", after=30.0)
    story.say("file_done", after=1.0, source="a", path="y", bytes=100, seconds=60.0)
    story.say("file_done", source="a", path="z", bytes=100, seconds=60.0).done("a")

    (one,) = former_of([story.state])
    assert (one["seconds"], one["wall_seconds"]) == (180.0, 120.0)


def test_what_two_attempts_did_counts_for_what_they_measured():
    """Files of an earlier attempt, which the later found finished, have told what they took."""
    story = Story().started().source("a").files("a", 3, after=3.0)
    story.started(attempt=2, after=60.0).source("a", done={"files": 3, "bytes": 300})
    story.files("a", 1, after=1.0).done("a")
    all_found = story.state
    story.started(attempt=3, after=60.0).source("a", done={"files": 4, "bytes": 400}).done("a")

    for_one = {"files": 4, "bytes": 400, "seconds": 240.0, "wall_seconds": 240.0}
    both = [*former_of([all_found]), *former_of([story.state])]
    assert [{key: one[key] for key in for_one} for one in both] == [for_one, for_one]


def test_what_an_earlier_attempt_did_is_told_at_the_speed_of_the_last():
    """A source of which three quarters were found finished would have taken four times as long."""
    (one,) = former_of([of(worked("a", found_files=3, found_bytes=300))])

    assert (one["files"], one["bytes"], one["wall_seconds"]) == (4, 400, 240.0)


def test_without_bytes_the_files_say_how_much_was_found():
    """Of empty files an earlier attempt did as many as this one."""
    (one,) = former_of([of(worked("a", bytes=0, found_files=1))])

    assert (one["files"], one["wall_seconds"]) == (2, 120.0)


def test_a_source_of_two_streams_is_told_once():
    """Its files add up, and it lasted from the first begin to the last end."""
    one = of(worked("a"))
    other = of(worked("a", started=1030.0))

    (both,) = former_of([one, other])
    assert (both["files"], both["wall_seconds"]) == (2, 90.0)


def test_of_very_many_sources_the_longest_are_told():
    """So many as a state keeps, in the order of their beginning still."""
    half = SOURCES_KEPT // 2
    short = of(*(worked(f"short-{number}", wall=1.0) for number in range(SOURCES_KEPT)))
    long = of(*(worked(f"long-{number}", started=2000.0 + number) for number in range(half)))
    names = [one["source"] for one in former_of([short, long])]

    assert len(names) == SOURCES_KEPT
    assert names[-half:] == [f"long-{number}" for number in range(half)]


@pytest.mark.parametrize("count", [0, 1, 2**53, 2**63 - 1])
@pytest.mark.parametrize("time", [-(2.0**53), 0.0, 2.0**53])
def test_numbers_of_any_size_make_a_history_that_can_be_kept(count, time):
    """What a stored state may hold becomes numbers that the next state may hold."""
    source = worked("a", started=time, wall=-time, files=count, found_bytes=count)
    history = former_of([of(source, worked("b", started=-time, bytes=count, found_files=count))])

    assert orjson.loads(orjson.dumps(history)) == history
    state = StreamState()
    fold(state, [{"seq": 0, "ts": "", "type": "history", "sources": history}])
    assert len([rebuilt(Former, orjson.loads(orjson.dumps(one))) for one in state.former]) == len(
        history
    )
