"""A script says what its run does, and the run ends as the script does."""

import os
import signal
import sys
from pathlib import Path

from recorder.processes import wait_until
from recorder.stored import document, keys, marker, of_type, records, types

from journal.clock import parse_stamp

START = "set -e; journal start --flush 0.2 >/dev/null; "


def test_a_script_speaks_for_its_run(shell, local_root):
    """What its commands say is in `main`, in their order, and its end ends the run."""
    ended = shell.run(
        START + "journal phase data_prep downloading_policy --stall-after 20m;"
        "journal emit source_started source=a files=1 bytes=5;"
        "journal emit file_done source=a path='x y' bytes=5 seconds=0.5;"
        "journal emit source_done source=a;"
        "journal emit checkpoint step=12 name=007x ok=true;"
        "journal finish -m 'all done'"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert types(local_root) == [
        "started", "phase", "source_started", "file_done", "source_done", "checkpoint", "finished",
    ]  # fmt: skip
    assert of_type(local_root, "file_done") == {
        "source": "a", "path": "x y", "bytes": 5, "seconds": 0.5,
    }  # fmt: skip
    assert of_type(local_root, "checkpoint") == {"step": 12, "name": "007x", "ok": True}
    assert document(local_root)["progress"]["policy_sources_completed"] == 1
    assert document(local_root)["finished"]["message"] == "all done"
    assert marker(local_root, "_complete") == "completed: all done"


def test_an_event_keeps_the_time_of_its_command(shell, local_root):
    """The keeper takes mail in a little later; the record has the instant of the command."""
    ended = shell.run(
        START + "date +%s.%N; journal emit note; date +%s.%N; sleep 0.5; journal finish"
    )
    before, after = map(float, ended.stdout.split())
    stamped = next(line["ts"] for line in records(local_root) if line["type"] == "note")
    assert before <= parse_stamp(stamped) <= after


def test_start_prints_the_run(shell, local_root):
    """Its output is the id, in a command substitution as well, and the keeper stays."""
    script = 'run=$(journal start --job nightly); echo "$run"; journal finish --run "$run"'
    ended = shell.run(script, JOURNAL_RUN_ID="")
    run_id = ended.stdout.strip()
    assert run_id.startswith("nightly-20")
    assert document(local_root, run_id)["status"] == "completed"


def test_start_sets_the_environment(shell, tmp_path):
    """`--export` prints what a script evaluates, so that all that follows knows run and root."""
    start = 'eval "$(journal start run-2 --root other --export)"; '
    ended = shell.run(f"{start} journal finish; env | grep ^JOURNAL_R", JOURNAL_RUN_ID="")
    assert f"JOURNAL_ROOT={tmp_path}/other" in ended.stdout.splitlines()
    assert document(str(tmp_path / "other"), "run-2")["status"] == "completed"


def test_a_script_that_fails(shell, local_root):
    """`journal fail` in a trap ends the run as failed, with the reason in the marker."""
    ended = shell.run(
        START + "trap 'journal fail \"line 7: $BASH_COMMAND\"' ERR; journal phase setup; false"
    )
    assert ended.returncode == 1
    assert marker(local_root, "_error") == "failed: line 7: false"


def test_a_script_that_ends_without_a_word(shell, local_root, keeper_ends):
    """It is told of as failed within moments, and by its process id."""
    ended = shell.run(START + "echo $$; journal phase setup")
    keeper_ends(local_root)
    told = f"failed: the script (pid {ended.stdout.strip()}) ended without `journal finish`"
    assert marker(local_root, "_error") == told


def test_a_script_that_is_interrupted(shell, local_root, keeper_ends):
    """Ctrl-C reaches the whole group: the run is aborted, and the signal named."""
    script = shell.begin(START + "echo up; sleep 60")
    script.until_said("up")
    os.killpg(script.pid, signal.SIGINT)
    script.wait()
    keeper_ends(local_root)
    assert marker(local_root, "_error").startswith("aborted: SIGINT: the script")


def test_a_group_that_is_killed(shell, local_root, keeper_ends):
    """SIGKILL to all of it leaves the run open: nobody is left to say how it ended."""
    script = shell.begin(START + "echo up; sleep 60")
    script.until_said("up")
    os.killpg(script.pid, signal.SIGKILL)
    script.wait()
    keeper_ends(local_root)
    assert types(local_root) == ["started"]
    assert not [key for key in keys(local_root) if "/_" in key]


def test_a_script_that_vanishes_beside_work(shell, local_root, keeper_ends):
    """As long as another process of this host is at work on the run it has not failed."""
    worker = (
        "python3 -c \"import journal, os, time; journal.attach(job='worker')\n"
        "while not os.path.exists('go'): time.sleep(0.05)\" &"
    )
    shell.environment["PATH"] = f"{Path(sys.executable).parent}:{shell.environment['PATH']}"
    script = shell.run(START + worker + "while ! journal replay run-1 | grep -q worker; do :; done")
    assert script.returncode == 0
    wait_until(lambda: document(local_root)["status"] == "running")
    assert marker(local_root, "_error") is None
    (shell.folder / "go").touch()
    keeper_ends(local_root)
    assert document(local_root)["status"] == "failed"


def test_the_keeper_holds_nothing_of_the_script(shell):
    """A lock or a pipe that the script has open must not be held up by its run."""
    ended = shell.run(
        "exec 9>lock; flock 9; out=$(journal start); exec 9>&-; flock -n lock echo free;"
        "journal finish"
    )
    assert ended.stdout == "free\n"


def test_the_mode_disabled(shell, local_root, tmp_path):
    """JOURNAL_MODE=disabled: every command succeeds, and nothing is written anywhere."""
    ended = shell.run(
        START + "journal phase setup; journal emit note; journal fail x; journal finish; echo ok",
        JOURNAL_MODE="disabled",
    )
    assert (ended.stdout, ended.stderr) == ("ok\n", "")
    assert not (tmp_path / "root").exists()
    assert not (tmp_path / "spool").exists()
