"""Beats that prove work, stacks while there is none, clocks that are set: the pump by hand."""

import threading

import pytest
from recorder.pumped import Job

from journal.recorder.stall import stacks
from journal.recorder.vitals import Vitals

MINUTE = 60


@pytest.fixture
def job(monkeypatch):
    job = Job(monkeypatch)
    job.at(0)
    return job


def of(kind, records):
    return [record for record in records if record["type"] == kind]


# Stacks


def test_a_stall_is_told_with_the_stacks_of_the_job(job):
    """Once it has passed the limit that readers judge by, and by the journal itself."""
    assert of("stack", job.until(15 * MINUTE)) == []

    (stack,) = of("stack", job.until(16 * MINUTE))
    assert stack["seconds"] > stack["stall_seconds"] == 900.0
    assert stack["by"] == "journal"
    assert "test_a_stall_is_told_with_the_stacks_of_the_job" in stack["traceback"]


def test_a_stall_is_told_again_ever_more_seldom(job):
    """After twice and four times the limit, and then no more."""
    told = of("stack", job.until(6 * 60 * MINUTE))

    assert [round(stack["seconds"] / MINUTE) for stack in told] == [15, 30, 60]


def test_a_second_stall_is_told_anew(job):
    """Work between them ends the first, and has taught a longer limit."""
    job.until(16 * MINUTE)
    job.source.file_done("x", bytes=1)

    (stack,) = of("stack", job.until(70 * MINUTE))
    assert stack["stall_seconds"] == pytest.approx(3 * 16 * MINUTE, abs=30)


def test_bytes_inside_a_file_are_no_stall(job):
    """What moves is not stuck."""
    with job.source.file("x") as file:
        moving = [job.at(minute * MINUTE) for minute in range(1, 60) if not file.advance(1000)]

    assert [of("stack", records) for records in moving] == [[]] * 59


def test_a_declared_limit_is_kept_here_as_well(job):
    """The stacks come when readers call it stalled."""
    job.intake.say("phase", {"phase": "data_prep", "stall_seconds": 300.0})

    (stack,) = of("stack", job.until(6 * MINUTE))
    assert stack["stall_seconds"] == 300.0


def test_a_declared_wait_is_no_stall(job):
    """Nobody has to look where a job stands that waits."""
    job.intake.say("waiting", {"reason": "rate limit"})

    assert of("stack", job.until(70 * MINUTE)) == []


def test_nothing_is_told_behind_the_end(job):
    """A store that is down may keep the end waiting for long."""
    job.intake.say("finished", {"status": "completed"})

    assert of("stack", job.until(60 * MINUTE)) == []


def test_the_journal_s_own_threads_are_left_out():
    """They are none of the suspects."""
    done = threading.Event()
    other = threading.Thread(target=done.wait, name="downloader")
    other.start()
    everyone, without = stacks(set()), stacks({other.ident})
    done.set()
    other.join()

    assert 'Thread "downloader"' in everyone
    assert 'Thread "downloader"' not in without
    assert without.startswith('Thread "MainThread"')


# Beats


def test_errors_do_not_put_a_beat_off(job):
    """Who fails again and again has to show what else goes on."""
    for second in range(0, 180, 20):
        job.at(second)
        job.intake.say("error", {"message": "refused", "error": "OSError", "fatal": False})

    job.vitals = Vitals(5.0, 1000, 0, 0)
    (beat,) = of("heartbeat", job.at(180))
    assert beat["cpu_seconds"] == 5.0


def test_a_clock_set_forward_is_told_before_what_follows(job):
    """Or all that comes behind it would lie an hour ahead."""
    job.seconds, job.offset = 3610, -3598.5
    job.source.file_done("x", bytes=1)

    assert [record["type"] for record in job.at(3610)][:2] == ["heartbeat", "file_done"]


def test_a_clock_set_back_is_told_behind_what_was_said(job):
    """What was stamped by the clock of before is corrected by the offset of before."""
    job.seconds = 100
    job.source.file_done("x", bytes=1)
    job.offset = 3601.5

    assert [record["type"] for record in job.at(-3500)] == ["file_done", "heartbeat"]


def test_a_clock_s_jump_is_told_once(job):
    """And what whole seconds do is no jump."""
    job.offset = 61.5
    assert len(of("heartbeat", job.at(10))) == 1

    job.offset = 60.5
    assert of("heartbeat", job.at(11)) == []
