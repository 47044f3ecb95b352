"""What the last completed run of the same job took is found, and said once."""

import logging
import threading

import pytest
from fakes import FaultyStore, overwrite
from recorder.processes import wait_until
from recorder.stored import body, document, records

from journal import layout
from journal.errors import Refused, Unavailable
from journal.recorder import start as starting
from journal.stores import connect
from journal.stores.contract import ABSENT


def done(run, status="completed"):
    """Do a file of 10 bytes and end the run."""
    with run.source("a") as source:
        source.file_done("x", bytes=10, seconds=2.0)
    run.finish(status)


def looked(run):
    """End a run that has looked for a history."""
    sender = run._carrier.sender
    wait_until(lambda: sender._has_begun and sender._lookback is None, "it has looked")
    run.finish()


def histories(root, run_id, stream="main"):
    return [one for one in records(root, stream, run_id) if one["type"] == "history"]


def told_by(root, run_id):
    """The ids of the runs whose history was said."""
    return [history["run_id"] for history in histories(root, run_id)]


def test_the_next_run_of_a_job_knows_what_the_last_one_took(root, start):
    """`history` names the run and what each of its sources took, and is the journal's own word."""
    done(start(root, "run-1"))
    looked(start(root, "run-2"))

    (history,) = histories(root, "run-2")
    (source,) = history["sources"]
    assert (history["run_id"], history["by"]) == ("run-1", "journal")
    assert (source["source"], source["files"], source["bytes"]) == ("a", 1, 10)
    assert source["wall_seconds"] >= 0


def test_a_history_is_in_the_snapshot(local_root, start):
    """The fold keeps it, so that an estimate can go by it."""
    done(start(local_root, "run-1"))
    looked(start(local_root, "run-2"))

    state = document(local_root, "run-2")["journal"]["streams"]["main"]["state"]
    assert [former["source"] for former in state["former"]] == ["a"]


def test_the_first_run_of_a_job_has_no_history(root, start):
    """Where there is no earlier run, and for runs of other jobs, nothing is said."""
    done(start(root, "run-1", job="other"))
    looked(start(root, "run-2"))

    assert told_by(root, "run-2") == []


def test_only_a_completed_run_counts(local_root, start):
    """One that failed, one that is still at work and one that was preempted are passed over."""
    done(start(local_root, "run-1"))
    done(start(local_root, "run-2"), "failed")
    done(start(local_root, "run-3"), "preempted")
    start(local_root, "run-4").flush(60)
    looked(start(local_root, "run-5"))

    assert told_by(local_root, "run-5") == ["run-1"]


def test_the_newest_completed_run_counts(local_root, start):
    """Of several the one that was started last."""
    [done(start(local_root, f"run-{number}")) for number in (1, 2, 3)]
    looked(start(local_root, "run-4"))

    assert told_by(local_root, "run-4") == ["run-3"]


def test_a_run_with_nothing_to_tell_is_passed_over(local_root, start):
    """A completed run that did no file leaves the word to the one before."""
    done(start(local_root, "run-1"))
    start(local_root, "run-2").finish()
    looked(start(local_root, "run-3"))

    assert told_by(local_root, "run-3") == ["run-1"]


def test_a_run_of_another_job_in_the_index_is_passed_over(local_root, start):
    """The index is anybody's to write: the run itself must say that it is one of this job."""
    done(start(local_root, "run-1", job="other"))
    name = layout.job_index("prep") + layout.index_name("run-1", 2e9)
    connect(local_root).put(name, b"", expect=ABSENT)
    looked(start(local_root, "run-2"))

    assert told_by(local_root, "run-2") == []


@pytest.mark.parametrize(
    "hostile",
    [b"", b"[" * 100_000, b"null", b'{"journal":{"v":1,"streams":{}}}', b'{"status":"completed"}'],
    ids=range(5),
)
def test_a_hostile_snapshot_is_passed_over(hostile, local_root, start):
    """Whatever lies where the snapshot of an earlier run should be, the one before it counts."""
    done(start(local_root, "run-1"))
    done(start(local_root, "run-2"))
    overwrite(connect(local_root), layout.snapshot_key("run-2"), hostile)
    looked(start(local_root, "run-3"))

    assert told_by(local_root, "run-3") == ["run-1"]


def test_a_run_does_not_say_its_history_twice(local_root, start):
    """Who resumes a run that has a history finds it there, and looks for no other."""
    done(start(local_root, "run-1"))
    start(local_root, "run-2").flush(60)
    wait_until(lambda: told_by(local_root, "run-2"), "it has said its history")
    done(start(local_root, "run-3"))
    looked(start(local_root, "run-2", resume=True))

    assert told_by(local_root, "run-2") == ["run-1"]


def test_who_resumes_a_run_without_a_history_looks_for_it(local_root, start):
    """An attempt that found none, or died before, leaves it to the next."""
    looked(start(local_root, "run-2"))
    done(start(local_root, "run-1"))
    looked(start(local_root, "run-2", resume=True, force=True))

    assert told_by(local_root, "run-2") == ["run-1"]


def test_a_stream_beside_main_looks_for_nothing(local_root, start, monkeypatch):
    """The history of a run is said once, by `main`."""
    done(start(local_root, "run-1"))
    run = start(local_root, "run-2")
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-2")
    looked(start(local_root, "run-2"))
    looked(run)

    assert histories(local_root, "run-2", "prep") == []
    assert told_by(local_root, "run-2") == ["run-1"]


def test_looking_costs_a_list_and_few_gets(local_root, start, monkeypatch):
    """Of many runs that were not completed five are looked at, by their snapshots alone."""
    done(start(local_root, "run-0"))
    [done(start(local_root, f"run-{number}"), "failed") for number in range(1, 8)]
    store = FaultyStore(connect(local_root))
    monkeypatch.setattr(starting, "connect", lambda _: store)
    looked(start(local_root, "run-9"))

    lists = [key for verb, key in store.requests if (verb, key[:1]) == ("list", "_")]
    gets = [key for verb, key in store.requests if verb == "get" and "run-9" not in key]
    assert lists == [layout.job_index("prep")]
    assert gets == [layout.snapshot_key(f"run-{number}") for number in (7, 6, 5, 4, 3)]


class Unlistable:
    """A local store that answers a list of the index as it is told to."""

    def __init__(self, root, answer):
        self._store = connect(root)
        self._answer = answer
        self.get, self.put, self.delete = self._store.get, self._store.put, self._store.delete

    def list(self, prefix, **options):
        if prefix.startswith("_index/"):
            self._answer()
        return self._store.list(prefix, **options)


def failing(error):
    """An answer that is an error."""

    def answer():
        raise error

    return answer


@pytest.mark.parametrize(
    "error", [Refused("list: 403"), Unavailable("list: no answer"), ZeroDivisionError()]
)
def test_a_list_that_fails_costs_the_history_alone(error, local_root, start, monkeypatch, caplog):
    """Without the right to list, nothing is warned of, and the run goes on and ends as ever."""
    caplog.set_level(logging.WARNING, "journal")
    done(start(local_root, "run-1"))
    store = Unlistable(local_root, failing(error))
    monkeypatch.setattr(starting, "connect", lambda _: store)
    looked(start(local_root, "run-2"))

    assert told_by(local_root, "run-2") == []
    assert document(local_root, "run-2")["status"] == "completed"
    assert [one.message for one in caplog.records if one.name == "journal"] == []


def test_a_run_is_started_while_the_list_takes_its_time(local_root, start, monkeypatch):
    """Neither `start_run` nor what was said first waits for the history."""
    done(start(local_root, "run-1"))
    asked, answer = threading.Event(), threading.Event()
    store = Unlistable(local_root, lambda: (asked.set(), answer.wait(60)))
    monkeypatch.setattr(starting, "connect", lambda _: store)

    run = start(local_root, "run-2")
    assert asked.wait(60)
    assert [one["type"] for one in records(local_root, run_id="run-2")] == ["started"]
    assert body(local_root, "run-2/metadata.json") is not None

    answer.set()
    looked(run)
    assert told_by(local_root, "run-2") == ["run-1"]
