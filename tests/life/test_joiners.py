"""Many starts at once: threads, and processes that name one run."""

import threading

from life.streams import beside, seals, streams
from recorder.processes import wait_until
from recorder.stored import document, types

from journal.claim import Claim
from journal.clock import StoreClock
from journal.events import encode
from journal.stores import connect
from journal.stream import Stream

THREADS = 6


def at_once(call):
    threads = [threading.Thread(target=call, args=(number,)) for number in range(THREADS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def test_starts_at_once_that_name_one_run_all_join_it(root, start, monkeypatch):
    """One of them becomes `main`, the others are beside it, and none is refused."""
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")
    runs = []
    at_once(lambda number: runs.append(start(root, None, job="extract")))
    [run.emit("note", stream=run.stream) for run in runs]
    [run.finish() for run in sorted(runs, key=lambda run: run.stream == "main")]

    assert streams(root)[:3] == ["main", "extract", "extract-2"]
    assert len(streams(root)) == THREADS
    assert [stream[1]["stream"] for stream in beside(root)] == streams(root)[1:]
    assert seals(root) == ["finish"] * (THREADS - 1)


def test_starts_of_different_runs_do_not_meet(local_root, start):
    """Threads that start a run each have it for themselves."""
    at_once(lambda number: start(local_root, f"run-{number}").finish())

    assert [types(local_root, run_id=f"run-{n}") for n in range(THREADS)] == [
        ["started", "finished"]
    ] * THREADS


def test_what_several_streams_do_of_a_source_is_put_together(local_root, start, monkeypatch):
    """Files and bytes add up; what there is to do, and what was found done, is the same for all."""
    first = start(local_root)
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")
    for run in (first, start(local_root, None, job="extract")):
        images = run.source("images", files=10, done_files=4)
        images.file_done("a", bytes=5)
        images.file_skipped("b", "there already")
        assert run.flush(60)
    first.source("images").done()
    first.finish()

    (source,) = document(local_root)["sources"]
    assert (source["files"], source["files_total"], source["bytes"]) == (6, 10, 10)
    assert (source["state"], source["skipped"]) == ("done", 2)
    assert document(local_root)["progress"]["files_done"] == 6


def test_the_end_finds_streams_that_nobody_told_of(local_root, start):
    """What a process flushed that died before the document knew of it is counted at main's end."""
    run = start(local_root)
    assert run.flush(60)
    wait_until(lambda: document(local_root))
    writer = Claim(beside_main(local_root), resume=False).attempt()
    line = {"seq": 0, "ts": "2025-08-05T19:27:00.000000Z", "type": "dropped", "count": 3}
    writer.append(encode(line), 1)
    writer.flush()
    run.finish()

    assert document(local_root)["dropped"] == 3


def beside_main(root):
    store = connect(root)
    return Stream(store, "run-1", "extract", "host", 1, 5.0, 180.0, StoreClock())


def test_a_new_attempt_counts_no_file_of_the_one_before_twice(local_root, start, monkeypatch):
    """What streams beside the first attempt did of a source is in what the second found done."""
    first = start(local_root)
    first.source("images")
    with monkeypatch.context() as patch:
        patch.setenv("JOURNAL_RUN_ID", "run-1")
        beside_first = start(local_root, None, job="extract")
    beside_first.source("images").file_done("a", bytes=5)
    beside_first.finish()
    monkeypatch.setattr("journal.sources.CLOCK_SLACK_SECONDS", 0.0)
    with start(local_root, resume=True) as second, second.source("images", done_files=1) as images:
        images.file_done("b", bytes=5)

    (source,) = document(local_root)["sources"]
    assert source["files"] == 2
