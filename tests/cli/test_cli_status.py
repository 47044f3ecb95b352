"""`journal status`, `ls` and `compact`: how runs stand, for people and machines."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from recorder.fixtures import let_go
from recorder.processes import journal
from recorder.stored import document, marker

from journal.stores import ABSENT, connect


def verdict(answer):
    fields = ("state", "liveness", "progress_verdict", "health")
    return tuple(json.loads(answer.out)[field] for field in fields)


def put(root, key, body):
    """Put an object whatever is there, as a foreign program would."""
    path = Path(root) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def aged(root, run_id="run-1"):
    """Let all that a run said be years ago."""
    for path in Path(root, run_id).rglob("*.jsonl"):
        path.write_bytes(re.sub(rb"\d{4}-\d\d-\d\dT", b"2020-01-02T", path.read_bytes()))
    Path(root, run_id, "metadata.json").unlink(missing_ok=True)


@pytest.fixture
def running(local_root, start):
    """A run at work: a source with one file of two done."""
    run = start(local_root)
    run.phase("data_prep", "downloading_policy")
    run.source("federal", files=2, bytes=2000).file_done("a.pdf", bytes=1000)
    assert run.flush(60)
    return run


def test_the_status_of_a_run_at_work(running, cli):
    """Verdict and why come first, then phase and sources."""
    answer = cli("status")

    assert (answer.code, answer.err) == (0, "")
    assert answer.lines[0] == "run-1  running  ✓ ok"
    assert answer.lines[1].startswith("  alive (last record ")
    assert "phase     data_prep / downloading_policy / federal" in answer.lines
    assert "federal  downloading_policy  running  1 of 2" in answer.lines[-1]


def test_the_status_for_machines_is_the_document_and_the_verdict(running, local_root, cli):
    """-o json is the snapshot document with five fields added."""
    answer = json.loads(cli("status", "run-1", "--json").out)

    added = {"state", "health", "liveness", "progress_verdict", "why"}
    assert answer.keys() - document(local_root).keys() <= added
    assert added <= answer.keys()
    assert (answer["state"], answer["liveness"]) == ("running", "alive")


def test_the_status_does_not_wait_for_the_snapshot(local_root, start, cli):
    """A snapshot that lags does not matter: what the journal holds beyond it is seen."""
    run = start(local_root)
    assert run.flush(60)
    let_go(run)
    put(local_root, "run-1/metadata.json", b"{}")

    assert verdict(cli("status", "--json"))[:2] == ("running", "alive")


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("completed", "✓ done"),
        ("failed", "✗ critical"),
        ("aborted", "✗ critical"),
        ("preempted", "! warn"),
    ],
)
def test_the_status_of_a_run_that_ended(status, shown, local_root, start, cli):
    """A run that has ended is neither late nor stalled; its message is the reason."""
    start(local_root).finish(status, "as it was")

    assert verdict(cli("status", "--json")) == (status, None, None, shown[2:])
    assert cli("status").lines[:2] == [
        f"run-1  {status}  {shown}",
        f"  {status}: as it was",
    ]


def test_the_status_of_a_run_that_went_silent(running, local_root, cli):
    """A run whose last record is long ago is lost, and a person is needed."""
    let_go(running)
    aged(local_root)
    cli("compact", "run-1")

    assert verdict(cli("status", "--json")) == ("running", "lost", None, "critical")
    assert cli("status").lines[0] == "run-1  running  ✗ critical"


def test_compacting_does_not_revive_a_dead_run(running, local_root, cli):
    """Whoever compacts does not refresh the sign of life of the run."""
    let_go(running)
    aged(local_root)
    cli("compact", "run-1")

    assert document(local_root)["last_update"].startswith("2020-01-02T")


@pytest.mark.parametrize("body", [b"", b"{", b"[1]"])
def test_the_status_with_a_snapshot_that_cannot_be_read(body, finished, local_root, cli):
    """A snapshot that is no JSON object is complained of in a line; the journal is the truth."""
    put(local_root, "run-1/metadata.json", body)
    answer = cli("status", "--json")

    assert (answer.code, json.loads(answer.out)["state"]) == (0, "completed")
    assert len(answer.err.splitlines()) == 1


FOREIGN = {
    "run_id": "run-1",
    "status": "running",
    "phase": "training",
    "details": 5,
    "last_update": "long ago",
    "sources": [5, {"source": None, "bytes": "many", "bytes_total": []}],
    "errors": {"count": 2, "classes": [None, {"error": 1}]},
    "eta": {"at": 3},
    "eta_score": [None, {"real": "x"}, {"real": "2025-08-05", "predicted": "0001-01-01"}],
    "phases": [{"eta": 1}, {"sub_phase": [], "eta": {"at": {}}}],
    "progress": [],
    "vitals": {"waiting": 5, "in_flight": {}, "last_record": 7, "silence_promised_seconds": "x"},
    "finished": [],
    "dropped": "some",
}


@pytest.mark.parametrize("shown", [FOREIGN, {"sources": FOREIGN["sources"]}, {}])
def test_the_status_of_a_document_of_another_program(shown, local_root, cli):
    """A document without a journal is shown as far as it goes, whatever its fields hold."""
    put(local_root, "run-1/metadata.json", json.dumps(shown).encode())

    assert cli("status", "run-1").code == 0
    assert cli("ls").lines[1].startswith("run-1 ")


def test_foreign_fields_stay_in_the_snapshot(finished, local_root, cli):
    """What another program wrote into the document is carried over by a compaction."""
    put(local_root, "run-1/metadata.json", b'{"base_model": "m", "instance_type": "p5"}')
    cli("compact", "run-1")

    assert (document(local_root)["base_model"], document(local_root)["phase"]) == ("m", "complete")


def test_runs_are_listed_newest_first(local_root, start, cli):
    """`ls` shows runs, the newest first, with how they stand."""
    [start(local_root, run_id).finish(end) for run_id, end in (("a", "completed"), ("b", "failed"))]
    rows = [line.split()[:4] for line in cli("ls").lines[1:]]

    assert rows == [["b", "failed", "✗", "critical"], ["a", "completed", "✓", "done"]]


def test_runs_are_listed_for_machines(local_root, start, cli):
    """`ls -o json` is a list of objects; -n bounds it."""
    [start(local_root, run_id).finish() for run_id in ("a", "b", "c")]
    rows = json.loads(cli("ls", "-n", "2", "--json").out)

    assert [row["run_id"] for row in rows] == ["c", "b"]
    assert rows[0]["state"] == "completed"


def test_no_runs_are_no_error(cli):
    """`ls` under an empty root prints nothing, says so on stderr, and is fine."""
    answer = cli("ls")

    assert (answer.code, answer.out) == (0, "")
    assert "no run yet" in answer.err
    assert json.loads(cli("ls", "--json").out) == []


def test_a_run_of_a_later_format_does_not_hide_the_others(local_root, start, finished, cli):
    """`ls` leaves out a run that it cannot read, says so, and lists the others."""
    start(local_root, "later").finish()
    path = Path(local_root, "later", "journal", "stream=main", "0000000000.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":2'))
    Path(local_root, "later", "metadata.json").unlink()
    answer = cli("ls")

    assert [line.split()[0] for line in answer.lines[1:]] == ["run-1"]
    assert (answer.code, len(answer.err.splitlines())) == (13, 1)


def test_compacting_everything_mends_what_is_missing(finished, local_root, cli):
    """`compact --all` makes snapshot, marker and index anew where they are missing."""
    shutil.rmtree(Path(local_root, "_index"))
    Path(local_root, "run-1", "metadata.json").unlink()
    Path(local_root, "run-1", "_complete").unlink()
    answer = cli("compact", "--all")

    assert (answer.code, answer.err) == (0, "")
    assert document(local_root)["status"] == "completed"
    assert marker(local_root, "_complete") == "completed"
    assert any(connect(local_root).list("_index/runs/"))


def test_compacting_everything_passes_over_what_has_no_journal(finished, local_root, cli):
    """A run that another program documents is left alone, and is no damage."""
    connect(local_root).put("old-run/metadata.json", b'{"status": "running"}', expect=ABSENT)
    answer = cli("compact", "--all")

    assert answer.code == 0
    assert answer.lines[0].startswith("run-1: ")
    assert "old-run" in answer.err


def test_compacting_again_changes_nothing(finished, local_root, cli):
    """A snapshot that is up to date is not put again."""
    assert "nothing new" in cli("compact", "run-1").out


@pytest.fixture
def without_rights():
    """How to run a command that may read what everyone may, and write nothing of others."""
    if os.geteuid() != 0:
        return []
    drop = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    if shutil.which("setpriv") is None or subprocess.run([*drop, "true"], check=False).returncode:
        pytest.skip("the rights of root cannot be given up")
    return drop


def test_no_right_to_write_is_twelve(finished, local_root, without_rights):
    """A root that may only be read: exit code 12, in one line that names what to check."""
    Path(local_root, "run-1", "metadata.json").write_bytes(b"{}")
    locked = [Path(local_root, "_locks"), *Path(local_root, "_locks").iterdir()]
    [path.chmod(0o500 if path.is_dir() else 0o400) for path in locked]
    command = [*without_rights, *journal("compact", "run-1", "--root", local_root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    [path.chmod(0o700) for path in locked]

    assert (done.returncode, done.stdout) == (12, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Permission denied" in done.stderr
