"""Shell scripts that speak for a run with the command line, as real processes."""

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from recorder.fixtures import local_root, moto_gate, start
from recorder.processes import Child, wait_until

from journal.recorder.mailbox import Mailbox
from journal.recorder.owner import this_host

__all__ = ["local_root", "moto_gate", "start"]


@dataclass
class Ended:
    """What a script left behind."""

    returncode: int
    stdout: str
    stderr: str


class Shell:
    """Runs bash scripts in a process group of their own, `journal` being on their PATH."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.scripts: list[Child] = []

    def begin(self, script: str, **environment: str) -> Child:
        environment = {**self.environment, **environment}
        self.scripts.append(Child(["setsid", "bash", "-c", script], self.folder, **environment))
        return self.scripts[-1]

    def run(self, script: str, **environment: str) -> Ended:
        child = self.begin(script, **environment)
        return Ended(child.wait(), child.out, child.err)

    def end(self) -> None:
        """Kill what is left of each script's group."""
        for script in self.scripts:
            with suppress(ProcessLookupError):
                os.killpg(script.pid, signal.SIGKILL)
            script.process.wait()


@pytest.fixture
def shell(tmp_path, local_root, monkeypatch):
    """A shell whose run is `run-1`, in a directory, with a place for mail of its own."""
    commands = tmp_path / "bin"
    commands.mkdir()
    program = commands / "journal"
    program.write_text(f"#!{sys.executable}\nfrom journal.cli import main\nmain()\n")
    program.chmod(0o755)
    monkeypatch.setenv("JOURNAL_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("JOURNAL_ROOT", local_root)
    shell = Shell(
        tmp_path,
        {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "JOURNAL_RUN_ID": "run-1",
        },
    )
    yield shell
    shell.end()


@pytest.fixture
def keeper_ends(tmp_path):
    """Wait until nobody keeps the run on this host any more."""

    def wait(root: str, run_id: str = "run-1", endpoint: str = "") -> None:
        box = Mailbox(
            tmp_path / "spool", host=this_host(), root=root, endpoint=endpoint, run_id=run_id
        )
        wait_until(lambda: box.keeper is None, "its keeper ends")

    return wait
