"""Is it there, does it move: the verdict at an instant of the store's clock."""

import hypothesis.strategies as st
import pytest
from fold.stories import BEGAN, Story
from hypothesis import given

from journal.health import duration, state_of, verdict

PROMISED = 200 / 60  # minutes: the longest silence promised by default


def judged(story, minute):
    return verdict(story.document(), BEGAN + minute * 60)


@pytest.fixture
def working():
    """A run that did a file at minute 60, and one every few minutes before."""
    story = Story().started().source("a")
    return story.files("a", 20, after=60)


# Liveness


@pytest.mark.parametrize(
    ("promises", "liveness", "health"),
    [
        (0, "alive", "ok"),
        (1, "alive", "ok"),
        (2, "alive", "ok"),
        (2.1, "late", "warn"),
        (3, "late", "warn"),
        (3.1, "lost", "critical"),
        (1000, "lost", "critical"),
    ],
)
def test_liveness_is_counted_in_promised_silences(working, promises, liveness, health):
    """Two passed: late. Three: lost."""
    seen = judged(working, 60 + promises * PROMISED)

    assert (seen.liveness, seen.health) == (liveness, health)


def test_a_clock_behind_the_records_is_alive(working):
    """The store's clock has whole seconds: a silence is never below nothing."""
    assert judged(working, 59).liveness == "alive"


def test_a_longer_promise_is_a_later_alarm():
    """The run's own promise counts."""
    story = Story().opened(heartbeat_seconds=30.0).started()

    assert judged(story, 3).liveness == "lost"
    assert judged(Story().started(), 3).liveness == "alive"


# Progress


def test_work_is_advancing(working):
    """Recent work, recent beat."""
    seen = judged(working, 61)

    assert (seen.state, seen.progress, seen.health) == ("running", "advancing", "ok")


def test_beats_without_work_are_stalled(working):
    """The process is there, and does nothing."""
    seen = judged(working.beats(21), 82)

    assert (seen.liveness, seen.progress, seen.health) == ("alive", "stalled", "critical")


def test_the_limit_is_not_passed_at_the_limit(working):
    """Fifteen minutes are not over after fifteen minutes."""
    assert judged(working.beats(15), 75).progress == "advancing"


def test_a_declared_wait_is_waiting(working):
    """Until its end, and then for a stall limit more."""
    working.say("waiting", reason="rate limit", until="2025-08-05T21:35:00Z").beats(78)

    assert judged(working, 120).progress == "waiting"
    assert judged(working, 121).progress == "advancing"
    assert judged(working, 136).progress == "stalled"


def test_waiting_is_ok(working):
    """A legitimate wait pages nobody."""
    seen = judged(working.say("waiting", reason="rate limit").beats(30), 91)

    assert seen.health == "ok"
    assert "waiting: rate limit, 29 min at most to go" in seen.why


def test_cpu_alone_is_slow(working):
    """Something goes on, nobody can tell what."""
    seen = judged(working.beats(12, cpu_seconds=90.0), 73)

    assert (seen.progress, seen.health) == ("slow", "warn")


def test_cpu_alone_is_slow_up_to_its_own_limit(working):
    """CPU holds a stall off for an hour: as long as `last_update` goes on, it is no stall."""
    seen = judged(working.beats(45, cpu_seconds=90.0), 106)

    assert seen.progress == "slow"


def test_cpu_before_the_last_work_is_not_slow(working):
    """Work tells more than CPU."""
    working.beats(6, cpu_seconds=90.0).files("a", 1, after=1)

    assert judged(working, 68).progress == "advancing"


def test_cpu_long_ago_is_no_excuse(working):
    """A process that burned its CPU and then stopped is stalled like any."""
    seen = judged(working.beats(3, cpu_seconds=90.0).beats(18), 81)

    assert seen.progress == "stalled"


def test_cpu_alone_is_stalled_after_an_hour(working):
    """And not for ever."""
    seen = judged(working.beats(66, cpu_seconds=90.0), 126)

    assert (seen.progress, seen.health) == ("stalled", "critical")


def test_a_stall_weighs_more_than_a_late_beat(working):
    """The worse of the two decides."""
    assert judged(working.beats(15), 60 + 15 + 2.5 * PROMISED).health == "critical"


# States


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("completed", "done"),
        ("failed", "critical"),
        ("aborted", "critical"),
        ("preempted", "warn"),
    ],
)
def test_an_end_is_judged_by_its_status_alone(working, status, health):
    """However long ago it was."""
    seen = judged(working.finished(status, message="as said"), 10_000)

    assert (seen.state, seen.liveness, seen.progress, seen.health) == (status, None, None, health)
    assert seen.why == f"{status}: as said"


def test_a_run_that_has_not_started_is_pending():
    """It is there; work is not due yet."""
    seen = judged(Story(), 1)

    assert (seen.state, seen.liveness, seen.health) == ("pending", "alive", "ok")


def test_why_has_the_numbers(working):
    """One sentence that says what led to the verdict."""
    assert judged(working.beats(21), 82).why == (
        "alive (last record 60 s ago, promised every 3 min); "
        "no work for 22 min; the limit is 15 min (the default)"
    )


# Foreign documents


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("initializing", "pending"),
        ("running", "running"),
        ("completed", "completed"),
        ("failed", "failed"),
        ("whatever", "running"),
        (None, "running"),
        (["failed"], "running"),
    ],
)
def test_the_status_of_a_foreign_document_stands_for_the_state(status, state):
    """The old words."""
    assert state_of({"status": status}) == state


def test_a_foreign_document_is_judged_by_its_last_update():
    """Nothing else in it says anything of life."""
    document = {"status": "running", "last_update": "2025-08-05T19:35:00Z"}

    assert verdict(document, BEGAN + 60).liveness == "alive"
    assert verdict(document, BEGAN + 3600).liveness == "lost"


def test_a_foreign_document_without_a_time_is_a_warning():
    """There is nothing to judge by."""
    seen = verdict({"status": "running"}, BEGAN)

    assert (seen.liveness, seen.progress, seen.health) == (None, None, "warn")


def objects(values):
    keys = [
        *("status", "finished", "vitals", "last_update", "last_record", "last_work", "waiting"),
        *("until", "reason", "in_flight", "last_cpu", "stall_after_seconds", "message"),
        "silence_promised_seconds",
    ]
    return st.dictionaries(st.sampled_from(keys), values, max_size=6)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["2025-08-05T19:35:00Z", "9999-12-31T23:59:59Z", "failed", "completed"]),
    lambda inner: st.lists(inner, max_size=2) | objects(inner),
    max_leaves=8,
)


@given(objects(json_values | objects(json_values)), st.floats(0, 4e9))
def test_any_document_has_a_verdict(document, store_time):
    """Whoever wrote it."""
    seen = verdict(document, store_time)

    assert seen.health in {"ok", "warn", "critical", "done"}
    assert seen.why


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h 00 min"),
        (3 * 3600 + 299, "3 h 04 min"),
        (48 * 3600, "2 d 00 h"),
        (100 * 86400 + 5 * 3600, "100 d 05 h"),
    ],
)
def test_a_duration_is_told_in_two_units_at_most(seconds, text):
    """Short for people."""
    assert duration(seconds) == text
