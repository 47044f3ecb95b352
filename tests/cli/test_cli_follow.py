"""`journal tail -f`: goes on through rolls, take-overs, new streams and outages, and ends."""

import json
import re
import signal

import pytest
from recorder.processes import journal, wait_until
from recorder.stored import records


@pytest.fixture
def follow(spawn):
    """Start a tail that follows, and wait until it has printed so many lines."""

    def follow(root, lines, *options, **environment):
        arguments = [*(options or ["-n", "all"]), "-o", "json", "--root", root]
        tail = spawn(journal("tail", "run-1", "-f", *arguments), **environment)
        wait_until(lambda: len(tail.said) >= lines or tail.process.poll() is not None)
        return tail

    return follow


def shown(tail):
    return [(line["stream"], line["seq"]) for line in map(json.loads, tail.said)]


def stored(root, *streams):
    return [(stream, line["seq"]) for stream in streams for line in records(root, stream)]


@pytest.mark.parametrize("status", ["completed", "preempted"])
def test_it_ends_with_the_run(status, local_root, start, follow):
    """It shows each event as it comes, and ends when the run has, however that was."""
    run = start(local_root)
    run.flush(60)
    tail = follow(local_root, 1)
    run.phase("data_prep")
    run.finish(status)

    assert (tail.wait(), tail.err) == (0, "")
    assert shown(tail) == stored(local_root, "main")


def test_it_ends_at_once_if_the_run_has_ended(finished, local_root, follow):
    """Of a run that has ended it shows what there is."""
    tail = follow(local_root, 9)

    assert (tail.wait(), len(tail.said)) == (0, 9)


def test_it_shows_only_what_is_new(local_root, start, follow):
    """With -n 0 it begins with the next event."""
    run = start(local_root)
    run.flush(60)
    tail = follow(local_root, 0, "-n", "0")
    wait_until(lambda: run.phase("data_prep") or (run.flush(60) and tail.said))
    run.finish()

    assert (tail.wait(), tail.err) == (0, "")
    last = len(stored(local_root, "main"))
    assert shown(tail) == [("main", seq) for seq in range(shown(tail)[0][1], last)]
    assert shown(tail)[0][1] > 0


def test_it_picks_up_a_new_stream(root, start, follow, monkeypatch):
    """A stream that joins the run meanwhile is shown from its first event."""
    run = start(root)
    run.flush(60)
    tail = follow(root, 1)
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")
    helper = start(root, None, job="extract")
    helper.phase("data_prep")
    helper.finish()
    run.finish()

    assert (tail.wait(), tail.err) == (0, "")
    assert sorted(shown(tail)) == sorted(stored(root, "extract", "main"))


def test_it_shows_a_stream_whose_end_comes_with_that_of_the_run(local_root, start, follow):
    """A stream that the snapshot never knew of while the run lasted is drained at its end."""
    run = start(local_root)
    run.flush(60)
    tail = follow(local_root, 1)
    start(local_root, stream="late").hand_over()
    run.finish()

    assert tail.wait() == 0
    assert sorted(shown(tail)) == sorted(stored(local_root, "late", "main"))


def test_it_follows_a_roll_and_a_take_over(root, start, follow, monkeypatch):
    """Segments that are sealed, and a writer that takes over, leave no gap and no double."""
    monkeypatch.setattr("journal.stream.SEGMENT_ROLL_BYTES", 1)
    monkeypatch.setattr("journal.stream.SEGMENT_ROLL_FLUSHES", 1)
    run = start(root)
    run.flush(60)
    tail = follow(root, 1)
    [run.emit("note", number=number) or run.flush(60) for number in range(5)]
    start(root, resume=True).finish()

    assert (tail.wait(), tail.err) == (0, "")
    assert shown(tail) == stored(root, "main")


def test_a_run_that_is_resumed_before_the_tail_saw_its_end_goes_on(local_root, start, follow):
    """`finished` of an earlier attempt ends nothing if a later one has started."""
    start(local_root).finish("failed")
    run = start(local_root, resume=True)
    run.flush(60)
    tail = follow(local_root, 3)
    assert tail.process.poll() is None
    run.finish()

    assert tail.wait() == 0
    assert shown(tail) == stored(local_root, "main")


def test_it_waits_through_an_outage(moto_gate, moto_url, start, follow, monkeypatch):
    """While the store is away it waits, says so once, and misses nothing."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://{}:{}".format(*moto_gate.behind))
    run = start(moto_url)
    run.flush(60)
    tail = follow(moto_url, 1, AWS_ENDPOINT_URL_S3=moto_gate.endpoint)
    moto_gate.mode = "shut"
    wait_until(lambda: "does not answer" in tail.err)
    run.phase("data_prep")
    run.finish()
    moto_gate.mode = "open"

    assert tail.wait() == 0
    assert shown(tail) == stored(moto_url, "main")
    outage, back = tail.err.splitlines()
    assert "the store does not answer, trying on" in outage
    assert "the store is back after" in back


def test_interrupting_it_is_one_hundred_and_thirty(local_root, start, follow):
    """Ctrl-C ends it with 130 and says how to go on, without a traceback."""
    start(local_root).flush(60)
    tail = follow(local_root, 1)
    tail.signal(signal.SIGINT)

    assert tail.wait() == 130
    assert re.fullmatch(r"journal: to go on from here: .* --after-cursor j1\.\S+\n", tail.err)


def test_terminating_it_is_one_hundred_and_forty_three(local_root, start, follow):
    """SIGTERM ends it as a shell tells of it."""
    start(local_root).flush(60)
    tail = follow(local_root, 1)
    tail.signal(signal.SIGTERM)

    assert tail.wait() == 143
