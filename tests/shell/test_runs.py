"""Who has a run, when scripts begin, resume and end it."""

import os
import signal

import pytest
from recorder.processes import wait_until
from recorder.stored import document, marker, of_type, types

from journal.recorder.mailbox import Mail, Mailbox
from journal.recorder.owner import this_host

START = "set -e; journal start --flush 0.2 >/dev/null; "


@pytest.fixture
def box(tmp_path, shell, local_root):
    """The mailbox of `run-1`."""
    return Mailbox(
        tmp_path / "spool", host=this_host(), root=local_root, endpoint="", run_id="run-1"
    )


def test_a_run_that_is_kept_is_held(shell):
    """A second start of it is refused, and names who keeps it."""
    ended = shell.run("journal start run-2 >/dev/null; journal start run-2; echo $?")
    assert ended.stdout == "11\n"
    assert "run run-2: stream main is held by pid" in ended.stderr


def test_a_script_resumes_a_run_that_is_kept(shell, local_root):
    """With --resume the keeper of before leaves, and the run goes on with the next attempt."""
    ended = shell.run(START + "journal start --resume; journal finish")
    assert ended.returncode == 0
    assert types(local_root) == ["started", "started", "finished"]
    assert document(local_root)["attempt"] == 2


def test_a_finish_that_an_earlier_keeper_missed(shell, local_root, box):
    """What was to end an earlier attempt does not end the one that resumes it."""
    shell.run(START + "journal emit note; sleep 1; kill -9 0")
    box.leave(Mail(1, "finish", {"status": "failed"}, act=True))
    shell.run(START.replace("start", "start --resume") + "sleep 1; journal finish")
    assert document(local_root)["finished"]["status"] == "completed"
    assert types(local_root).count("finished") == 1


def test_a_finish_without_a_keeper(shell, local_root, box):
    """A run whose keeper was killed is ended all the same, and its marker is put."""
    script = shell.begin(START + "echo up; sleep 60")
    script.until_said("up")
    os.kill(box.keeper.pid, signal.SIGKILL)
    wait_until(lambda: box.keeper is None)
    ended = shell.run("journal finish --status failed -m 'gave up'")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert marker(local_root, "_error") == "failed: gave up"
    assert types(local_root) == ["started", "finished"]


def test_a_finish_of_a_run_that_another_process_has(shell, local_root, start):
    """A job that is at work on its run ends it itself; nobody is fenced by mistake."""
    run = start(local_root)
    ended = shell.run("journal finish")
    assert ended.returncode == 11
    assert f"pid {os.getpid()} on {this_host()} is at work on it" in ended.stderr
    assert run.flush(10)


def test_the_first_end_stays(shell, local_root):
    """What is said of the end later changes nothing, and says so."""
    ended = shell.run(START + "journal finish; journal fail 'too late'")
    assert ended.returncode == 0
    assert "is completed already" in ended.stderr
    assert of_type(local_root, "finished") == {"status": "completed"}


def test_a_finish_of_no_run(shell):
    """It names what is not there."""
    ended = shell.run("journal finish --run nowhere")
    assert ended.returncode == 10
    assert "no run nowhere" in ended.stderr


def test_no_run_is_named(shell):
    """Without an id there is one line that says what to do; the script goes on."""
    ended = shell.run("journal emit note; echo $?", JOURNAL_RUN_ID="")
    assert ended.stdout == "0\n"
    assert "set JOURNAL_RUN_ID" in ended.stderr
