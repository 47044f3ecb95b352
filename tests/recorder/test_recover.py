"""A job that is killed during an outage of its store loses nothing that it said before."""

import json
import random
import socket
import sys
import time
from pathlib import Path

import pytest
from recorder.processes import journal, python, wait_until
from recorder.stored import document, lines, marker, records

from journal.cli import main

JOB = Path(__file__).with_name("outage_job.py")


@pytest.fixture
def spools(tmp_path, monkeypatch):
    """A place for spools that the children use too."""
    monkeypatch.setenv("JOURNAL_SPOOL", str(tmp_path / "spools"))
    return tmp_path / "spools"


@pytest.fixture
def outage(moto_gate, moto_url, spools, spawn):
    """Start a job, cut it off from its store, let it go on, kill it; as often as asked."""

    def outage(attempt="0", *mode, said=100, before=True):
        moto_gate.mode = "open" if before else "shut"
        job = spawn(python(JOB, moto_url, attempt, *mode))
        job.until_said("up")
        if before:
            wait_until(lambda: f"{attempt}:99" in paths(moto_url), "the first files are stored")
            moto_gate.mode = "shut"
        # What is said from here on surely does not reach the store.
        target = said + 100 * before + (int(job.said[-1]) if job.said[-1].isdigit() else 0)
        wait_until(lambda: job.said[-1].isdigit() and int(job.said[-1]) >= target)
        job.kill()
        moto_gate.mode = "open"
        return int(job.said[-1])

    return outage


def paths(root):
    return [record["path"] for record in records(root) if record["type"] == "file_done"]


def assert_whole(root, *attempts):
    """All that the attempts said is there, once, each attempt's in order; `attempts` are counts."""
    found = paths(root)
    assert len(found) == len(set(found))
    for attempt, said in enumerate(attempts):
        mine = [path for path in found if path.startswith(f"{attempt}:")]
        assert mine == [f"{attempt}:{number}" for number in range(len(mine))]
        assert len(mine) >= said
    assert [record["seq"] for record in records(root)] == list(range(len(records(root))))


@pytest.fixture
def recover(capfd):
    """Run `journal recover`; return its exit code, what it printed, and what it complained of.

    It runs in this process: a new one would take longer to start than all that it has to do.
    """

    def recover(*arguments):
        capfd.readouterr()
        with pytest.raises(SystemExit) as done:
            main(["recover", *arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        # moto writes down each request.
        said = "".join(line for line in err.splitlines(keepends=True) if "HTTP/1." not in line)
        return done.value.code, out, said

    return recover


def test_resume_sends_what_is_missing_once(outage, moto_url):
    """The next attempt on the same host sends what the killed one could not, and then begins."""
    first = outage()
    second = outage("1", "resume")

    assert_whole(moto_url, first)
    found = [record for record in records(moto_url) if record["type"] in ("started", "file_done")]
    begin = [record["type"] for record in found].index("started", 1)
    assert [record.get("attempt") for record in (found[0], found[begin])] == [1, 2]
    assert {record["path"].split(":")[0] for record in found[1:begin]} == {"0"}
    assert second >= 100


def test_recover_sends_it_for_a_job_that_does_not_come_back(outage, moto_url, spawn, spools):
    """`journal recover RUN` completes the journal of a killed job, closes it, and cleans up."""
    said = outage()

    recovery = spawn(journal("recover", "run-1", "--root", moto_url))

    assert (recovery.wait(), recovery.err) == (0, "")
    assert "records sent" in recovery.out
    assert_whole(moto_url, said)
    assert lines(moto_url)[-1]["reason"] == "close"
    assert document(moto_url)["progress"]["files_done"] == len(paths(moto_url))
    assert not any(path.is_file() for path in spools.rglob("*"))


def test_recover_again_has_nothing_to_do(outage, moto_url, recover):
    """The second time nothing is sent twice."""
    said = outage()
    recover("run-1", "--root", moto_url)
    before = lines(moto_url)

    code, out, err = recover("run-1", "--root", moto_url)

    assert (code, out) == (0, "")
    assert "no spool of run run-1 on this host" in err
    assert lines(moto_url) == before
    assert_whole(moto_url, said)


def test_a_job_that_never_reached_its_store_is_recovered(outage, moto_url, recover):
    """A run that was said only to a dead store begins with its `started` all the same."""
    said = outage(before=False)
    assert records(moto_url) == []

    assert recover("--root", moto_url)[0] == 0
    assert_whole(moto_url, said)
    assert [record["type"] for record in records(moto_url)[:2]] == ["started", "source_started"]
    assert document(moto_url)["attempt"] == 1


def test_several_attempts_that_died_in_one_outage_are_recovered(outage, moto_url, recover):
    """Attempts that never had a claim get their numbers when they are sent."""
    said = [outage(), outage("1", "resume", before=False), outage("2", "resume", before=False)]

    assert recover("--root", moto_url)[0] == 0
    assert_whole(moto_url, *said)
    started = [record for record in records(moto_url) if record["type"] == "started"]
    assert [record["attempt"] for record in started] == [1, 2, 3]


@pytest.mark.usefixtures("hasty", "spools")
def test_a_job_that_ended_in_an_outage_is_recovered_with_its_end(
    moto_gate, moto_url, recover, start
):
    """What `finished` could not tell the old monitor, recovery tells it: the marker too."""
    run = start(moto_url)
    assert run.flush(60)
    moto_gate.mode = "shut"
    run.phase("training")
    run.finish("failed", "no luck")
    let_die(run)
    moto_gate.mode = "open"

    assert recover("run-1", "--root", moto_url)[0] == 0
    assert document(moto_url)["finished"]["message"] == "no luck"
    assert "no luck" in marker(moto_url, "_error")
    assert lines(moto_url)[-1]["reason"] == "finish"


def let_die(run):
    """End a run's threads and free its lock, as the death of its process would."""
    outbox = run._carrier.outbox
    run._carrier.sender.is_done = True
    outbox.filled.set()
    for thread in run._carrier.threads[:2]:
        thread.join()
    outbox.leave_spool()


def test_a_spool_in_use_is_left_alone(moto_gate, moto_url, spools, spawn, recover):
    """A job that lives sends its own words."""
    job = spawn(python(JOB, moto_url, "0"))
    job.until_said("up")
    moto_gate.mode = "shut"

    code, out, _ = recover("run-1", "--list", "--root", moto_url)
    assert code == 0
    assert f"its process lives (pid {job.pid})" in out


def test_listing_sends_nothing(outage, moto_url, recover):
    """`--list` shows what there is."""
    outage()
    before = lines(moto_url)

    code, out, _ = recover("--list", "--root", moto_url)
    assert code == 0
    assert out.startswith("run-1 main: ")
    assert out.endswith("to send\n")
    assert lines(moto_url) == before


def test_a_stream_that_somebody_writes_is_not_taken_from_him(outage, moto_url, recover, start):
    """An attempt on another host goes on with the run: it is not fenced by a recovery, unforced."""
    said = outage()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOURNAL_SPOOL", "off")
        run = start(moto_url, resume=True)
        assert run.flush(60)

    code, _, err = recover("run-1", "--root", moto_url)
    assert (code, "is held by pid" in err) == (11, True)
    assert run.flush(60)

    assert recover("run-1", "--force", "--root", moto_url)[0] == 0
    assert_whole(moto_url, said)
    run.phase("training")
    assert not run.flush(60)


def test_a_fenced_writer_is_listed_and_never_sent(moto_gate, moto_url, spools, recover, start):
    """What a writer says after another took over is kept on its host, and shown."""
    first = start(moto_url)
    assert first.flush(60)
    second = start(moto_url, resume=True)
    first.emit("note", text="too late")
    assert not first.flush(60)
    first.finish()
    second.finish()
    wait_until(lambda: list(spools.rglob("fenced-*.jsonl")))

    code, out, _ = recover("run-1", "--root", moto_url)
    assert code == 0
    assert "kept, never sent" in out
    (kept,) = spools.rglob("fenced-*.jsonl")
    assert "too late" in kept.read_text()
    assert not [record for record in records(moto_url) if record["type"] == "note"]


def test_a_damaged_line_is_told_of_and_the_rest_is_sent(outage, moto_url, recover, spools):
    """A line in the middle that is no record costs itself alone."""
    said = outage(before=False)
    (spooled,) = spools.rglob("records.jsonl")
    found = spooled.read_bytes().splitlines(keepends=True)
    found[50] = b"\0" * 40 + b"\n"
    spooled.write_bytes(b"".join(found))

    code, out, _ = recover("run-1", "--root", moto_url)
    assert code == 0
    assert "1 damaged lines left out" in out
    assert len(paths(moto_url)) >= said - 1


def test_the_spool_of_another_root_is_left_alone(outage, moto_url, local_root, recover):
    """It is shown with the root that it is for."""
    outage()

    code, out, _ = recover("--root", local_root)
    assert code == 0
    assert f"for --root {moto_url}" in out
    assert not Path(local_root).exists()


def test_as_json(outage, moto_url, recover):
    """One object for each spool, with all that is known of it."""
    outage()

    _, out, _ = recover("--root", moto_url, "--json")
    (found,) = [json.loads(line) for line in out.splitlines()]
    assert (found["v"], found["state"], found["run_id"], found["stream"]) == (
        1,
        "sent",
        "run-1",
        "main",
    )
    assert found["sent"] > 0
    assert found["host"] == socket.gethostname()


def test_a_store_that_is_still_down_is_an_error(outage, moto_gate, moto_url, recover, monkeypatch):
    """Nothing is lost by trying too early."""
    monkeypatch.setattr("journal.recorder.recovery.RETRY_FIRST_SECONDS", 0.02)
    said = outage()
    moto_gate.mode = "shut"

    code, _, err = recover("run-1", "--root", moto_url)
    assert code == 1
    assert err.startswith("journal: run-1 main: ")
    moto_gate.mode = "open"
    assert recover("run-1", "--root", moto_url)[0] == 0
    assert_whole(moto_url, said)


@pytest.mark.usefixtures("spools")
@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.long)])
def test_kills_in_and_out_of_outages_lose_nothing(kills, moto_gate, moto_url, spawn, recover):
    """Attempt after attempt is killed at any time, the store there or not; then it is recovered."""
    chance = random.Random(kills)
    said = []
    for attempt in range(kills):
        moto_gate.mode = chance.choice(("open", "shut", "silent"))
        job = spawn(python(JOB, moto_url, str(attempt), *["resume"][: min(attempt, 1)]))
        job.until_said("up")
        for _ in range(chance.randrange(3)):
            time.sleep(chance.uniform(0.0, 0.7))
            moto_gate.mode = chance.choice(("open", "shut", "silent"))
        job.kill()
        said.append(int(job.said[-1]) if job.said[-1].isdigit() else 0)
    moto_gate.mode = "open"

    assert recover("run-1", "--force", "--root", moto_url)[0] == 0
    assert_whole(moto_url, *said)
    sys.stdout.write(f"{kills} kills, {sum(said):,} events said, {len(paths(moto_url)):,} there\n")
