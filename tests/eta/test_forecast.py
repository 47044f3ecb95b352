"""When there is an estimate of the end, and when there is honestly none."""

import pytest
from fold.stories import Story, seconds_after


def estimated(story):
    """Minutes from the beginning to the estimated end, None if there is none."""
    said = story.document()["progress"]["estimated_completion"]
    return None if said is None else seconds_after(said) / 60


def remaining(story):
    """Minutes from the last record to the estimated end."""
    return estimated(story) - story.minute


def begun(**fields):
    """A run of two sources of 100 files each, the first one under way."""
    story = Story().started(sources_total=2)
    story.say("phase", phase="data_prep", sub_phase="downloading_policy")
    return story.source("a", files=100, **fields)


def test_a_uniform_run_is_estimated_rightly():
    """Half of all files in half the time."""
    story = begun().files("a", 100, after=60).done("a")

    assert remaining(story) == pytest.approx(60, rel=0.2)


def test_the_estimate_is_of_the_last_record():
    """No time but those of records goes into it: reading the document later changes nothing."""
    story = begun().files("a", 100, after=60).done("a")

    assert story.document() == story.document()
    assert story.document()["eta"]["at"] == story.document()["progress"]["estimated_completion"]


def test_a_range_holds_the_estimate():
    """Low and high on its two sides."""
    eta = begun().files("a", 50, after=30).document()["eta"]

    assert seconds_after(eta["low"]) < seconds_after(eta["at"]) < seconds_after(eta["high"])


def test_there_is_none_at_the_start():
    """Before anything is done nobody knows."""
    assert estimated(begun()) is None


def test_there_is_none_without_any_work():
    """Time alone is no ground."""
    assert estimated(begun().beats(30)) is None


def test_there_is_none_before_the_run_began():
    """An opened stream that said nothing."""
    assert estimated(Story()) is None


def test_there_is_none_behind_the_end():
    """Whatever ended it."""
    story = begun().files("a", 100, after=60).finished("failed")

    assert estimated(story) is None
    assert story.document()["eta"] is None


def test_there_is_none_when_no_total_is_known():
    """Neither how many files a source has nor how many sources there are."""
    story = Story().started().say("phase", phase="data_prep", sub_phase="downloading_policy")

    story.source("a").files("a", 100, after=60)

    assert estimated(story) is None


def test_resumed_work_pretends_no_speed():
    """What an earlier attempt had finished was not done in this one's minutes."""
    story = begun().finished("failed", after=600).started(attempt=2, sources_total=1)
    story.source("a", files=1000, done={"files": 900, "bytes": 9000})

    story.files("a", 50, after=60)

    assert remaining(story) == pytest.approx(60, rel=0.2)


def test_sources_left_to_an_earlier_attempt_pretend_no_speed():
    """A second attempt that skips what the first one finished is no faster for it."""
    story = begun().files("a", 100, after=600).done("a").finished("failed")

    story.started(attempt=2, sources_total=2).source("b", files=100).files("b", 50, after=60)

    assert remaining(story) == pytest.approx(60, rel=0.2)
