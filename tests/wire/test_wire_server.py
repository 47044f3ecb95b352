"""A real server that is killed and started again, or frozen and thawed, under load."""

import json
import signal
import time
from random import Random

import pytest
import servers
from recorder.processes import journal, wait_until
from wire.trial import patient, trial


@pytest.fixture
def weed(tmp_path, swift):
    """A SeaweedFS of the test's own, the environment set for it."""
    one = servers.Weed(tmp_path / "weed")
    for name, value in one.server.environment.items():
        swift.setenv(name, value)
    try:
        one.start()
        yield one
    finally:
        one.kill()


def battered(job, weed, times):
    """Work while the server is killed, right behind an acknowledgement and at any moment; frozen.

    It stands still for longer than anybody waits for an answer, and takes up then what it was sent.
    """
    chance = Random(times)
    for _ in range(times):
        job.say(100)
        job.flush(looks=False)
        weed.kill()
        weed.start()
        job.flush()
        job.say(100)
        time.sleep(chance.uniform(0, 0.3))
        weed.kill()
        job.say(100)
        weed.start()
        job.say(100)
        time.sleep(chance.uniform(0, 0.3))
        weed.process.send_signal(signal.SIGSTOP)
        job.say(100)
        time.sleep(1.5)
        weed.process.send_signal(signal.SIGCONT)
        job.flush()


@pytest.mark.parametrize("times", [1, pytest.param(30, marks=pytest.mark.long)])
def test_what_a_server_acknowledged_outlives_it(weed, spawn, times):
    """Nothing is lost, doubled or out of order, and `tail -f` printed each event once."""
    root = weed.server.root()
    run_id = f"trial-BATTERED-{times}"
    follow = journal("tail", run_id, "-f", "-n", "all", "-o", "json", "--root", root)
    tail = []

    def work(job):
        job.flush()
        tail.append(spawn(follow))
        wait_until(lambda: tail[0].said or tail[0].err, "a first line")
        battered(job, weed, times)

    outcome = trial(root, patient(root), run_id, work)

    assert outcome.breaches == []
    assert tail[0].wait() == 0, tail[0].err
    printed = [json.loads(line) for line in tail[0].said]
    notes = [line["number"] for line in printed if line["type"] == "note"]
    assert notes == list(range(outcome.acknowledged))
