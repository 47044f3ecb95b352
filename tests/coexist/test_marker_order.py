"""The end markers: put once, behind the truth, and gone before a new attempt's first sign."""

import fakes
import pytest
from coexist.watched import watching
from fakes import RUN
from recorder.processes import wait_until

from journal import events, markers
from journal.clock import stamp
from journal.stores import Absent
from journal.stores.contract import ABSENT
from journal.upkeep import keep_up

MAIN = "journal/stream=main/"
JOINED = "journal/stream=train/"
SNAPSHOT = "metadata.json"
MARKERS = ("_error", "_complete")


@pytest.fixture
def store(tmp_path, monkeypatch):
    return watching(tmp_path / "root", monkeypatch)


@pytest.fixture
def begin(start, store):
    """Start `run-1` and wait for its first snapshot."""

    def begin(attempt=1, **options):
        before = store.count("put", SNAPSHOT)
        run = start("watched", heartbeat_seconds=0.2, **options)
        run.flush(60)
        wait_until(lambda: store.count("put", SNAPSHOT) > before)
        return run

    return begin


def leave(store, *names):
    """Leave markers as an earlier attempt does, or anybody else."""
    for name in names:
        store.put(f"run-1/{name}", b"failed: long ago\n", expect=ABSENT)
    store.changes.clear()


def there(store):
    return [name for name in MARKERS if not isinstance(store.get(f"run-1/{name}"), Absent)]


# Before


def test_stale_markers_are_gone_before_the_first_snapshot(store, begin):
    """Behind `started`, so that nobody removes what is still true."""
    leave(store, "_error", "_complete")

    begin()

    started = store.first("put", MAIN, b'"type":"started"')
    assert started < store.first("delete", "_error") < store.first("put", SNAPSHOT)
    assert started < store.first("delete", "_complete") < store.first("put", SNAPSHOT)


def test_stale_markers_are_gone_before_the_first_heartbeat(store, begin):
    """Who beats is at work, and not failed."""
    leave(store, "_error")

    begin()
    wait_until(lambda: b'"type":"heartbeat"' in b"".join(body for _, _, body in store.changes))

    assert store.first("delete", "_error") < store.first("put", MAIN, b'"type":"heartbeat"')


@pytest.mark.parametrize("status", ["failed", "aborted"])
def test_a_resumed_run_removes_what_its_earlier_attempt_put(store, begin, status):
    """Before the first snapshot that says `running`."""
    begin().finish(status)
    store.changes.clear()

    begin(resume=True)

    started = store.first("put", MAIN, b'"attempt":2')
    running = store.first("put", SNAPSHOT, b'"status": "running"')
    assert started < store.first("delete", "_error") < running


def test_a_store_that_fails_meanwhile_delays_the_snapshot(hasty, store, begin):
    """No snapshot says `running` while the marker is still there."""
    leave(store, "_error")
    store.deaf_deletes = 3

    begin()

    assert store.first("delete", "_error") < store.first("put", SNAPSHOT)


# At the end


@pytest.mark.parametrize(
    ("status", "marker"), [("completed", "_complete"), ("failed", "_error"), ("aborted", "_error")]
)
def test_a_marker_is_put_once_behind_the_word_that_it_repeats(store, begin, status, marker):
    """`finished` is durable, and the snapshot says it, before the marker does."""
    begin().finish(status)

    finished = store.first("put", MAIN, b'"type":"finished"')
    said = store.first("put", SNAPSHOT, f'"status": "{status}"'.encode())
    assert finished < said < store.first("put", marker)
    assert store.count("put", marker) == 1
    assert there(store) == [marker]


def test_a_preempted_run_puts_none(store, begin):
    """Whoever resumes it was never reported as failed."""
    begin().finish("preempted")

    assert (store.count("put", "_error"), store.count("put", "_complete")) == (0, 0)


def test_a_run_that_is_handed_over_puts_none(store, begin):
    """It goes on elsewhere."""
    begin().hand_over()

    assert (store.count("put", "_error"), store.count("put", "_complete")) == (0, 0)


# With several streams


@pytest.fixture
def joined(begin, start, monkeypatch):
    """A run with a second process's stream in it."""
    main = begin()
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")
    other = start("watched", job="train")
    assert other.flush(60)
    return main, other


@pytest.mark.parametrize("status", ["completed", "failed", "aborted"])
def test_a_joined_stream_ends_without_a_marker(store, joined, status):
    """It ends itself, not the run."""
    _, other = joined

    other.finish(status)

    assert store.first("put", JOINED, b'"type":"finished"') > 0
    assert (store.count("put", "_error"), store.count("put", "_complete")) == (0, 0)


def test_a_joined_stream_removes_no_marker(store, begin, start, monkeypatch):
    """It begins, the run does not."""
    begin().finish("failed")
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")

    start("watched", job="train").finish("completed")

    assert there(store) == ["_error"]


def test_the_run_is_complete_when_main_says_so(store, joined):
    """And not when the last of the others is done."""
    main, other = joined
    other.finish("completed")
    store.changes.clear()

    main.finish("completed")

    assert store.first("put", MAIN, b'"finished"') < store.first("put", "_complete")
    assert store.count("put", "_complete") == 1


def test_a_run_that_main_handed_over_is_not_complete_when_the_other_is_done(store, joined):
    """Nobody who may say so has said that the run has ended, and upkeep invents nothing."""
    main, other = joined
    main.hand_over()
    other.finish("completed")

    keep_up(store, "run-1")

    assert there(store) == []


# Races


@pytest.fixture
def ended():
    """A run that has failed, its marker not yet put, in a store of this test's own."""
    store = fakes.FaultyStore()
    writer = fakes.claimed(store)
    tell(writer, "started", job="prepare", attempt=1)
    tell(writer, "finished", status="failed")
    writer.flush("finish")
    keep_up(store, RUN)
    markers.remove(store, RUN)
    return store


def tell(writer, kind, **fields):
    place = {"seq": writer.next_seq, "ts": stamp(fakes.STORE_TIME), "type": kind}
    writer.append(events.encode({**place, **fields}), 1)
    writer.flush()


def begin_again(store):
    """Do what an attempt does first."""
    tell(fakes.claimed(store, pid=2), "started", job="prepare", attempt=2)
    markers.remove(store, RUN)


def test_a_marker_that_comes_too_late_is_taken_back(ended):
    """The next attempt has begun between the look at the journal and the put."""
    ended.meanwhile.append(lambda: begin_again(ended.inner))

    keep_up(ended, RUN)

    assert isinstance(ended.get(f"{RUN}/_error"), Absent)


def test_a_marker_of_the_next_attempt_is_left(ended):
    """It has ended, too, and put its own."""

    def live_and_die():
        begin_again(ended.inner)
        second = fakes.claimed(ended.inner, pid=3)
        tell(second, "started", job="prepare", attempt=3)
        tell(second, "finished", status="failed", message="again")
        second.flush("finish")
        keep_up(ended.inner, RUN)

    ended.meanwhile.append(live_and_die)

    keep_up(ended, RUN)

    assert ended.get(f"{RUN}/_error").body.startswith(b"failed: again\nattempt: 3\n")
