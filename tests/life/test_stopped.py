"""A process that was stopped for long and goes on finds its place taken, and the job its peace."""

import signal
import time
from pathlib import Path

import pytest
from life.streams import numbered
from recorder.processes import python, wait_until
from recorder.stored import document, records

STOPPED = Path(__file__).with_name("stopped.py")


@pytest.mark.parametrize(
    "seconds", [1.0, pytest.param(600.0, marks=pytest.mark.long)], ids=["a second", "ten minutes"]
)
def test_a_stopped_process_finds_itself_fenced(seconds, root, start, spawn):
    """What it was told is durable is there, nothing is doubled, and no call of it fails or waits.

    Fencing reads no clock: a second is as good as ten minutes.
    """
    first = spawn(python(STOPPED, root))
    first.until_said("acknowledged 3")
    first.stop(root)
    time.sleep(seconds)
    second = start(root, resume=True)
    second.emit("note", number="second")
    assert second.flush(60)
    first.signal(signal.SIGCONT)
    assert first.wait() == 0, first.err
    second.finish()

    found = records(root)
    numbers = [line["number"] for line in found if line["type"] == "note"]
    told = int([line for line in first.said if line.startswith("acknowledged")][-1].split()[1])
    assert numbers[: told + 1] == list(range(told + 1))
    assert numbers.count("second") == 1
    assert len(numbers) == len(set(numbers))
    assert numbered(root)
    assert float(first.said[-1].split()[1]) < 1.0
    assert document(root)["attempt"] == 2


def test_a_process_that_was_stopped_alone_goes_on(local_root, spawn):
    """Without a second attempt it has lost nothing and writes on."""
    first = spawn(python(STOPPED, local_root))
    first.until_said("acknowledged 3")
    first.signal(signal.SIGSTOP)
    time.sleep(0.5)
    before = len(first.said)
    first.signal(signal.SIGCONT)
    wait_until(lambda: len(first.said) > before + 3, "more acknowledged after the stop")
    first.kill()

    assert numbered(local_root)
