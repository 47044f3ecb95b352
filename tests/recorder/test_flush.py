"""`flush` tells the truth: true when all is durable, false as soon as it surely is not."""

import time
from pathlib import Path

import pytest
from recorder.fixtures import let_go
from recorder.processes import python, wait_until
from recorder.stored import records


def seconds_of(call):
    began = time.monotonic()
    answer = call()
    return answer, time.monotonic() - began


def test_after_a_true_flush_all_is_there(root, start):
    """What was said before a flush that returns true is in the store."""
    run = start(root, flush_seconds=60)
    run.source("a").file_done("x", bytes=1)

    assert run.flush(60)
    assert records(root)[-1]["path"] == "x"


def test_a_flush_does_not_wait_for_the_next_interval(local_root, start):
    """An explicit flush goes out at once, whatever `flush_seconds` is."""
    run = start(local_root, flush_seconds=60)

    assert all(seconds_of(lambda: run.flush(60))[1] < 5 for _ in range(10))


@pytest.mark.usefixtures("hasty")
def test_a_flush_that_runs_out_of_time_is_false(moto_gate, moto_url, start):
    """With a store that does not answer, `flush` is false after its time-out."""
    run = start(moto_url)
    moto_gate.mode = "silent"
    run.phase("data_prep")

    answer, seconds = seconds_of(lambda: run.flush(0.3))
    assert not answer
    assert 0.3 <= seconds < 5


def fenced(root, start):
    """A run that was taken over and has found out."""
    run = start(root)
    start(root, resume=True).finish("failed")
    run.phase("data_prep")
    assert not run.flush(60)
    wait_until(lambda: run._carrier.sender.is_done)
    return run


def test_a_fenced_flush_is_false_at_once(local_root, start):
    """Once another writer has the stream, every flush is false at once, without a time-out too."""
    run = fenced(local_root, start)
    run.phase("training")

    answer, seconds = seconds_of(run.flush)
    assert not answer
    assert seconds < 5


def test_a_fenced_run_ends_at_once(local_root, start):
    """The end of a fenced run waits for nothing: there is nothing to wait for."""
    run = fenced(local_root, start)

    assert seconds_of(run.finish)[1] < 5


def test_a_fenced_run_goes_on_saying(local_root, start):
    """Nothing raises in a job whose run was taken over."""
    run = fenced(local_root, start)
    with run.source("a") as source, source.file("x") as file:
        file.advance(5)

    assert [line["type"] for line in records(local_root)] == ["started", "started", "finished"]


def dropping(root, start, monkeypatch):
    """A run that had to drop some of the files that it was told of."""
    run = start(root)
    monkeypatch.setattr("journal.recorder.source.QUEUE_RECORDS", 10)
    source = run.source("a")
    [source.file_done(f"{number}", bytes=1) for number in range(5000)]
    monkeypatch.undo()
    return run


def test_after_a_drop_flush_is_false_at_once(local_root, start, monkeypatch):
    """Once a record was dropped, `flush` is false at once, for good."""
    run = dropping(local_root, start, monkeypatch)

    answer, seconds = seconds_of(lambda: run.flush(60))
    assert not answer
    assert seconds < 5


def test_what_the_queue_has_no_room_for_is_counted(local_root, start, monkeypatch):
    """Files that find the queue full are dropped, and `dropped` says how many."""
    dropping(local_root, start, monkeypatch).finish()

    found = records(local_root)
    dropped = sum(line["count"] for line in found if line["type"] == "dropped")
    assert dropped > 0
    assert sum(line["type"] == "file_done" for line in found) + dropped == 5000
    assert found[-1]["type"] == "finished"


def test_after_a_drop_the_end_is_still_waited_for(local_root, start, monkeypatch):
    """A run that dropped records ends in the store like any other."""
    run = dropping(local_root, start, monkeypatch)
    monkeypatch.setattr("journal.stores.local.os.fsync", lambda _: time.sleep(0.05))
    run.finish()

    assert records(local_root)[-1]["type"] == "finished"
    assert not run.flush()


def test_a_run_that_was_let_go_leaves_what_it_had_flushed(local_root, start):
    """What a process says and does not flush may be lost; what it flushed is not."""
    run = start(local_root)
    run.phase("data_prep")
    assert run.flush(60)
    let_go(run)

    assert records(local_root)[-1]["type"] == "phase"


def test_a_wait_may_be_interrupted_by_a_wait(spawn):
    """A signal handler that ends a run may interrupt the end of that run at any moment."""
    storm = spawn(python(Path(__file__).with_name("signal_storm.py")))

    assert storm.wait() == 0, storm.err
