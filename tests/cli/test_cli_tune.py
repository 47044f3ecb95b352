"""`journal tune`: which stall limit would have served the earlier runs of a job."""

import json
from pathlib import Path

import pytest
from fold.stories import Story

from journal import events, index
from journal.claim import Claim
from journal.clock import StoreClock, parse_stamp
from journal.stores import connect
from journal.stream import Stream


@pytest.fixture
def lived(local_root):
    """Put runs into the store that were told as stories, and into the job's index."""

    def live(run_id, story, *, job="prepare"):
        store = connect(local_root)
        stream = Stream(
            store=store,
            run_id=run_id,
            name="main",
            host="host-1",
            pid=1,
            flush_seconds=5.0,
            heartbeat_seconds=180.0,
            clock=StoreClock(),
        )
        writer = Claim(stream, resume=False).attempt()
        for seq, record in enumerate(story.records[1:]):
            writer.append(events.encode({**record, "seq": seq}), 1)
        writer.flush("finish")
        index.enter(store, run_id, job, parse_stamp(story.records[0]["ts"]))

    return live


def told(pause, *, status="completed", sub_phase="downloading_policy"):
    """A run that has one file, shows no work for so many minutes, and then another file."""
    story = Story().started().say("phase", phase="data_prep", sub_phase=sub_phase)
    story.source("laws").files("laws", 1, after=1).beats(pause)
    return (story.files("laws", 1) if status == "completed" else story).finished(status)


def test_it_says_the_shortest_limit_without_a_false_alarm(lived, cli):
    """Over all runs of the job: a table of limits, and the line to paste."""
    lived("run-1", told(12))
    lived("run-2", told(3))
    lived("run-3", told(60, status="failed"))
    answer = cli("tune", "prepare")

    assert (answer.code, answer.err) == (0, "")
    assert answer.lines[0] == "job prepare: 3 runs (2 completed, 1 failed)"
    assert answer.lines[2].split()[:4] == ["LIMIT", "FALSE", "TRUE", "OPEN"]
    rows = [" ".join(line.split()) for line in answer.lines]
    assert "default 0 1 0 45 min 0 s" in rows
    assert "5 min 1 1 0 55 min 10 min" in rows
    assert "30 min 0 1 0 30 min 15 min after" in rows
    assert answer.lines[-1].strip() == (
        'run.phase("data_prep", "downloading_policy", stall_after="15m")'
        "  # the longest pause that work followed: 12 min"
    )


def test_for_machines_it_says_the_same(lived, cli):
    """-o json: the runs, each limit, each sub-phase and the lines."""
    lived("run-1", told(12))
    lived("run-2", told(24, sub_phase="extracting"))
    answer = json.loads(cli("tune", "prepare", "--json").out)

    assert (answer["v"], answer["job"], answer["left_out"]) == (1, "prepare", [])
    assert [run["run_id"] for run in answer["runs"]] == ["run-1", "run-2"]
    assert answer["limits"][1] == {
        "limit": "5m",
        "seconds": 300.0,
        "false_alarms": 2,
        "true_alarms": 0,
        "open_alarms": 0,
        "before_end_seconds": None,
        "before_default_seconds": None,
    }
    assert answer["recommended_seconds"] == 1800.0
    found = {one["sub_phase"]: one["recommended_seconds"] for one in answer["sub_phases"]}
    assert found == {"downloading_policy": 900.0, "extracting": 1800.0}
    assert len(answer["lines"]) == 2


def test_only_the_newest_runs_count(lived, cli):
    """-n bounds how many runs are replayed."""
    lived("run-1", told(12))
    lived("run-2", told(12))

    assert cli("tune", "prepare", "-n", "1").lines[0] == "job prepare: 1 runs (1 completed)"


def test_a_damaged_run_is_named_and_left_out(lived, local_root, cli):
    """What is damaged says nothing of pauses; the others count, and the exit code is 13."""
    lived("run-1", told(12))
    lived("run-2", told(12))
    (segment,) = Path(local_root, "run-2").rglob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"type":"phase"', b'"type":"phrase"'))
    answer = cli("tune", "prepare")

    assert answer.code == 13
    assert answer.err.startswith("journal: run-2 is left out: ")
    assert len(answer.err.splitlines()) == 1
    assert answer.lines[0] == "job prepare: 1 runs (1 completed)"


def test_a_job_without_a_run_is_ten(lived, cli):
    """No such job: exit code 10 and one line."""
    lived("run-1", told(12))
    answer = cli("tune", "other")

    assert (answer.code, answer.out) == (10, "")
    assert answer.err.startswith("journal: no run of job other ")
    assert len(answer.err.splitlines()) == 1


def test_what_is_no_job_is_a_mistake(cli):
    """A job that no run can have: exit code 2."""
    assert cli("tune", "a/b").code == 2


def test_control_characters_do_not_reach_the_terminal(lived, cli):
    """A hostile phase name is shown as escapes, in the table and in the line to paste."""
    lived("run-1", told(12, sub_phase="\x1b[2Jdown\u202e"))

    assert "\x1b" not in cli("tune", "prepare").out
    assert "\u202e" not in cli("tune", "prepare").out
    assert "\u202e" not in cli("tune", "prepare", "--json").out
