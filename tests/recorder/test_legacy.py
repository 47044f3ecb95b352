"""The old monitor sees the truth from the first moment of a run to its end."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from recorder.legacy_monitor import verdict
from recorder.processes import wait_until
from recorder.stored import document, marker

from journal.stores import Found, connect
from journal.stores.contract import ABSENT


def objects(root):
    """All objects under a root as the old monitor gets them."""
    store, found = connect(root), {}
    for entry in store.list(""):
        answer = store.get(entry.key)
        if isinstance(answer, Found):
            found[entry.key] = (answer.body, datetime.fromtimestamp(entry.modified, UTC))
    return found


def judged(root, later=timedelta()):
    return verdict(objects(root), "run-1", datetime.now(UTC) + later)


def begun(run, root, attempt=1):
    """Wait for a run's first snapshot, which follows its first flush."""
    assert run.flush(60)
    wait_until(lambda: document(root).get("attempt") == attempt)
    return run


class Watch:
    """Asks again and again while a run is under way, and keeps every answer it got."""

    def __init__(self, root):
        self.answers = set()
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def _ask(self):
        while not self._over.is_set():
            self.answers.add(judged(self._root)[0])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *why):
        self._over.set()
        self._thread.join()


def test_a_run_is_running_from_its_start_to_its_end(root, start):
    """From a run's first snapshot on, all the old monitor says is RUNNING."""
    run = begun(start(root), root)
    with Watch(root) as watch:
        run.phase("data_prep", "downloading_policy")
        with run.source("a") as source:
            source.file_done("x", bytes=1)
        run.flush(60)

    assert watch.answers == {"RUNNING"}


def test_at_its_end_a_run_goes_from_running_to_succeeded(root, start):
    """Between RUNNING and SUCCEEDED there is no other answer."""
    run = begun(start(root), root)
    with Watch(root) as watch:
        run.finish()

    assert judged(root)[0] == "SUCCEEDED"
    assert watch.answers <= {"RUNNING", "SUCCEEDED"}


def test_a_failed_run_has_failed_with_its_reason(root, start):
    """A failure is FAILED at once, and the alert says why."""
    with pytest.raises(OSError, match="disk"), start(root):
        raise OSError("no space left on disk")

    state, detail = judged(root)
    assert state == "FAILED"
    assert detail.startswith("Error: failed: OSError: no space left on disk\n")


def test_a_run_without_a_sign_of_life_times_out(local_root, start):
    """Nobody refreshes the heartbeat of a run that has gone."""
    begun(start(local_root), local_root)

    assert judged(local_root, timedelta(minutes=9))[0] == "RUNNING"
    assert judged(local_root, timedelta(minutes=11)) == ("TIMED_OUT", "Both heartbeats stale")


@pytest.mark.parametrize("status", ["failed", "aborted"])
def test_a_resumed_run_is_running_again(status, root, start):
    """The markers of an earlier attempt are gone before a resumed run's first snapshot."""
    start(root).finish(status)
    assert judged(root)[0] == "FAILED"
    begun(start(root, resume=True), root, attempt=2)

    assert judged(root)[0] == "RUNNING"
    assert document(root)["status"] == "running"


def test_a_marker_that_somebody_left_is_removed_at_the_start(local_root, start):
    """A marker older than the run does not make it look failed."""
    connect(local_root).put("run-1/_error", b"left over", expect=ABSENT)
    begun(start(local_root), local_root)

    assert judged(local_root)[0] == "RUNNING"


def test_a_preempted_run_is_not_reported_as_failed(local_root, start):
    """An attempt that goes on within ten minutes was never FAILED."""
    start(local_root).finish("preempted")

    assert judged(local_root)[0] == "RUNNING"


def test_a_handed_over_run_is_not_over(local_root, start):
    """Data prep that hands over to training writes no `_complete`."""
    start(local_root).hand_over()

    assert marker(local_root, "_complete") is None
    assert judged(local_root)[0] == "RUNNING"


def test_a_run_resumed_by_force_is_no_longer_complete(local_root, start):
    """`force` resumes a completed run: its `_complete` goes."""
    start(local_root).finish()
    begun(start(local_root, resume=True, force=True), local_root, attempt=2)

    assert judged(local_root)[0] == "RUNNING"


def test_the_document_has_the_names_that_dashboards_read(local_root, start):
    """The fields that data prep owes the old document are there, with their types."""
    run = start(local_root, sources=8)
    run.phase("data_prep", "downloading_policy")
    with run.source("corpus_federal") as source:
        source.file_done("x", bytes=1)
        run.flush(60)
        wait_until(lambda: document(local_root).get("phase") == "data_prep")
        owed = document(local_root)

    assert (owed["run_id"], owed["status"], owed["phase"]) == ("run-1", "running", "data_prep")
    assert owed["sub_phase"] == "downloading_policy"
    assert owed["current_operation"] == "corpus_federal"
    assert owed["progress"]["policy_sources_total"] == 8
    assert owed["progress"]["policy_sources_completed"] == 0
    assert owed["progress"]["estimated_completion"] is None
    assert 0 < owed["heartbeat_interval"] <= 300
