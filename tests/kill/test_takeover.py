"""At most one live writer: whoever lost its place learns it, and its job goes on."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from recorder.processes import Child, python, wait_until
from recorder.stored import records

WORKER = Path(__file__).with_name("worker.py")
CONTENDER = Path(__file__).with_name("contender.py")

pytestmark = pytest.mark.parametrize("module_root", ["local", "weed"], indirect=True)


@dataclass
class Takeover:
    """A worker whose run another took over while it worked, or was stopped; both have ended."""

    root: str
    first: Child

    @property
    def durable(self) -> int:
        """How many of its notes the first was told are durable."""
        return len([line for line in self.first.said if line.startswith("durable")])

    @property
    def fenced_seconds(self) -> list[float]:
        """How long it took the first to learn of it, each time it asked."""
        return [float(line.split()[1]) for line in self.first.said if line.startswith("fenced")]


def take_over(root: str, directory: Path, *, stopped: bool) -> Takeover:
    first = Child(python(WORKER, root, "first"), directory)
    first.until_said("resting")
    if stopped:
        first.stop(root)
    second = Child(python(WORKER, root, "second", "resume"), directory)
    try:
        assert second.wait() == 0, second.err
        first.signal(signal.SIGCONT)
        assert first.wait() == 0, first.err
    finally:
        first.kill()
        second.kill()
    return Takeover(root, first)


@pytest.fixture(scope="module", params=["living", "stopped"])
def takeover(request, module_root, tmp_path_factory):
    directory = tmp_path_factory.mktemp("takeover")
    return take_over(
        f"{module_root}/{request.param}", directory, stopped=request.param == "stopped"
    )


def test_a_writer_that_was_taken_over_learns_it(takeover):
    """Its next flush is false at once, and so is the one after."""
    assert len(takeover.fenced_seconds) == 2
    assert max(takeover.fenced_seconds) < 10


def test_the_job_of_a_writer_that_was_taken_over_goes_on(takeover):
    """The job works on and ends as if nothing were."""
    assert takeover.first.said[-1] == "done"
    assert "Traceback" not in takeover.first.err


def test_nothing_of_two_writers_is_mixed(takeover):
    """What the first was told is durable is there, then all of the second's, and nothing else."""
    stored = [line for line in records(takeover.root) if line["type"] == "note"]

    assert [(line["by"], line["number"]) for line in stored] == [
        *[("first", number) for number in range(takeover.durable)],
        *[("second", number) for number in range(30)],
    ]


def contend(spawn, root, tmp_path):
    """Let two start the same run at once; return what they said, the winner first."""
    contenders = [spawn(python(CONTENDER, root, str(tmp_path / "go"))) for _ in range(2)]
    [one.until_said("ready") for one in contenders]
    (tmp_path / "go").touch()
    wait_until(lambda: all(one.process.poll() is not None for one in contenders))
    assert [one.err for one in contenders] == ["", ""]
    return sorted((one.said[1] for one in contenders), reverse=True)


def test_of_two_starts_at_once_one_runs(module_root, spawn, tmp_path):
    """Two plain starts of one run at the same time: one runs, the other is told who holds it."""
    root = f"{module_root}/contended"
    winner, loser = contend(spawn, root, tmp_path)

    assert winner.startswith("runs ")
    assert loser == f"held by {winner.split()[1]} on {socket.gethostname()}"
    assert [line["type"] for line in records(root)] == ["started", "finished"]
