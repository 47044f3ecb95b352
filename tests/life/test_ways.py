"""Ways to end that are out of the ordinary: the truth is said, in bounded time, and only once."""

import signal
import time
from pathlib import Path

import pytest
from life.streams import numbered
from recorder.processes import python
from recorder.stored import document, of_type, records, types

WAYS = Path(__file__).with_name("ways.py")
TERM, INT, HUP, QUIT = signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT
EXIT_SECONDS = 2.5  # in life it is ten
SLACK_SECONDS = 2.25  # for all but the wait: less than another wait would take


def end(spawn, root, how, *numbers, **environment):
    """Let a job end; return it and its exit status."""
    child = spawn(python(WAYS, root, how), **environment)
    if numbers:
        child.until_said("ready")
    for number in numbers:
        child.signal(number)
    return child, child.wait()


@pytest.mark.parametrize(
    ("how", "number", "ended"),
    [
        ("a_thread_fails", None, (0, "completed", None)),
        ("threads_by_the_dozen", None, (0, "completed", None)),
        ("a_thread_flushes_for_ever", None, (0, "completed", None)),
        ("programs_are_run", None, (0, "completed", None)),
        ("exits_by_name", None, (3, "failed", "exit code 3")),
        ("handler_exits_in_block", TERM, (0, "aborted", "SIGTERM")),
        ("handler_exits", TERM, (0, "aborted", "SIGTERM")),
        ("handler_raises", TERM, (1, "aborted", "TimeoutError: told to end (SIGTERM)")),
        ("handler_interrupts", TERM, (-INT, "aborted", "interrupted (SIGTERM)")),
        ("works", QUIT, (-QUIT, "aborted", "SIGQUIT")),
        ("asyncio_interrupted", INT, (-INT, "aborted", "CancelledError")),
        ("asyncio_interrupted", TERM, (-TERM, "aborted", "SIGTERM")),
        ("asyncio_handled", TERM, (0, "completed", None)),
        ("asyncio_task_cancelled", None, (0, "completed", None)),
    ],
)
def test_an_unusual_end_is_truthful(how, number, ended, local_root, spawn):
    """`finished` says how it ended, once, as the last record; the exit status is the job's own."""
    _, exited = end(spawn, local_root, how, *([number] if number else []))

    finished = records(local_root)[-1]
    assert (exited, finished["status"], finished.get("message")) == ended
    assert types(local_root).count("finished") == 1
    assert numbered(local_root)


def test_an_end_amid_an_end_is_said_once(local_root, start, monkeypatch):
    """A signal that ends a run between the last word of an end and its seal changes nothing."""
    run = start(local_root)
    await_durable = run._carrier.await_durable

    def interrupted(seal):
        monkeypatch.undo()
        run.finish("aborted", "SIGTERM")
        return await_durable(seal)

    monkeypatch.setattr(run._carrier, "await_durable", interrupted)
    run.finish()

    assert of_type(local_root, "finished") == {"status": "completed"}
    assert run.flush()


def test_what_ends_a_thread_is_an_error(local_root, spawn):
    """An exception that nobody catches in a thread is written down, and is not the run's end."""
    child, _ = end(spawn, local_root, "a_thread_fails")

    error = of_type(local_root, "error")
    assert (error["error"], error["fatal"]) == ("ZeroDivisionError", False)
    assert "ZeroDivisionError" in child.err  # Python tells of it as ever


def test_what_a_block_has_told_is_not_told_again(local_root, spawn):
    """An exception that ends a file and then its thread is one error."""
    end(spawn, local_root, "a_thread_fails_in_a_block")

    assert of_type(local_root, "error")["path"] == "a"


def test_another_program_goes_on_with_the_run(local_root, spawn):
    """After exec nothing that was acknowledged is lost, and the new program may resume the run."""
    _, exited = end(spawn, local_root, "executes")

    assert exited == 0
    said = [line.get("phase") for line in records(local_root) if line["type"] == "phase"]
    assert said == ["of the old program", "of the new program"]
    assert document(local_root)["attempt"] == 2
    assert numbered(local_root)


@pytest.mark.parametrize(
    ("how", "mode"),
    [
        ("several_runs", "silent"),
        ("worker_of_multiprocessing", "silent"),
        *(
            pytest.param(how, mode, marks=pytest.mark.long)
            for how in ("returns", "raises", "exits")
            for mode in ("silent", "shut")
        ),
    ],
)
def test_a_dead_store_is_waited_for_once(how, mode, moto_gate, moto_url, spawn):
    """However it ends and whatever is open, the process is held up by the bound and no more."""
    moto_gate.mode = mode
    child = spawn(python(WAYS, moto_url, how, str(EXIT_SECONDS)))
    child.wait()
    over = time.monotonic()

    (began,) = [float(line.split()[1]) for line in child.said if line.startswith("ending")]
    assert over - began < EXIT_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize(
    "numbers", [pytest.param((TERM,), marks=pytest.mark.long), (TERM, TERM, HUP)]
)
def test_signals_wait_for_a_dead_store_once(numbers, moto_gate, moto_url, spawn):
    """A signal ends several runs in one wait, and a second signal does not begin another."""
    moto_gate.mode = "silent"
    child = spawn(python(WAYS, moto_url, "works_on_several", str(EXIT_SECONDS)))
    child.until_said("ready")
    began = time.monotonic()
    for number in numbers:
        child.signal(number)
        time.sleep(EXIT_SECONDS / 4)

    assert child.wait() in [-number for number in numbers]
    assert time.monotonic() - began < EXIT_SECONDS + SLACK_SECONDS
