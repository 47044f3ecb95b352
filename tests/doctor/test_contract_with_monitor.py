"""What the doctor says of runs that do, and do not, keep the contract with the old monitor."""

import json

import pytest
from recorder.processes import wait_until
from recorder.stored import document

from journal.stores import Version, connect
from journal.stores.contract import ABSENT
from readers import contract

OWED = {
    "run_id": "mistral-20250805-142652",
    "status": "running",
    "phase": "data_prep",
    "sub_phase": "downloading_policy",
    "current_operation": "corpus_federal",
    "progress": {
        "policy_sources_completed": 3,
        "policy_sources_total": 8,
        "files_downloaded": 1250,
        "estimated_completion": "2025-08-05T20:15:00Z",
    },
    "last_update": "2025-08-05T19:35:00Z",
    "heartbeat_interval": 180,
}


def levels(root, *run_ids):
    return [(one.check, one.level) for one in contract.examine(connect(root), run_ids)]


def replace(root, key, body):
    store = connect(root)
    store.put(key, body, expect=Version(store.get(key).version))


def test_runs_that_keep_it(root, start):
    """Running, completed, failed: what the monitor says is what the journal says."""
    for run_id, status in (("run-1", "completed"), ("run-2", "failed")):
        start(root, run_id).finish(status)
    start(root, "run-3").flush(60)
    wait_until(lambda: document(root, "run-3"))

    assert levels(root, "run-1", "run-2", "run-3") == [("old_monitor", "ok")] * 3


def test_a_marker_that_an_earlier_attempt_left(local_root, start):
    """A run at work that the monitor calls FAILED, with the marker to delete."""
    start(local_root).flush(60)
    wait_until(lambda: document(local_root))
    connect(local_root).put("run-1/_error", b"long ago\n", expect=ABSENT)
    (finding,) = contract.examine(connect(local_root), ["run-1"])

    assert finding.level == "warn"
    assert "it says FAILED" in finding.says
    assert finding.remedy.startswith("delete run-1/_error")


@pytest.mark.parametrize(("lost", "code"), [("_complete", "completed"), ("_error", "failed")])
def test_an_end_without_its_marker(local_root, start, lost, code):
    """A run that has ended and that the monitor takes for running, with the command that mends."""
    start(local_root).finish(code)
    connect(local_root).delete(f"run-1/{lost}")
    (finding,) = contract.examine(connect(local_root), ["run-1"])

    assert (finding.level, finding.remedy) == ("warn", "journal compact run-1")


def test_a_document_that_another_program_wrote(local_root, start):
    """What dashboards miss in it is named."""
    run = start(local_root)
    assert run.flush(60)
    wait_until(lambda: document(local_root).get("attempt") == 1)
    run.hand_over()
    replace(local_root, "run-1/metadata.json", b'{"status": "done", "last_update": "now"}')
    (_, finding) = contract.examine(connect(local_root), ["run-1"])

    assert (finding.check, finding.level) == ("document", "warn")
    assert 'status is "done"' in finding.says
    assert "phase is missing" in finding.says


def test_a_run_that_is_only_in_the_index(local_root):
    """A run that is gone, or has not begun, has no contract to keep."""
    assert levels(local_root, "run-1") == []


def test_the_document_that_data_prep_owes():
    """The one on the page is right."""
    assert contract.complaints(json.dumps(OWED).encode()) == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("run_id", None, "run_id is null"),
        ("status", "done", 'status is "done"'),
        ("phase", "download", 'phase is "download"'),
        ("last_update", "2025-08-05T19:35:00.1Z", 'last_update is "2025-08-05T19:35:00.1Z"'),
        ("heartbeat_interval", 400, "heartbeat_interval is 400"),
        ("heartbeat_interval", True, "heartbeat_interval is true"),
        ("progress", {}, "policy_sources_completed is missing"),
        ("progress", {**OWED["progress"], "files_downloaded": -1}, "files_downloaded is -1"),
        ("sub_phase", "x" * 50, ""),
        ("status", "x" * 50, f'status is "{"x" * 39}…'),
    ],
)
def test_a_field_that_is_not_what_dashboards_read(field, value, says):
    """Each is named with what it is, cut if it is long."""
    found = contract.complaints(json.dumps({**OWED, field: value}).encode())

    assert found[:1] == ([says] if says else [])


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 100_000])
def test_a_document_that_is_none(body):
    """That is all there is to say of it."""
    (complaint,) = contract.complaints(body)

    assert complaint.startswith("it is no JSON")


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("s3://bucket/training-runs", "ok"),
        ("s3://bucket/other/training-runs", "note"),
        ("s3://bucket", "note"),
    ],
)
def test_where_the_monitor_looks(url, level):
    """Only in one folder of a bucket."""
    assert contract.root(url).level == level
