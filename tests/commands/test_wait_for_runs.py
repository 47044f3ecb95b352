"""`journal wait`: until a run has come so far, with an exit code to go by."""

import json
import threading

import pytest
from fold.stories import Story

from journal.cli import wait


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Looks follow one another soon."""
    monkeypatch.setattr(wait, "_LEAST_SECONDS", 0.01)
    monkeypatch.setattr(wait, "_MOST_SECONDS", 0.05)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("started", 0),
        ("ended", 0),
        ("completed", 0),
        ("phase=data_prep", 0),
        ("phase=downloading_policy", 0),
        ("source=federal:done", 0),
        ("phase=training", 20),
        ("source=state:done", 20),
    ],
)
def test_a_run_that_has_ended_answers_at_once(condition, code, run_of_an_hour, call):
    """With 20 if what was waited for can no more come."""
    assert call("wait", run_of_an_hour, "--for", condition).code == code


@pytest.mark.parametrize(("status", "code"), [("failed", 20), ("aborted", 21), ("preempted", 21)])
def test_a_run_that_ended_otherwise_is_not_completed(status, code, told, call):
    """The exit code is that of its end; `ended` is content with any."""
    told(main=Story().started().finished(status))

    assert call("wait", "run-1", "--for", "completed").code == code
    assert call("wait", "run-1").code == 0


def test_a_lost_run_is_not_waited_for(told, call):
    """Nobody will end it."""
    told(main=Story().started())

    answer = call("wait", "run-1", "--for", "completed")

    assert answer.code == 23
    assert "lost" in answer.err


def test_a_run_that_ends_meanwhile_is_waited_for(start, local_root, call):
    """From the look before its end to the one behind it; nothing but the answer on stdout."""
    run = start(local_root, run_id="run-1")
    run.flush(5)
    timer = threading.Timer(0.3, run.finish)
    timer.start()
    answer = call("wait", "run-1", "--for", "completed", "-o", "json", "--timeout", "30s")
    timer.join()

    assert answer.code == 0
    assert json.loads(answer.out)["state"] == "completed"
    assert "waiting for completed" in answer.err


def test_the_time_is_up(start, local_root, call):
    """With the exit code of timeout(1)."""
    start(local_root, run_id="run-1").flush(5)

    answer = call("wait", "run-1", "--timeout", "0.2s")

    assert answer.code == 124
    assert "has not come" in answer.err
    assert call("wait", "run-1", "--timeout", "0.1s", "-q").err == ""


def test_a_run_that_is_not_there_is_waited_for_only_until_it_starts(start, local_root, call):
    """`--for started` is for scripts that come before their job."""
    assert call("wait", "run-1", "--for", "completed").code == 10
    assert call("wait", "run-1", "--for", "started", "--timeout", "0.1s").code == 124
    timer = threading.Timer(0.2, lambda: start(local_root, run_id="run-1").flush(5))
    timer.start()
    assert call("wait", "run-1", "--for", "started", "--timeout", "30s").code == 0
    timer.join()


@pytest.mark.parametrize("condition", ["done", "phase=", "source=a", "source=:done"])
def test_what_nobody_can_wait_for_is_refused(condition, run_of_an_hour, call):
    """With the conditions there are."""
    answer = call("wait", run_of_an_hour, "--for", condition)

    assert answer.code == 2
    assert "source=NAME:done" in answer.err


def test_a_run_whose_id_has_the_word_latest_can_be_waited_for(call):
    """It is not `latest`."""
    answer = call("wait", "my-latest-run", "--for", "started", "--timeout", "0.1s")

    assert answer.code == 124
