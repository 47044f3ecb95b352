"""`journal ls`: newest first, chosen by job, time and state; one request for each row."""

import json

import pytest
from fold.stories import BEGAN, Story

from journal import layout
from journal.cli.commands import run as command
from journal.clock import now, stamp
from journal.events import encode
from journal.stores import ABSENT, connect
from readers.status import glance, status
from tools.bench.counted import Counted


@pytest.fixture
def three_runs(told, local_root):
    """Runs that began an hour apart: one completed, one failed, one lost."""
    stories = {
        "one": Story().started().finished(),
        "two": Story().started().finished("failed"),
        "three": Story().started(),
    }
    store = connect(local_root)
    for number, (run_id, story) in enumerate(stories.items()):
        told(run_id, main=story)
        place = layout.index_name(run_id, BEGAN + number * 3600)
        jobs = layout.job_index("other" if run_id == "three" else "prep")
        for prefix in (layout.RUN_INDEX, jobs):
            store.put(prefix + place, b"", expect=ABSENT)


def listed(answer):
    return [row["run_id"] for row in json.loads(answer.out)]


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ([], ["three", "two", "one"]),
        (["-n", "2"], ["three", "two"]),
        (["--job", "prep"], ["two", "one"]),
        (["--state", "failed,completed"], ["two", "one"]),
        (["--state", "completed", "-n", "1"], ["one"]),
        (["--job", "nothing"], []),
    ],
)
def test_runs_are_chosen(three_runs, call, options, runs):
    """By job, by state, by number; newest first whatever was chosen."""
    answer = call("ls", "-o", "json", *options)

    assert (answer.code, listed(answer)) == (0, runs)


def test_runs_are_chosen_by_when_they_began(three_runs, call, at):
    """And by the job with it."""
    assert listed(call("ls", "-o", "json", "-S", at(1800))) == ["three", "two"]
    assert listed(call("ls", "-o", "json", "-S", at(1800), "--job", "prep")) == ["two"]
    assert "no such run" in call("ls", "-S", at(9 * 3600)).err


def test_people_see_a_table(three_runs, call):
    """Each row with sign and word, so that nothing hangs on colour."""
    lines = call("ls").lines

    assert lines[0].split()[:3] == ["RUN", "STATE", "HEALTH"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["three", "running", "✗", "critical"],
        ["two", "failed", "✗", "critical"],
        ["one", "completed", "✓", "done"],
    ]


def test_an_unknown_state_is_refused(three_runs, call):
    """With those there are."""
    answer = call("ls", "--state", "completed,done")

    assert answer.code == 2
    assert "preempted" in answer.err


def test_a_damaged_run_is_a_row_and_an_exit_code(three_runs, local_root, call):
    """It is shown as far as it goes, not dropped."""
    store = connect(local_root)
    key = layout.snapshot_key("one")
    version = store.get(key).version
    store.put(key, b"{", expect=version)
    segment = layout.segment_key("one", "main", 0)
    found = store.get(segment)
    store.put(segment, found.body.replace(b'"seq":1', b'"seq":7'), expect=found.version)

    answer = call("ls", "-o", "json")

    assert listed(answer) == ["three", "two", "one"]
    assert [row["is_damaged"] for row in json.loads(answer.out)] == [False, False, True]
    assert (answer.code, "one" in answer.err) == (13, True)


def test_a_row_costs_one_request(three_runs, local_root, monkeypatch, capsysbinary):
    """Only one that does not look well by its snapshot is looked at in its journal."""
    counted = Counted(connect(local_root))
    monkeypatch.setattr("journal.cli.ls.connect", lambda _root: counted)
    monkeypatch.setattr("journal.cli.ls.read_only", lambda store: store)

    assert command(["ls", "--state", "completed,failed", "--job", "prep"]) == 0
    assert dict(counted.requests) == {("list", "index"): 1, ("get", "snapshot"): 2}


def test_a_glance_says_what_a_status_says(three_runs, local_root):
    """Of a run that has ended, and of one that is lost."""
    store = connect(local_root)

    for run_id in ("one", "two", "three"):
        glanced, read = glance(store, run_id), status(store, run_id)
        assert (glanced.verdict.state, glanced.verdict.health, glanced.verdict.liveness) == (
            read.verdict.state,
            read.verdict.health,
            read.verdict.liveness,
        )


def test_a_run_is_not_lost_because_its_snapshot_is_old(told, local_root, call):
    """What its journal says since counts: nobody may be called dead who is alive."""
    store = connect(local_root)
    told("one", main=Story().started())
    key = layout.segment_key("one", "main", 0)
    found = store.get(key)
    beat = {"seq": 1, "ts": stamp(now()), "type": "heartbeat", "files": 0, "bytes": 0}
    store.put(key, found.body + encode(beat), expect=found.version)

    (row,) = json.loads(call("ls", "-o", "json").out)

    assert row["liveness"] == "alive"
