"""The readers for Python: no command line needed, and a store that cannot write."""

import pytest
from recorder.fixtures import hasty, local_root, root, start

from journal.errors import Missing
from journal.stores import connect
from readers import frames, replay, runs, snapshot
from readers.tail import Tail, follow

__all__ = ["hasty", "local_root", "root", "start"]


@pytest.fixture
def finished(start, local_root):
    """The root of a run with two files, that has ended."""
    with (
        start(local_root, run_id="run-1", job="prep") as run,
        run.source("federal", files=2) as source,
    ):
        source.file_done("a.pdf", bytes=10, seconds=1.5)
        source.file_done("b.pdf", bytes=2**40, seconds=2)
        run.emit("note", colour="red", bytes="many")
    return local_root


def test_a_replay_yields_every_event(finished):
    """Control lines and heartbeats too, or only some types."""
    kinds = [event.record["type"] for event in replay.events("latest", finished)]

    assert kinds[0] == "segment_opened"
    assert kinds.count("file_done") == 2
    files = [*replay.events("run-1", finished, types="file_done,error")]
    assert [event.record["path"] for event in files] == ["a.pdf", "b.pdf"]
    assert files[0].stream == "main"


def test_a_replay_of_a_span_holds_to_it(finished):
    """`until` is not included."""
    middle = next(replay.events("run-1", finished, types="file_done")).record["ts"]
    before = [*replay.events("run-1", finished, until=middle)]
    behind = [*replay.events("run-1", finished, since=middle)]

    assert all(event.record["ts"] < middle for event in before)
    assert all(event.record["ts"] >= middle for event in behind)
    assert len(before) + len(behind) == len([*replay.events("run-1", finished)])


def test_following_ends_with_the_run_and_goes_on_from_a_cursor(finished):
    """What a cursor has seen is not seen again."""
    everything = [event.line for event in follow("run-1", finished)]
    tail = Tail(connect(finished), "run-1")
    first = next(iter(tail.batches()))
    tail.hand_out(first)

    rest = [event.line for event in follow("run-1", finished, after=tail.cursor)]

    assert [event.line for event in first] + rest == everything


def test_a_snapshot_has_the_verdict(finished):
    """And the document."""
    found = snapshot.read("run", finished)

    assert found.verdict.state == "completed"
    assert found.document["progress"]["files_done"] == 2


def test_runs_are_found_and_cannot_be_written(finished):
    """A store that is handed to a reader has no put."""
    store, run_id = runs.located("run", finished)

    assert run_id == "run-1"
    assert not hasattr(store, "put")
    assert [*runs.newest(finished)] == ["run-1"]
    assert [*runs.newest(finished, job="prep")] == ["run-1"]
    assert [*runs.newest(finished, job="other")] == []
    with pytest.raises(Missing):
        runs.located("nothing", finished)


def test_events_become_a_polars_frame(finished):
    """Columns for what is usual, JSON for the rest, and nothing lost."""
    frame = frames.to_polars(replay.events("run-1", finished))
    files = frame.filter(frame["type"] == "file_done")
    (note,) = frame.filter(frame["type"] == "note").to_dicts()

    assert frame.columns == [*frames.COLUMNS]
    assert files["bytes"].to_list() == [10, 2**40]
    assert files["seconds"].to_list() == [1.5, 2.0]
    assert str(frame["ts"].dtype) == "Datetime(time_unit='us', time_zone='UTC')"
    assert note["bytes"] is None
    assert '"colour":"red"' in note["fields"]
    assert '"bytes":"many"' in note["fields"]


def test_events_become_a_duckdb_relation(finished):
    """The same values as in the frame."""
    relation = frames.to_duckdb(replay.events("run-1", finished))
    frame = frames.to_polars(replay.events("run-1", finished))

    assert relation.columns == frame.columns
    files = relation.filter("type = 'file_done'")
    assert files.aggregate("sum(bytes), sum(seconds)").fetchall() == [(10 + 2**40, 3.5)]
    assert relation.count("*").fetchall() == [(frame.height,)]
    (kept,) = relation.filter("type = 'note'").project("fields->>'$.bytes'").fetchall()
    assert kept == ("many",)
    epochs = relation.project("epoch_us(ts)").fetchall()
    assert [at for (at,) in epochs] == frame["ts"].dt.epoch("us").to_list()
