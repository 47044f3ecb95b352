"""A call that holds the interpreter's lock stops the journal's threads: nothing is lost by it."""

from pathlib import Path

import pytest
from life.streams import numbered
from recorder.processes import python
from recorder.stored import document, of_type, records, types

from journal.clock import parse_stamp
from journal.health import verdict

STARVED = Path(__file__).with_name("starved.py")
TOO_LONG = "3"


def job(spawn, root, how, seconds=TOO_LONG, **environment):
    child = spawn(python(STARVED, root, how, seconds), **environment)
    assert child.wait() == 0, child.err
    return child


def test_the_culprit_is_written_down(local_root, spawn):
    """A call longer than a heartbeat leaves its stack in an `error` of the journal's own, once.

    What was said before and after it is there, in order.
    """
    job(spawn, local_root, "held")

    error = of_type(local_root, "error")
    assert (error["error"], error["fatal"], error["by"]) == ("Starved", False, "journal")
    assert "hold_the_lock" in error["traceback"]
    assert "_pump_loop" not in error["traceback"]  # the journal's threads are none of the suspects

    said = [line["phase"] for line in records(local_root) if line["type"] == "phase"]
    assert said == ["before", "after"]
    assert types(local_root)[-1] == "finished"
    assert numbered(local_root)


def test_readers_call_it_lost_after_three_promises_only(local_root, start):
    """Silence counts from the last record: for two promises it is no more than alive."""
    run = start(local_root, heartbeat_seconds=2.0)
    run.phase("data_prep")
    run.flush(60)
    found = document(local_root)
    seen = parse_stamp(found["vitals"]["last_record"])
    promised = found["vitals"]["silence_promised_seconds"]

    liveness = [verdict(found, seen + times * promised).liveness for times in (1.9, 2.9, 3.1)]
    assert liveness == ["alive", "late", "lost"]


@pytest.mark.parametrize(
    "how", ["timer_of_the_job", pytest.param("timer_taken", marks=pytest.mark.long)]
)
def test_a_timer_of_the_jobs_own_is_left_alone(how, local_root, spawn, tmp_path):
    """If the job sets `faulthandler`'s timer, before or after, it is the job's, and it fires."""
    job(spawn, local_root, how, "2.5", TIMER=str(tmp_path / "timer"))

    assert "Timeout" in (tmp_path / "timer").read_text()
    assert "error" not in types(local_root)


def test_the_timer_does_not_keep_a_child_from_ending(local_root, spawn):
    """A child would wait at its end for a thread that only its parent has; the parent's goes on."""
    assert job(spawn, local_root, "forks").said == ["child 0"]

    assert "hold_the_lock" in of_type(local_root, "error")["traceback"]


@pytest.mark.long
def test_a_call_of_half_a_minute_loses_nothing(root, spawn):
    """The same for thirty seconds, on S3 too."""
    job(spawn, root, "held", "30")

    assert "hold_the_lock" in of_type(root, "error")["traceback"]
    assert numbered(root)
