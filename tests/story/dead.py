"""Programs whose store fails in every way, and what they leave on their host."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.processes import python
from story.pipeline import REPOSITORY, SCALED_PROGRAMS
from wire.faults import Blow, Fault, Request
from wire.proxy import Proxy

PREPARE = REPOSITORY / "tools" / "prepare_dataset.py"
LARGE = (REPOSITORY / "tools" / "dataset" / "standard_library.toml").read_text()
SMALL = """
[[sources]]
name = "asyncio"
url = "file://{stdlib}/asyncio"
include = ["*.py"]
pack = "zip"

[[sources]]
name = "email"
url = "file://{stdlib}/email"
include = ["*.py"]
pack = "tar.gz"

[[sources]]
name = "json"
url = "file://{stdlib}/json"
include = ["*.py"]
"""


@dataclass
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str


@dataclass
class Place:
    """A directory with a manifest, in which preparations run as they do on a host."""

    path: Path

    def run(self, command: list[str], **environment: str) -> Ended:
        ended = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def prepare(self, root: str, **environment: str) -> Ended:
        """Prepare the dataset as `run-1`, with waits for the store a tenth as long as in life."""
        work = ["--work-dir", str(self.path / "work"), "--run-id", "run-1"]
        return self.run(
            python(PREPARE, str(self.path / "manifest.toml"), *work, "--root", root),
            **self._hasty,
            **environment,
        )

    def pipeline(self, script: Path, root: str) -> Ended:
        """Run a whole pipeline as `run-1`, with such waits."""
        return self.run(
            ["bash", str(script)],
            **self._hasty,
            JOURNAL_ROOT=root,
            RUN_ID="run-1",
            MANIFEST=str(self.path / "manifest.toml"),
            WORK_DIR=str(self.path / "work"),
            PYTHON=sys.executable,
            SETUP_SECONDS="0",
            WARMUP_SECONDS="0",
            TRAINING_SECONDS="1",
        )

    @property
    def _hasty(self) -> dict[str, str]:
        return {
            "PYTHONPATH": SCALED_PROGRAMS,
            "JOURNAL_TESTS_WAITS": "0.1",
            "JOURNAL_SPOOL": str(self.path / "spool"),
        }

    @property
    def dataset(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.path / "work").glob("*.jsonl")}

    @property
    def spooled(self) -> list[dict[str, Any]]:
        """The records in the spool, in their order."""
        found = [path.read_text() for path in (self.path / "spool").rglob("records.jsonl")]
        return [json.loads(line) for text in found for line in text.splitlines()]


def place_of(directory: Path, manifest: str) -> Place:
    """Make a place with a manifest of a directory."""
    (directory / "manifest.toml").write_text(manifest)
    return Place(directory)


def close(gate: Proxy, mode: str) -> None:
    """Let a gate cut connections, say nothing, answer 500, or do one after the other."""
    if mode in ("shut", "silent"):
        gate.mode = mode
    elif mode == "errors":
        gate.fate = _always(Fault.ERROR)
    else:
        gate.fate = _always(Fault.RESET_BEFORE, Fault.ERROR, Fault.BLACK_HOLE)


def _always(*faults: Fault) -> Callable[[Request], Blow]:
    turns = itertools.cycle(faults)
    return lambda _request: Blow(next(turns))
