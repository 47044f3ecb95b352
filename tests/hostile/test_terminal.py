"""What is printed byte for byte on a pipe is harmless on a terminal."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from recorder.processes import PATIENCE_SECONDS, journal

EVIL = "\u202egpj.exe \x9b31m \U000e0041"
ACTING = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\U000e0000-\U000e0fff]")


def on_terminal(root, *arguments):
    """Run a command with a terminal as its stdout, and return what came out there."""
    mine, theirs = pty.openpty()
    environment = os.environ | {"JOURNAL_ROOT": root}
    with subprocess.Popen(journal(*arguments), stdout=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(mine, 65536):
                said += part
        except OSError:  # how Linux says that nobody holds the other end any more
            pass
        assert process.wait(PATIENCE_SECONDS) == 0
    os.close(mine)
    return said.decode()


@pytest.fixture
def evil(local_root, start):
    with start(local_root) as run:
        run.emit("note", text=EVIL)
        run.phase(EVIL)
    return run.run_id


@pytest.mark.parametrize("command", ["snapshot", "tail -o raw -n all", "replay -o raw"])
def test_stored_bytes_do_nothing_to_a_terminal(command, evil, local_root, cli):
    """There they are shown with escapes; a program is given the very bytes."""
    name, *options = command.split()

    shown = on_terminal(local_root, name, *options, evil)

    assert r"\u202egpj.exe" in shown
    assert not ACTING.search(shown)
    assert EVIL in cli(name, *options, evil).out


def test_a_document_that_is_no_text_is_shown(evil, local_root):
    """Whatever bytes they are."""
    Path(local_root, evil, "metadata.json").write_bytes(b"\xff\x9b\x1b[2J\n{}")

    assert on_terminal(local_root, "snapshot", evil) == "\\xff\\x9b\\x1b[2J\r\n{}"
