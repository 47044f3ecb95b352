"""A preparation in a directory of its own, and what it left: exit code, texts, records, journal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Outcome:
    """What a preparation came to."""

    code: int
    out: str
    err: str


@dataclass
class Bench:
    """Directories for sources, work and journals, and a way to run the preparation on them."""

    path: Path
    capture: pytest.CaptureFixture[str]
    options: list[str] = field(default_factory=list)

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.toml"

    def source(self, name: str, files: dict[str, str | bytes]) -> Path:
        """Write the files of a local source, and add it to the manifest."""
        folder = self.path / "sources" / name
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.add(name, f"file://{folder}")
        return folder

    def add(self, name: str, url: str, *lines: str) -> None:
        """Add a source to the manifest."""
        text = self.manifest.read_text() if self.manifest.exists() else ""
        more = "".join(f"{line}\n" for line in lines)
        self.manifest.write_text(f'{text}[[sources]]\nname = "{name}"\nurl = "{url}"\n{more}\n')

    def command(self, *options: str) -> list[str]:
        given = [*self.options, *options]
        if "--run-id" not in given:
            given += ["--run-id", "run-1"]
        places = ["--work-dir", str(self.work), "--root", str(self.path / "root")]
        return [str(self.manifest), *places, *given]

    def prepare(self, *options: str) -> Outcome:
        """Run the preparation in this process."""
        from tools.prepare_dataset import main  # noqa: PLC0415 - the home is set up by now

        self.capture.readouterr()
        code = main(self.command(*options))
        out, err = self.capture.readouterr()
        return Outcome(code, out, err)

    def start(self, *options: str) -> "subprocess.Popen[str]":
        """Run the preparation in a process of its own."""
        script = str(ROOT / "tools" / "prepare_dataset.py")
        return subprocess.Popen(
            [sys.executable, script, *self.command(*options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def records(self, name: str = "records.jsonl") -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.work / name).read_text().splitlines()]

    def contents(self) -> list[object]:
        return [record["content"] for record in self.records()]

    def said(self, *types: str, run_id: str = "run-1") -> list[dict[str, object]]:
        """Return the journal's records of these types, in order."""
        segments = sorted((self.path / "root" / run_id / "journal").glob("*/*.jsonl"))
        lines = [line for segment in segments for line in segment.read_text().splitlines()]
        return [record for record in map(json.loads, lines) if record["type"] in types]

    def errors(self) -> list[tuple[object, object, object]]:
        """Return (source, path, message) of each error in the journal."""
        return [
            (error.get("source"), error.get("path"), error["message"])
            for error in self.said("error")
        ]


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path, capsys)


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait, bounded, until something holds."""

    def wait(holds: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.01)

    return wait


@pytest.fixture
def ended() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes put into this list are gone after the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
