"""The fixtures of these tests: the command line as a process, and runs for it to show."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from recorder.fixtures import Start, hasty, local_root, moto_gate, root, spawn, start
from recorder.processes import PATIENCE_SECONDS, journal

__all__ = ["hasty", "local_root", "moto_gate", "root", "spawn", "start"]


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Cli = Callable[..., Answer]


@pytest.fixture
def cli(local_root: str) -> Cli:
    """Run a command as a process, over the local root unless another is said."""

    def run(*arguments: str, **environment: str) -> Answer:
        done = subprocess.run(
            journal(*arguments),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
            env=os.environ | {"JOURNAL_ROOT": local_root} | environment,
        )
        answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
        # Whatever a user can cause is one line.
        assert "Traceback" not in answer.err
        return answer

    return run


@pytest.fixture
def finished(local_root: str, start: Start) -> str:
    """The id of a finished run with two files, a skipped one and an error."""
    with start(local_root, sources=1) as run:
        run.phase("data_prep", "downloading_policy")
        with run.source("federal", files=3, bytes=3000) as source:
            source.file_done("a.pdf", bytes=1000, seconds=0.5)
            source.file_done("b.pdf", bytes=2_000_000, seconds=1)
            source.file_skipped("c.pdf", "not a PDF")
        run.error("no such page", source="federal", path="d.pdf")
    return run.run_id


@pytest.fixture
def many_segments(local_root: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The id of a finished run of six segments, a note in each of the middle four."""
    monkeypatch.setattr("journal.stream.SEGMENT_ROLL_BYTES", 1)
    monkeypatch.setattr("journal.stream.SEGMENT_ROLL_FLUSHES", 1)
    run = start(local_root)
    assert run.flush(60)
    for number in range(4):
        run.emit("note", number=number)
        assert run.flush(60)
    run.finish()
    yield run.run_id
    monkeypatch.undo()
