"""What `journal status` tells of limits, clocks, estimates and their score; of stalls in `tail`."""

import json
import time
from pathlib import Path

import pytest
from fold.stories import Story
from recorder.fixtures import let_go

from journal import events
from journal.cli.lines import line_of
from journal.clock import stamp
from readers.event import Event
from tools.bench.server import free_ports

AT = 1754422500.0  # 2025-08-05T19:35:00Z
UTC = {"TZ": "UTC"}


@pytest.fixture
def told(local_root, cli):
    """What `status` prints of a document, with no journal beside it."""

    def told(**document):
        path = Path(local_root) / "run-1" / "metadata.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"run_id": "run-1", **document}))
        answer = cli("status", **UTC)
        assert answer.code == 0
        return answer.lines

    return told


def eta(minutes):
    at, low, high = (stamp(AT + 60 * m)[:19] + "Z" for m in (minutes, minutes - 5, minutes + 9))
    return {"at": at, "low": low, "high": high, "basis": "bytes"}


def test_a_run_at_work_is_told_by_what_it_is_judged(told):
    """Its host and pid, how its clock is set, when it would count as stalled, and why then."""
    vitals = {
        "last_record": stamp(time.time()),
        "host": "trainer-1",
        "pid": 71,
        "clock_offset": 240.0,
        "stall_after_seconds": 1200.0,
        "stall_limit": "declared for extracting",
    }
    lines = told(status="running", vitals=vitals)

    assert "host      trainer-1, pid 71, its clock 4 min behind the store's" in lines
    assert "stalled   after 20 min without work (declared for extracting)" in lines


def test_an_estimate_comes_with_its_interval_and_its_ground(told):
    """When, between when and when, and what that rests on."""
    (line,) = [one for one in told(status="running", eta=eta(20)) if one.startswith("ends")]

    assert line.startswith("ends      about 2025-08-05 19:55:00+00:00 (in 0 s), between ")
    assert line.endswith("2025-08-05 19:50:00+00:00 and 2025-08-05 20:04:00+00:00, by bytes")


def test_each_source_and_sub_phase_has_its_end(told):
    """Where somebody knows it; totals that have grown bear a mark that is explained."""
    done = {"source": "a", "sub_phase": "one", "state": "done", "files": 2, "files_total": 2}
    grown = {"source": "b", "sub_phase": "one", "state": "running", "files": 5, "files_total": 5}
    phases = [
        {"sub_phase": "one", "state": "running", "sources": 2, "sources_completed": 1},
        {"sub_phase": "two", "state": "pending", "sources": 0, "sources_completed": 0},
    ]
    lines = told(
        status="running",
        sources=[done, {**grown, "totals_grow": True, "eta": eta(20)}],
        phases=[{**phases[0], "eta": eta(20)}, {**phases[1], "eta": eta(60)}],
    )

    rows = [" ".join(line.split()) for line in lines]
    assert "SUB-PHASE STATE SOURCES DONE ENDS" in rows
    assert "two pending 0 of 0 2025-08-05 20:35+00:00" in rows
    assert "b one running 5 of 5+ 0 B 0 2025-08-05 19:55+00:00" in rows
    assert "a one done 2 of 2 0 B 0" in rows
    assert lines[-1].startswith("+: ")


def test_a_finished_run_shows_what_was_said_of_its_end(told):
    """Each prediction kept: by how much it was off, and whether its interval held."""
    real = {"real": stamp(AT)}
    score = [
        {
            "fraction": 0.1,
            "predicted": stamp(AT + 240),
            "low": stamp(AT + 60),
            "high": None,
            **real,
        },
        {"fraction": 0.5, "predicted": stamp(AT - 90), **real, "low": stamp(AT - 99)},
    ]
    score[1]["high"] = stamp(AT + 99)
    lines = told(status="completed", eta_score=score)

    assert [line.partition(" at ")[2] for line in lines if line.startswith("predicted")] == [
        " 10%: 4 min too late, outside its interval",
        " 50%: 90 s too early, within its interval",
    ]


def test_a_store_that_does_not_answer_leaves_it_unknown(cli):
    """One line that says so: nobody knows whether the run lives. Nothing goes to stdout."""
    (port,) = free_ports(1)
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    answer = cli(
        "status", "s3://bucket/runs/run-1", AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{port}", **keys
    )

    assert (answer.code, answer.out) == (1, "")
    assert len(answer.err.splitlines()) == 1
    assert "run-1 lives is unknown: the store has not answered for " in answer.err


STACK = {
    "seconds": 1260.0,
    "stall_seconds": 1200.0,
    "traceback": 'Thread "MainThread":\n  File "prepare.py", line 9, in main\n    download()\n'
    '  File "prepare.py", line 17, in download\n    read()\n\n'
    'Thread "other":\n  File "other.py", line 1, in run\n    wait()\n',
    "by": "journal",
}


@pytest.fixture
def stalled(local_root, start):
    """A run whose journal holds a stack, a longer deadline and a declared limit."""
    run = start(local_root)
    run.phase("data_prep", "extracting", stall_after="20m", min_rate="64KiB/60s")
    run.extend_deadline("2h", "one large archive")
    run._intake.say(events.STACK, dict(STACK))
    assert run.flush(60)
    let_go(run)


def test_a_stall_is_one_line(stalled, cli):
    """How long, by which limit, and where the main thread stands."""
    answer = cli("tail", "run-1", "-n", "all")

    assert answer.lines[-1].endswith(
        'no work for 21 min, the limit is 20 min; in "prepare.py", line 17, in download'
    )


def test_a_declared_limit_is_told_with_its_phase(stalled, cli):
    """And until when a deadline was extended, and why."""
    lines = cli("replay", "run-1").lines

    phase = "data_prep / extracting, stalled after 20 min, at least 65.5 KB in 60 s"
    assert any(line.endswith(phase) for line in lines)
    assert any("no stall before " in line and "one large archive" in line for line in lines)


def test_for_machines_a_stack_is_whole(stalled, cli):
    """-o json has every thread's stack."""
    answer = cli("replay", "run-1", "-t", "stack", "-o", "json")

    assert json.loads(answer.out)["traceback"] == STACK["traceback"]


@pytest.mark.parametrize("kind", [events.STACK, events.EXTENDED, events.PHASE])
@pytest.mark.parametrize("value", [None, "x\x1b[2J", -1, 1e308, [], {}, 'Thread "\n  File "'])
def test_a_hostile_stack_is_a_line(value, kind):
    """Whatever somebody wrote into it, or into another record of these."""
    names = ("seconds", "stall_seconds", "traceback", "until", "reason", "min_rate_bytes")
    record = Story().say(kind, **dict.fromkeys(names, value)).records[-1]
    line = line_of(Event("run-1", "main", record, b""), str)

    assert "\n" not in line
    assert "\x1b" not in line
