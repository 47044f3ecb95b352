"""A store that is down or refuses never reaches the job; what was said is there once it is back."""

import logging
import time

import pytest
import servers
from recorder.processes import wait_until
from recorder.stored import document, of_type, records, types

from journal.limits import EXIT_SECONDS, START_SECONDS
from tools.bench.server import free_ports

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
def closed_port(monkeypatch):
    """An endpoint at which nobody listens."""
    (port,) = free_ports(1)
    for name, value in servers.S3Server(f"http://127.0.0.1:{port}").environment.items():
        monkeypatch.setenv(name, value)
    return "s3://bucket/training-runs"


@pytest.fixture(params=["closed_port", "shut", "silent"])
def dead_root(request):
    """A root whose store refuses connections, cuts them, or takes requests and never answers."""
    if request.param == "closed_port":
        return request.getfixturevalue("closed_port")
    url = request.getfixturevalue("moto_url")
    request.getfixturevalue("moto_gate").mode = request.param
    return url


def seconds_of(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def warnings(caplog, run_id):
    """What was logged about a run; runs of earlier tests may still be saying their last."""
    told = [line.getMessage() for line in caplog.records if line.levelno >= logging.WARNING]
    return [line for line in told if f"run {run_id}" in line]


def failures(caplog, run_id):
    return [line for line in warnings(caplog, run_id) if "tries again" in line]


def work(run, files=1000):
    """Say something of each kind, and files."""
    run.phase("data_prep")
    with run.source("a") as source:
        for number in range(files):
            with source.file(f"{number}", size=1) as file:
                file.advance(1)
    run.error("no such page")


def test_a_start_without_a_store_takes_no_longer_than_promised(dead_root, start):
    """`start_run` returns within its bound, store or no store."""
    assert seconds_of(lambda: start(dead_root)) < 5


def test_calls_without_a_store_take_no_time(dead_root, start):
    """A dead store neither raises into the job nor delays what it says."""
    run = start(dead_root)

    assert seconds_of(lambda: work(run)) < 1


def test_an_end_without_a_store_takes_no_longer_than_promised(dead_root, start):
    """The end of a run waits its bounded time for a store that is down, and says so."""
    run = start(dead_root)

    assert seconds_of(run.finish) < 5


def test_the_promised_times_are_short():
    """What the tests of this file cut short is ten seconds in life."""
    assert (START_SECONDS, EXIT_SECONDS) == (10.0, 10.0)


def test_an_outage_is_warned_of_once(closed_port, start, caplog):
    """One warning for all tries that fail in the same way."""
    run = start(closed_port, "closed")
    wait_until(lambda: run._carrier.sender._tries > 3)

    (warning,) = failures(caplog, "closed")
    assert "the job goes on" in warning


def test_a_run_that_started_in_an_outage_is_written_when_the_store_is_back(
    moto_gate, moto_url, start
):
    """What was said before the claim goes out behind `started`, in its order, without a gap."""
    moto_gate.mode = "shut"
    run = start(moto_url)
    work(run, 100)
    moto_gate.mode = "open"
    assert run.flush(60)

    told = ["started", "phase", "source_started", *["file_done"] * 100, "source_done", "error"]
    found = records(moto_url)[: len(told)]
    assert [line["type"] for line in found] == told
    assert [line["seq"] for line in found] == list(range(len(told)))
    assert [line["path"] for line in found[3:-2]] == [str(number) for number in range(100)]


def test_an_outage_is_written_down(moto_gate, moto_url, start):
    """When the store is back, an `error` of the journal's own tells how many tries it took."""
    run = start(moto_url)
    moto_gate.mode = "shut"
    run.phase("data_prep")
    wait_until(lambda: run._carrier.sender._tries > 3)
    moto_gate.mode = "open"
    wait_until(lambda: "error" in types(moto_url))

    told = of_type(moto_url, "error")
    assert told["error"] == "JournalUnavailable"
    assert told["retry"] > 3
    assert not told["fatal"]
    assert told["by"] == "journal"  # or it would count as the job's work


def test_what_an_outage_held_up_does_not_wait_for_the_next_interval(moto_gate, moto_url, start):
    """A record that could not be sent goes out with the next try, however rare flushes are."""
    run = start(moto_url, flush_seconds=200, heartbeat_seconds=80)
    wait_until(lambda: document(moto_url))
    moto_gate.mode = "shut"
    run.phase("data_prep")
    wait_until(lambda: run.trouble is not None)
    moto_gate.mode = "open"

    wait_until(lambda: "phase" in types(moto_url))


def test_the_end_has_the_store_tried_at_once(moto_gate, moto_url, start, monkeypatch):
    """A run that ends after an outage is written at once, not when the next try was due."""
    monkeypatch.setattr("journal.recorder.sender.RETRY_FIRST_SECONDS", 500)
    monkeypatch.setattr("journal.recorder.sender.RETRY_MAX_SECONDS", 500)
    monkeypatch.setattr("journal.recorder.run.EXIT_SECONDS", 30)
    run = start(moto_url)
    moto_gate.mode = "shut"
    assert not run.flush(1)
    wait_until(lambda: run.trouble is not None)
    moto_gate.mode = "open"

    assert seconds_of(run.finish) < 20
    assert types(moto_url)[-1] == "finished"


def test_a_bucket_that_does_not_exist_is_warned_of(moto_url, start, caplog):
    """No such bucket: one warning that names it, and the job goes on."""
    run = start("s3://no-such-bucket-here/runs", "nowhere")
    work(run)
    wait_until(lambda: run._carrier.sender._tries > 3)

    (warning,) = failures(caplog, "nowhere")
    assert "NoSuchBucket" in warning
    assert not run.flush(0.1)


def test_wrong_credentials_are_warned_of(weed_url, start, caplog, monkeypatch):
    """Credentials that the server does not take: one warning, and the job goes on."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    run = start(weed_url, "refused")
    work(run)
    wait_until(lambda: run._carrier.sender._tries > 3)

    (warning,) = failures(caplog, "refused")
    assert "403" in warning


def test_credentials_that_were_mended_are_used(weed_url, start, monkeypatch):
    """A refusal is tried again: once the credentials are right, all that was said is there."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    run = start(weed_url)
    work(run, 10)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", servers.ACCESS_KEY)

    assert run.flush(60)
    assert types(weed_url).count("file_done") == 10


def test_what_memory_has_no_room_for_is_counted(moto_gate, moto_url, start, monkeypatch):
    """In a long outage what does not fit is dropped, and `dropped` says how many and why."""
    monkeypatch.setenv("JOURNAL_SPOOL", "off")
    monkeypatch.setattr("journal.recorder.outbox.OUTBOX_BYTES", 20_000)
    run = start(moto_url)
    moto_gate.mode = "shut"
    source = run.source("a")
    [source.file_done(f"{number}", bytes=1) for number in range(1000)]
    assert not run.flush(1)
    moto_gate.mode = "open"
    wait_until(lambda: "dropped" in types(moto_url))

    dropped = of_type(moto_url, "dropped")
    assert types(moto_url).count("file_done") + dropped["count"] == 1000
    assert dropped["reason"] == "the store did not take it, and there was no room"
    assert document(moto_url)["dropped"] == dropped["count"]


def test_a_run_that_finds_another_holder_after_an_outage_stops(
    moto_gate, moto_url, start, caplog, monkeypatch
):
    """If somebody else started the run meanwhile, it stays theirs: said once, nothing is mixed."""
    moto_gate.mode = "shut"
    late = start(moto_url, "late")
    late.phase("data_prep")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://{}:{}".format(*moto_gate.behind))
    start(moto_url, "late").finish()
    moto_gate.mode = "open"

    assert not late.flush(60)
    assert types(moto_url, run_id="late") == ["started", "finished"]
    assert "is held by pid" in warnings(caplog, "late")[-1]


def test_a_run_that_cannot_be_written_does_not_hide_another(closed_port, start, local_root):
    """A run on a dead store does not hinder one on a store that works."""
    dead, alive = start(closed_port), start(local_root)
    work(dead)
    work(alive)

    assert alive.flush(60)
