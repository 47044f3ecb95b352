"""Many threads and processes say things at once."""

import threading

from recorder.stored import of_type, records, types

from journal.stores import ABSENT, connect

THREADS, EVENTS = 8, 5000


def at_once(count, call):
    """Call in so many threads at the same time, each with its number."""
    gate = threading.Barrier(count)
    threads = [threading.Thread(target=lambda n=n: (gate.wait(), call(n))) for n in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def test_what_threads_say_is_there_once_and_in_their_order(root, start):
    """Eight threads say 5,000 events each: all are there once, in each thread's order, no gap."""
    run = start(root)
    at_once(THREADS, lambda n: [run.emit("note", by=n, number=k) for k in range(EVENTS)])
    assert run.flush(60)

    found = records(root)
    assert [line["seq"] for line in found] == list(range(THREADS * EVENTS + 1))
    notes = sorted((line["by"], line["seq"], line["number"]) for line in found[1:])
    assert [(by, number) for by, _, number in notes] == [
        (by, number) for by in range(THREADS) for number in range(EVENTS)
    ]


def test_threads_count_bytes_of_one_file_together(local_root, start):
    """`advance` from sixteen threads, as a transfer manager calls it, loses no byte."""
    with start(local_root) as run, run.source("a").file("x") as file:
        at_once(16, lambda _: [file.advance(1) for _ in range(10_000)])

    assert of_type(local_root, "file_done")["bytes"] == 160_000


def test_threads_that_flush_at_once_all_get_an_answer(local_root, start):
    """Each of several threads that flush at once learns that its own words are durable."""
    run = start(local_root)
    told = {}
    at_once(8, lambda n: (run.emit("note", by=n), told.update({n: run.flush(60)})))

    assert told == dict.fromkeys(range(8), True)
    assert sorted(line["by"] for line in records(local_root)[1:]) == list(range(8))


def test_a_process_named_a_run_joins_it(root, start, monkeypatch):
    """With JOURNAL_RUN_ID a second start writes a stream of its own, named after its job."""
    first = start(root, job="pipeline")
    first.flush(60)
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")
    second = start(root, None, job="extract")
    third = start(root, None, job="extract")
    second.phase("data_prep", "extracting")
    [run.finish() for run in (second, third, first)]

    assert (first.stream, second.stream, third.stream) == ("main", "extract", "extract-2")
    assert types(root) == ["started", "finished"]
    assert types(root, "extract") == ["started", "phase", "finished"]


def test_a_process_named_a_run_that_does_not_exist_starts_it(local_root, start, monkeypatch):
    """JOURNAL_RUN_ID names the run also if there is none yet."""
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-7")
    run = start(local_root, None)

    assert (run.run_id, run.stream) == ("run-7", "main")


def test_a_document_alone_is_no_run_to_join(local_root, start, monkeypatch):
    """What a pipeline posts before the journal begins does not take `main` from the first start."""
    connect(local_root).put("run-1/metadata.json", b'{"status": "initializing"}', expect=ABSENT)
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")

    assert start(local_root, None).stream == "main"
