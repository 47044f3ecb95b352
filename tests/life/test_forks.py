"""A forked child has a stream of its own from its first word on, and nothing of its parent's."""

import time
from pathlib import Path

import pytest
from life.streams import beside, numbered, paths, seals, streams
from recorder.processes import python, wait_until
from recorder.stored import document, lines, of_type, records, types

FORKS = Path(__file__).with_name("forks.py")


def job(spawn, root, how, **environment):
    """Let a job run to its end; return what it printed."""
    child = spawn(python(FORKS, root, how), **environment)
    assert child.wait() == 0, child.err
    return child.said


def source(root):
    """The only source of the document."""
    (found,) = document(root)["sources"]
    return found["state"], found["files"], found["files_total"], found["bytes"]


def test_a_silent_child_costs_nothing(local_root, spawn):
    """A child that never uses the run has no thread and no stream."""
    assert job(spawn, local_root, "silent") == ["threads 1", "child 0"]
    assert streams(local_root) == ["main"]


@pytest.mark.parametrize("url", ["local_root", "moto_url"])
def test_a_child_speaks_in_a_stream_of_its_own(url, request, spawn):
    """What a child says is beside `main`, and counts for the source that its parent began."""
    root = request.getfixturevalue(url)
    job(spawn, root, "speaks")

    (child,) = beside(root)
    assert [line["type"] for line in child] == [
        "started", "source_started", *["file_done"] * 3, "finished",
    ]  # fmt: skip
    assert child[0]["forked_from"] == "main"
    assert types(root).count("file_done") == 3
    assert source(root) == ("done", 6, 6, 60)
    assert numbered(root)


@pytest.mark.parametrize(
    ("how", "types_beside"),
    [
        ("leaves_blocks", [["started", "source_started", "file_done", "finished"]]),
        ("leaves_blocks_silently", []),
    ],
)
def test_a_child_that_leaves_its_parents_blocks_ends_nothing(how, types_beside, local_root, spawn):
    """File, source and run go on in the parent, which says once how they end."""
    job(spawn, local_root, how)

    assert [[line["type"] for line in stream] for stream in beside(local_root)] == types_beside
    assert types(local_root)[-3:] == ["file_done", "source_done", "finished"]
    assert source(local_root)[0] == "done"


def test_a_child_that_fails_in_its_parents_blocks_says_so(local_root, spawn):
    """Its exception is an error of its stream, fatal to nothing but itself."""
    assert job(spawn, local_root, "fails_in_blocks") == ["child 1"]

    ((*_, error, _, finished),) = beside(local_root)
    assert (error["path"], error["fatal"]) == ("whole", False)
    assert (finished["status"], finished["message"]) == ("failed", "ValueError: bad input")
    assert source(local_root) == ("done", 1, None, 7)


def test_a_file_of_a_childs_own_is_done_there(local_root, spawn):
    """A block that the child itself is in says that its file is done."""
    job(spawn, local_root, "opens_a_file")

    assert paths(local_root) == ["big"]
    assert source(local_root) == ("done", 1, None, 100)


@pytest.mark.parametrize(
    ("how", "count"), [("has_grandchildren", 2), ("has_grandchildren_alone", 1)]
)
def test_a_grandchild_has_a_stream_too(how, count, local_root, spawn):
    """Each generation that speaks has its own, whether the one before it spoke or not."""
    job(spawn, local_root, how)

    assert len(beside(local_root)) == count
    assert source(local_root) == ("done", 3 * count, None, 30 * count)
    assert numbered(local_root)


def test_a_childs_end_is_its_own(local_root, spawn):
    """`finish` in a child ends its stream; the run goes on."""
    job(spawn, local_root, "finishes")

    (child,) = beside(local_root)
    assert (child[-1]["status"], child[-1]["message"]) == ("failed", "the child's")
    assert types(local_root) == ["started", "phase", "finished"]
    assert document(local_root)["finished"]["status"] == "completed"


def test_a_child_of_a_run_that_has_ended_says_nothing(local_root, spawn):
    """What was ended before the fork stays so, and no call waits."""
    job(spawn, local_root, "after_the_end")

    assert streams(local_root) == ["main"]
    assert types(local_root) == ["started", "finished"]


def test_a_child_may_start_a_run_anew(local_root, spawn):
    """`start_run` in a child is a run like any other; the inherited one is not touched."""
    job(spawn, local_root, "starts_anew")

    assert types(local_root, run_id="run-2") == ["started", "phase", "finished"]
    assert streams(local_root) == ["main"]


def test_a_child_of_a_thread_ends_with_it(local_root, spawn):
    """A process whose only thread was forked from a thread runs no exit handler, and yet ends."""
    assert job(spawn, local_root, "by_a_thread") == ["child 0"]

    assert beside(local_root)[0][-1]["status"] == "completed"
    assert source(local_root) == ("done", 3, None, 30)


def test_forks_amid_chatter_hang_nowhere(local_root, spawn):
    """Forks at any moment of the pump leave no lock held, no number doubled, no word lost."""
    assert job(spawn, local_root, "in_the_thick_of_it", FORKS="4") == ["child 0"] * 4

    assert source(local_root) == ("done", 4, None, 40)
    assert numbered(local_root)


@pytest.mark.long
def test_hundreds_of_forks_hang_nowhere(local_root, spawn):
    """The same three hundred times."""
    child = spawn(python(FORKS, local_root, "in_the_thick_of_it"), FORKS="300")

    assert child.process.wait(900) == 0
    assert child.said == ["child 0"] * 300
    assert source(local_root) == ("done", 300, None, 3000)
    assert numbered(local_root)


def test_a_killed_child_leaves_what_it_flushed(local_root, spawn):
    """Of a child that ends by `os._exit` the stream stays open, and holds what was acknowledged."""
    job(spawn, local_root, "killed")

    assert len(paths(local_root)) == 3
    assert seals(local_root) == [None]
    assert source(local_root) == ("done", 3, None, 30)


def test_a_signal_to_a_child_ends_the_child_alone(local_root, spawn):
    """SIGTERM ends a child as it always did; one that spoke says so, in its own stream."""
    assert job(spawn, local_root, "terminated") == ["child -15"] * 2

    (child,) = beside(local_root)
    assert (child[-1]["status"], child[-1]["message"]) == ("aborted", "SIGTERM")
    assert of_type(local_root, "finished") == {"status": "completed"}


def test_a_daemon_goes_on_beside_the_run_it_was_forked_from(local_root, spawn):
    """A run started before the process went into the background: the rest is a stream beside it."""
    job(spawn, local_root, "daemon_started_before")
    wait_until(lambda: seals(local_root) == ["finish"], "the daemon's end")

    assert len(paths(local_root)) == 3
    assert "finished" not in types(local_root)  # its own process has gone without a word
    assert document(local_root)["finished"] is None


def test_a_daemon_that_starts_its_run_is_like_any_process(local_root, spawn):
    """A run started in the background is written in `main`."""
    job(spawn, local_root, "daemon_started_after")
    wait_until(lambda: "finished" in lines_of_main(local_root), "the daemon's end")

    assert streams(local_root) == ["main"]


def lines_of_main(root):
    return [line["type"] for line in lines(root)]


def test_children_of_multiprocessing_end_their_streams(local_root, spawn):
    """Such a child runs no exit handler; its stream is flushed and closed all the same."""
    assert job(spawn, local_root, "multiprocessing_fork") == ["children 0 0"]

    assert seals(local_root) == ["finish", "finish"]
    assert source(local_root) == ("done", 6, None, 60)


def test_a_child_of_multiprocessing_that_fails_says_so(local_root, spawn):
    """Its end tells with which exception it went."""
    assert job(spawn, local_root, "multiprocessing_fails") == ["children 1 1"]

    assert [stream[-1]["message"] for stream in beside(local_root)] == ["ValueError: bad input"] * 2


@pytest.mark.parametrize(
    "how",
    [pytest.param("multiprocessing_spawn", marks=pytest.mark.long), "multiprocessing_forkserver"],
)
def test_processes_that_are_not_forked_join_by_name(how, local_root, spawn):
    """With JOURNAL_RUN_ID they start the run for themselves; left open, it is ended for them."""
    assert job(spawn, local_root, how) == ["children 0 0"]

    assert streams(local_root) == ["main", "forks", "forks-2"]
    assert seals(local_root) == ["finish", "finish"]
    assert sorted(stream[1]["number"] for stream in beside(local_root)) == [0, 1]


@pytest.mark.parametrize("how", ["process_pool", "loader"])
def test_a_pool_of_workers_counts_every_file_once(how, root, spawn):
    """Forty files by several workers, some of them terminated, are one source of forty files."""
    assert job(spawn, root, how)[0] == "done 40"

    assert sorted(int(path.removesuffix(".jpg")) for path in paths(root)) == list(range(40))
    assert source(root) == ("done", 40, 40, 400)
    assert document(root)["progress"]["sources_seen"] == 1
    assert set(seals(root)) == {"finish"}
    assert numbered(root)


def test_a_dead_store_does_not_hold_up_a_fork(moto_gate, moto_url, spawn):
    """With a store that never answers, a child speaks and ends within its bound."""
    moto_gate.mode = "silent"
    began = time.monotonic()
    said = job(spawn, moto_url, "speaks", HASTE="1")

    assert said == ["child 0"]
    assert time.monotonic() - began < 20
    moto_gate.mode = "open"
    assert records(moto_url) == []
