"""Work that is all alike is foretold exactly, whatever interrupts it."""

import pytest
from eta.runs import Run, even, minutes
from fold.stories import BEGAN

from journal.clock import stamp
from journal.eta import forecast


def test_an_even_run_is_foretold():
    """Fifteen files of forty in fifteen minutes."""
    assert even().work("a", 15).left == pytest.approx(25, rel=0.01)


@pytest.mark.parametrize("minutes", [0.001, 1.0, 60.0])
def test_the_scale_does_not_matter(minutes):
    """A run of seconds and one of days are foretold alike."""
    assert even().work("a", 15, minutes=minutes).left == pytest.approx(25 * minutes, rel=0.01)


def test_several_at_once_go_faster():
    """Four files at a time, each of them of a minute: what counts is the time that passes."""
    assert even().work("a", 15, at_once=4).left == pytest.approx(25 / 4, rel=0.05)


def test_files_that_nobody_measured_are_reckoned_by_the_time_between_them():
    """A source without `seconds` is no slower and no faster."""
    run = even().files("a", 15, after=15.0)

    assert run.left == pytest.approx(25, rel=0.01)


def test_the_time_since_the_last_file_counts():
    """Half a minute into a file of a minute, half of it is done."""
    state = even().work("a", 15).state

    assert minutes(forecast([state], BEGAN + 15.5 * 60).run) == pytest.approx(24.5, rel=0.01)


def test_a_declared_wait_is_no_work():
    """Ten minutes of waiting change nothing of what is left."""
    run = even().work("a", 5)
    run.say("waiting", reason="rate limit", until=stamp(BEGAN + 15 * 60))

    run.minute += 10.0
    run.work("a", 10)

    assert run.left == pytest.approx(25, rel=0.02)


def test_a_wait_that_is_open_is_still_to_go():
    """Twenty minutes of it and twenty-five of work."""
    run = even().work("a", 15)
    run.say("waiting", reason="rate limit", until=stamp(BEGAN + 45 * 60))

    at = BEGAN + 25 * 60

    assert minutes(forecast([run.state], at).run) == pytest.approx(45, rel=0.02)


def test_a_stall_poisons_no_rate():
    """A file that took forty times its time did not work all the while."""
    run = even(files=40, bytes=4000).work("a", 10).work("a", 1, minutes=40.0).work("a", 9)

    assert run.left == pytest.approx(60, rel=0.1)


def test_what_was_found_done_pretends_no_speed():
    """Ninety of a hundred files were there; ten minutes a file."""
    run = Run().started().source("a", files=100, bytes=1000, done={"files": 90, "bytes": 900})

    run.work("a", 5, minutes=10.0)

    assert run.left == pytest.approx(50, rel=0.02)


def test_what_was_skipped_is_done_and_pretends_no_speed():
    """Ten files are left out in no time."""
    run = even(sources="a")
    for number in range(10):
        run.say("file_skipped", source="a", path=str(number), reason="there")

    run.work("a", 5)

    assert run.left == pytest.approx(5, rel=0.02)


def test_another_attempt_goes_by_what_the_first_one_cost():
    """The speed is known as soon as the second attempt begins."""
    run = even(sources="a").work("a", 10).finished("failed").started(after=600.0, attempt=2)

    run.source("a", files=20, bytes=2000, done={"files": 10, "bytes": 1000})

    assert run.left == pytest.approx(10, rel=0.1)


def test_what_outgrows_its_total_goes_on():
    """Twice the files that were said: it may well be more still."""
    run = Run().started().source("a", files=10, bytes=1000).work("a", 20)

    assert run.left > 5
    assert run.document()["sources"][0]["totals_grow"]


def test_a_raised_total_is_said_to_grow():
    """The source is begun again with more to do."""
    run = even(sources="a").work("a", 5).source("a", files=40, bytes=4000)

    assert run.document()["sources"][0]["totals_grow"]
    assert run.left == pytest.approx(35, rel=0.05)


def test_a_total_that_holds_does_not_grow():
    """Nor does one that was unknown at first."""
    run = even(sources="a").work("a", 20)

    assert not run.document()["sources"][0]["totals_grow"]


def test_more_done_is_less_left():
    """File by file of an even run."""
    left = [even().work("a", count).left for count in range(2, 20)]

    assert left == sorted(left, reverse=True)


def test_bytes_inside_the_first_file_are_ground():
    """One huge file, a quarter of it in ten minutes."""
    run = Run().started().source("a", files=1, bytes=4000)

    run.say("progress", after=10.0, source="a", files=0, bytes=1000, in_flight=[])

    assert 10 < run.left < 35
    low, high = run.span
    assert low < 30 < high
