"""A command that stalls is told of by the journal's own rule, and ended if that is asked for."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from recorder.processes import wait_until
from recorder.stored import document, of_type, records

from journal.recorder.processes import description, tree
from journal.recorder.vitals import sample
from journal.redaction import STANDARD

# A minute is 40 ms: the longest silence promised, and with it the least limit, is half a second.
HASTY = """
import journal.limits as limits
limits.PROMISE_SLACK_SECONDS = 0.1
limits.TERM_SECONDS = 1.0
from journal.cli import main
main()
"""
OPTIONS = ("--heartbeat", "0.2", "--flush", "0.1", "--stall-after", "0.5s")
# Holds a file and a connection, and does not heed SIGTERM.
DEAF = """
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = open(sys.argv[1], "w")
peer = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
print("ready", flush=True)
peer.recv(1)
"""


@pytest.fixture
def hasty(spawn, local_root):
    """Start `journal exec` where all is faster than in life."""

    def hasty(*words: str, options: tuple[str, ...] = ()):
        command = [sys.executable, "-c", HASTY, "exec", *OPTIONS, *options, "--", *words]
        return spawn(command, JOURNAL_RUN_ID="run-1", JOURNAL_ROOT=local_root)

    return hasty


def stacks(root: str) -> list[dict[str, object]]:
    return [line for line in records(root) if line["type"] == "stack"]


def test_a_stall_is_warned_of(hasty, local_root):
    """In a line on stderr; the command goes on, and ends as it does."""
    child = hasty("sleep", "60")

    wait_until(lambda: "is stalled: no work seen for" in child.err)
    assert child.err.startswith("journal: sleep (pid ")
    child.signal(signal.SIGINT)
    assert child.wait() == 130
    assert of_type(local_root, "finished")["status"] == "aborted"


def test_at_a_stall_it_is_told_what_each_process_is_doing(hasty, local_root, tmp_path):
    """In the journal, for whoever asks afterwards; secrets of its command are hidden."""
    script = "cat > /dev/null & sleep 60 --password=hunter22 || sleep 60; wait"
    child = hasty("sh", "-c", script, options=("--on-stall", "dump"))

    wait_until(lambda: stacks(local_root))
    told = str(stacks(local_root)[0]["traceback"])
    child.signal(signal.SIGKILL)
    assert "sleep: sleep" not in told
    assert "sleeping" in told
    assert "password=***" in told
    assert "hunter22" not in told


def test_a_command_that_stalls_is_ended(hasty, local_root, tmp_path):
    """All that belongs to it: by SIGTERM, and what does not heed that by SIGKILL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = (sys.executable, "-c", DEAF, str(tmp_path / "held"), str(server.getsockname()[1]))
        child = hasty(*words, options=("--on-stall", "term", "--job", "deaf"))
        assert child.wait() == 137, child.err

    finished = of_type(local_root, "finished")
    assert finished["status"] == "failed"
    assert finished["message"].startswith("stalled for ")
    assert of_type(local_root, "error")["error"] == "Stalled"
    told = str(stacks(local_root)[0]["traceback"])
    assert f"{tmp_path}/held, written at 0 of 0" in told
    assert f"127.0.0.1:{words[-1]}, established" in told


def test_who_works_is_not_ended(hasty, local_root):
    """CPU and I/O of any process of it hold a stall off."""
    busy = (
        "for i in 1 2 3 4 5 6 7 8; do head -c 3000000 /dev/zero | cat > /dev/null; sleep 0.2; done"
    )

    child = hasty("sh", "-c", busy, options=("--on-stall", "term"))

    assert (child.wait(), child.err) == (0, "")


def test_a_program_that_tells_of_itself_is_judged_by_what_it_tells(hasty, local_root):
    """The wrapper sees little of it, and leaves it in peace while the run goes on."""
    program = (
        "import journal, time\n"
        "with journal.start_run(job='inner', heartbeat_seconds=0.2, flush_seconds=0.1) as run:\n"
        "    source = run.source('s')\n"
        "    for n in range(25):\n        time.sleep(0.1); source.file_done(str(n), bytes=1)\n"
    )

    child = hasty("sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, program,
                  options=("--on-stall", "term"))  # fmt: skip

    assert (child.wait(), child.err) == (0, "")
    assert document(local_root)["status"] == "completed"


def test_processes_in_a_tree_that_tell_of_themselves_are_left_out():
    """With all that descends from them."""
    script = "sh -c 'sleep 60 & wait' & wait"
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as top:
        members = wait_until(lambda: len(found := tree(top.pid)) == 3 and found)
        without = tree(top.pid, {members[1]})
        os.killpg(top.pid, signal.SIGKILL)

    assert without == [top.pid]


def test_what_ended_children_did_stays_done():
    """Of a process that is not ours to wait for, too."""
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.5: pass'; echo; read x"
    command = ["sh", "-c", burn]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as top:
        top.stdout.readline()
        found = sample(top.pid)
        top.communicate("\n")

    assert 0.4 <= found.cpu_seconds < 5


def test_a_tree_that_is_gone_is_told_of_as_such():
    """Nothing is raised in the way of the journal."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()

    assert description(gone.pid, STANDARD) == f"process {gone.pid} has ended, or cannot be seen"
