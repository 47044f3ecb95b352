"""The pump, driven by hand: time comes in as an argument."""

import pytest
from recorder.pumped import Job

from journal.recorder.vitals import Vitals


@pytest.fixture
def job(monkeypatch):
    job = Job(monkeypatch)
    job.at(0)
    return job


def test_silence_of_the_promised_length_is_broken(job):
    """A heartbeat comes when nothing was said for `heartbeat_seconds`, and not before."""
    assert job.at(179) == []
    assert [record["type"] for record in job.at(180)] == ["heartbeat"]


def test_what_is_said_puts_the_heartbeat_off(job):
    """A job that speaks needs no heartbeat."""
    job.seconds = 100
    job.source.file_done("x", bytes=1)
    job.at(101)

    assert job.at(279) == []
    assert len(job.at(280)) == 1


def test_the_promise_holds_when_the_clock_is_set_back(job):
    """A host's clock that is set back by an hour does not silence the journal for an hour."""
    job.at(-3600)

    assert [record["type"] for record in job.at(-3600 + 180)] == ["heartbeat"]


def test_a_heartbeat_counts_since_the_last(job):
    """A beat's counters are what was done since the beat before."""
    job.source.file_done("x", bytes=5)
    job.vitals = Vitals(3.0, 100, 200, 7)
    assert len(job.at(180)) == 2
    job.source.file_done("y", bytes=6)
    job.source.file_done("z", bytes=7)
    job.at(190)
    job.vitals = Vitals(4.5, 150, 260, 8)
    (beat,) = job.at(400)

    assert (beat["files"], beat["bytes"], beat["cpu_seconds"]) == (2, 13, 1.5)
    assert (beat["read_bytes"], beat["write_bytes"], beat["rss_bytes"]) == (50, 60, 8)
    assert (beat["silent_seconds"], beat["clock_offset"]) == (220.0, 1.5)


def test_the_next_heartbeat_counts_anew(job):
    """What one beat told, the next does not tell again."""
    job.source.file_done("x", bytes=5)
    job.at(1)
    job.at(200)
    (beat,) = job.at(400)

    assert (beat["files"], beat["bytes"]) == (0, 0)


def test_a_heartbeat_names_the_oldest_files_in_flight(job):
    """At most eight files in flight are named, the oldest first, with how far they are."""
    [job.source.file(f"{number}", size=100).__enter__() for number in range(10)]
    (beat,) = job.of_type("heartbeat", 180)

    assert [file["path"] for file in beat["in_flight"]] == [str(number) for number in range(8)]
    first = {"source": "a", "path": "0", "bytes": 0, "size": 100, "seconds": 180.0}
    assert beat["in_flight"][0] == first


def test_moving_bytes_are_told_of_every_fifteen_seconds(job):
    """Bytes that move inside of a file become one `progress` per source, at most every 15 s."""
    file = job.source.file("x", size=100).__enter__()
    file.advance(1)
    assert job.at(14) == []
    (progress,) = job.at(15)
    file.advance(1)

    assert (progress["type"], progress["source"], progress["bytes"]) == ("progress", "a", 1)
    assert job.at(29) == []
    assert [record["bytes"] for record in job.at(30)] == [2]


def test_bytes_that_do_not_move_are_not_told_of(job):
    """Without a byte moved there is no `progress`."""
    job.source.file("x", size=100).__enter__().advance(1)
    job.at(15)

    assert job.at(30) == []


def test_progress_counts_finished_files_too(job):
    """`progress` says how far the whole source is."""
    job.source.file_done("x", bytes=100)
    job.source.file("y", size=100).__enter__().advance(5)
    (progress,) = job.of_type("progress", 15)

    assert (progress["files"], progress["bytes"]) == (1, 105)


def test_nothing_comes_behind_the_end(job):
    """What threads say after the end of a run is not written: `finished` stays the last word."""
    job.intake.say("finished", {"status": "completed"})
    job.intake.await_durable("finish")
    job.source.file_done("x", bytes=1)
    job.intake.say("phase", {"phase": "late"})

    assert [record["type"] for record in job.at(1)] == ["finished"]
    job.source.file_done("y", bytes=1)
    assert job.at(1000) == []


def test_what_is_said_behind_the_end_is_not_durable(job):
    """A flush that comes behind the end is false: what it would speak of is not written."""
    job.intake.await_durable("finish")
    job.source.file_done("x", bytes=1)
    late = job.intake.await_durable()
    job.at(1)

    assert not late.wait(0)


def test_what_was_dropped_is_told_before_the_end(job, monkeypatch):
    """Even without room `dropped` comes before `finished`, or it would never be told."""
    monkeypatch.setattr("journal.recorder.outbox.OUTBOX_BYTES", 10)
    job.intake.say("phase", {"phase": "data_prep"})
    job.intake.say("phase", {"phase": "training"})
    job.intake.say("finished", {"status": "completed"})
    job.intake.await_durable("finish")

    phase, dropped, finished = job.at(1)
    assert (phase["type"], finished["type"]) == ("phase", "finished")
    assert (dropped["type"], dropped["count"], dropped["by"]) == ("dropped", 1, "journal")


def test_heartbeats_and_progress_are_given_up_first(job, monkeypatch):
    """When memory gets short, beats and progress stop; what the job says is kept."""
    monkeypatch.setattr("journal.recorder.outbox.OUTBOX_SOFT_BYTES", 0)
    job.source.file("x", size=100).__enter__().advance(1)
    assert job.at(200) == []
    job.source.file_done("y", bytes=1)

    assert [record["type"] for record in job.at(201)] == ["file_done"]


def test_the_numbers_have_no_gap(job):
    """Records are numbered one by one, whatever they are."""
    job.source.file_done("x", bytes=1)
    job.intake.say("phase", {"phase": "data_prep"})
    job.source.file_done(object(), bytes=None)

    assert [record["seq"] for record in job.at(1)] == [2, 3, 4]
    assert [record["seq"] for record in job.at(300)] == [5]
