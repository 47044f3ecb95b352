"""However a process ends, its run ends truthfully, and the process as it would have without."""

import signal
import time
from pathlib import Path

import pytest
from recorder.processes import python
from recorder.stored import document, lines, marker, of_type, records, types

ENDS = Path(__file__).with_name("ends.py")
HASTY = Path(__file__).with_name("hasty_ends.py")
TERM, INT, HUP = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


def end(spawn, root, how, number=None, **environment):
    """Let a job end; return it and its exit status."""
    child = spawn(python(ENDS, root, how), **environment)
    if number is not None:
        child.until_said("ready")
        child.signal(number)
    return child, child.wait()


@pytest.mark.parametrize(
    ("how", "number", "ended"),
    [
        ("normal", None, (0, "completed", None)),
        ("forgotten", None, (0, "completed", None)),
        ("exception", None, (1, "failed", "ValueError: bad input")),
        ("uncaught", None, (1, "failed", "ValueError: bad input")),
        ("uncaught_by_own_hook", None, (1, "failed", "ValueError: bad input")),
        ("exit_zero", None, (0, "completed", None)),
        ("exit_zero_without_block", None, (0, "completed", None)),
        ("exit_three", None, (3, "failed", "exit code 3")),
        ("exit_three_without_block", None, (3, "failed", "exit code 3")),
        ("exit_words", None, (1, "failed", "no input given")),
        ("interrupted", INT, (-INT, "aborted", "interrupted (SIGINT)")),
        ("interrupted_without_block", INT, (-INT, "aborted", "interrupted (SIGINT)")),
        ("interrupted", TERM, (-TERM, "aborted", "SIGTERM")),
        ("interrupted_without_block", TERM, (-TERM, "aborted", "SIGTERM")),
        ("interrupted", HUP, (-HUP, "aborted", "SIGHUP")),
        ("handled_by_shell_convention", TERM, (143, "aborted", "exit code 143 (SIGTERM)")),
        ("handled_as_failure", TERM, (1, "aborted", "exit code 1 (SIGTERM)")),
        ("handled_without_block", TERM, (3, "aborted", "exit code 3 (SIGTERM)")),
        ("ignored", None, (0, "completed", None)),
        ("finished_twice", None, (0, "failed", "the first word")),
        ("nested", None, (0, "completed", None)),
        ("two_runs", None, (3, "failed", "exit code 3")),
        ("in_a_thread", None, (0, "completed", None)),
        ("forked", None, (0, "completed", "by the parent")),
        ("ended_twice_by_signals", None, (-TERM, "aborted", "SIGTERM")),
    ],
)
def test_an_end_is_truthful(how, number, ended, local_root, spawn):
    """`finished` says how it ended, once, as the last record; the exit status is the job's own."""
    _, exited = end(spawn, local_root, how, number)

    finished = records(local_root)[-1]
    assert (exited, finished["status"], finished.get("message")) == ended
    assert types(local_root).count("finished") == 1
    assert document(local_root)["finished"]["status"] == finished["status"]


@pytest.mark.parametrize("how", ["exception", "interrupted"])
def test_an_end_on_s3_is_truthful(how, moto_url, spawn):
    """The same on S3: the end is there when the process has gone."""
    end(spawn, moto_url, how, INT if how == "interrupted" else None)

    assert types(moto_url)[-1] == "finished"
    assert lines(moto_url)[-1]["reason"] == "finish"
    assert marker(moto_url, "_error") is not None


def test_an_exception_leaves_its_traceback(local_root, spawn):
    """An exception that leaves the block is an error event, fatal, with its traceback."""
    end(spawn, local_root, "exception")

    error = of_type(local_root, "error")
    assert (error["error"], error["fatal"]) == ("ValueError", True)
    assert "in exception" in error["traceback"]


def test_a_handed_over_run_goes_on(local_root, spawn):
    """Handing over leaves no end: the stream is closed, there is no `finished` and no marker."""
    _, exited = end(spawn, local_root, "handed_over")

    assert exited == 0
    assert lines(local_root)[-1]["reason"] == "close"
    assert types(local_root) == ["started"]
    assert (marker(local_root, "_complete"), marker(local_root, "_error")) == (None, None)


def test_both_of_two_runs_are_ended(local_root, spawn):
    """A run that is still open when the process goes is ended as well."""
    end(spawn, local_root, "two_runs")

    assert types(local_root, run_id="run-2")[-1] == "finished"


def test_a_dead_store_delays_an_end_by_its_bound_and_no_more(moto_gate, moto_url, spawn):
    """With a store that never answers, SIGTERM still ends the process, in bounded time."""
    moto_gate.mode = "silent"
    child = spawn(python(HASTY, moto_url, "interrupted"))
    child.until_said("ready")
    began = time.monotonic()
    child.signal(TERM)

    assert child.wait() == -TERM
    assert time.monotonic() - began < 10
    assert "Traceback" not in child.err
