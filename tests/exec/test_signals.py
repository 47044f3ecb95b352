"""Signals reach the command as they would without a wrapper, once; its end is told truly."""

import os
import pty
import signal
import sys
import time
from pathlib import Path

from recorder.processes import journal, wait_until
from recorder.stored import of_type

# Says each signal that comes, and ends with the number of them at SIGTERM.
COUNTER = """
import signal, sys
def say(number, _):
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(9)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, say)
print("ready", flush=True)
while True:
    signal.pause()
"""


# Those of the system library's own, 32 and 33, are left out.
SIGNALS = """
for line in open("/proc/self/status"):
    name, _, value = line.partition(":")
    if name in ("SigBlk", "SigIgn"):
        print(name, hex(int(value, 16) & 0x7fffffff))
"""


def test_signals_are_passed_on(wrap, local_root):
    """Each once, in their order, and the exit code is what the command makes of them."""
    child = wrap(sys.executable, "-c", COUNTER)
    child.until_said("ready")

    for name in ("SIGUSR1", "SIGHUP", "SIGUSR2", "SIGINT", "SIGTERM"):
        child.signal(signal.Signals[name])
        child.until_said(name)

    assert child.wait() == 9
    assert child.said == ["ready", "SIGUSR1", "SIGHUP", "SIGUSR2", "SIGINT", "SIGTERM"]
    finished = of_type(local_root, "finished")
    assert finished == {"status": "aborted", "message": "exit code 9 after SIGTERM"}


def test_a_signal_that_ends_the_command_is_an_exit_code(wrap, local_root):
    """128 and its number, as of a shell: the wrapper itself is not killed by it."""
    child = wrap("sh", "-c", "echo ready; exec sleep 60")
    child.until_said("ready")

    child.signal(signal.SIGTERM)

    assert child.wait() == 143
    assert of_type(local_root, "finished") == {"status": "aborted", "message": "SIGTERM"}


def test_what_nohup_ignores_stays_ignored(spawn, local_root):
    """By the wrapper and by the command."""
    command = journal(
        "exec", "--", sys.executable, "-c", "import signal\nprint(signal.getsignal(1))"
    )
    child = spawn(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command], JOURNAL_ROOT=local_root)

    assert child.wait() == 0
    assert child.out == "1\n"  # SIG_IGN


def test_the_command_finds_signals_as_its_caller_had_them(spawn, local_root):
    """None blocked, SIGPIPE not ignored: what Python changes for itself is changed back."""
    words = [sys.executable, "-c", SIGNALS]
    wrapped = spawn(journal("exec", "--", *words), JOURNAL_ROOT=local_root)
    bare = spawn(words)

    assert (wrapped.wait(), bare.wait()) == (0, 0)
    assert wrapped.out == bare.out


def test_ctrl_c_reaches_the_command_once(local_root):
    """The terminal sends it to all; the wrapper does not send it again."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(JOURNAL_ROOT=local_root, JOURNAL_RUN_ID="run-1")
        words = journal("exec", "--", sys.executable, "-c", COUNTER)
        os.execv(words[0], words)
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, b"\x03")
    while b"SIGINT" not in said:
        said += os.read(terminal, 1024)
    os.kill(pid, signal.SIGTERM)
    while b"SIGTERM" not in said:
        said += os.read(terminal, 1024)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 9
    assert said.count(b"SIGINT") == 1


def test_it_stops_and_goes_on_with_the_command(wrap):
    """Ctrl-Z stops both, so that the shell gets its terminal back, and `fg` wakes both."""
    child = wrap("sh", "-c", "echo $$; exec sleep 60", own_group=True)
    wait_until(lambda: child.said)
    inner = int(child.said[0])

    child.signal(signal.SIGTSTP)
    wait_until(lambda: (state(child.pid), state(inner)) == ("T", "T"), "both stopped")
    child.signal(signal.SIGCONT)
    wait_until(lambda: (state(child.pid), state(inner)) == ("S", "S"), "both went on")

    child.signal(signal.SIGTERM)
    assert child.wait() == 143


def test_a_killed_wrapper_leaves_the_command_as_well_off(wrap, tmp_path):
    """It goes on, and what it writes to stderr arrives."""
    proof = tmp_path / "proof"
    script = f"echo $$; read -r go < {tmp_path}/go; echo after >&2 && echo went on > {proof}"
    os.mkfifo(tmp_path / "go")
    child = wrap("sh", "-c", script)
    wait_until(lambda: child.said)

    child.kill()
    (tmp_path / "go").write_text("go\n", encoding="utf-8")

    wait_until(proof.exists, "the command went on")
    wait_until(lambda: child.err == "after\n", "its words came")


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def test_nobody_who_wants_to_go_waits_for_a_dead_store(spawn, canned):
    """Told to end once more when the command has ended, it leaves the rest in the spool."""
    canned.status = 503
    patient = "import journal.limits\njournal.limits.EXIT_SECONDS = 60.0\n"
    program = f"{patient}from journal.cli import main\nmain()"
    began = time.monotonic()
    child = spawn(
        [sys.executable, "-c", program, "exec", "--root", "s3://b-1/x", "--", "echo", "a"]
    )
    child.until_said("a")

    wait_until(lambda: child.process.poll() is not None or child.signal(signal.SIGTERM))

    assert time.monotonic() - began < 50
    assert child.wait() in (0, 128 + signal.SIGTERM)  # `echo` may have heard it
