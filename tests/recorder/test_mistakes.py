"""A caller's mistake is a ValueError where it is made; what files are given never raises."""

from datetime import datetime

import pytest
from recorder.stored import of_type, records

from journal.recorder.start import start_run


@pytest.mark.parametrize(
    "options",
    [
        {"run_id": "../etc"},
        {"run_id": "a b"},
        {"run_id": "-a"},
        {"run_id": "x" * 129},
        {"run_id": "ü"},
        {"run_id": 5},
        {"stream": "a/b"},
        {"stream": ""},
        {"stream": None},
        {"job": "a b"},
        {"job": 5},
        {"heartbeat_seconds": 0},
        {"heartbeat_seconds": "180"},
        {"heartbeat_seconds": float("nan")},
        {"heartbeat_seconds": 290},
        {"flush_seconds": -1},
        {"sources": -1},
        {"sources": "federal"},
        {"sources": True},
        {"sources": [None]},
        {"sources": [5]},
        {"sources": [{"files": 5}]},
        {"sources": [{"source": None}]},
        {"sources": [{"source": "a", "files": -1}]},
        {"sources": [{"source": "a", "bytes": "10"}]},
        {"params": 5},
        {"root": "ftp://host/x"},
        {"root": ""},
    ],
)
def test_a_run_is_not_started_with(options, local_root):
    """`start_run` raises ValueError for ill-formed names, plans and promises."""
    with pytest.raises(ValueError):
        start_run(**{"run_id": "run-1", "root": local_root, **options})


@pytest.mark.parametrize(
    ("method", "arguments", "fields"),
    [
        ("phase", [""], {}),
        ("phase", [None], {}),
        ("phase", [5], {}),
        ("phase", ["data_prep", 5], {}),
        ("phase", ["data_prep", "x", b"op"], {}),
        ("source", [""], {}),
        ("source", [None], {}),
        ("source", [b"a"], {}),
        ("source", ["a"], {"files": -1}),
        ("source", ["a"], {"files": 1.5}),
        ("source", ["a"], {"bytes": True}),
        ("source", ["a"], {"bytes": "10"}),
        ("source", ["a"], {"done_files": None, "done_bytes": -1}),
        ("plan", [None], {}),
        ("plan", [5], {}),
        ("plan", ["federal"], {}),
        ("plan", [{"source": "a"}], {}),
        ("plan", [[None]], {}),
        ("plan", [[{"files": 5}]], {}),
        ("plan", [[{"source": "a", "bytes": -1}]], {}),
        ("plan", [["a"]], {"sub_phase": 5}),
        ("emit", ["planned"], {"sources": []}),
        ("emit", ["history"], {"sources": []}),
        ("emit", ["Bad Type"], {}),
        ("emit", [None], {}),
        ("emit", ["x" * 65], {}),
        ("emit", ["segment_opened"], {}),
        ("emit", ["finished"], {"status": "completed"}),
        ("emit", ["file_done"], {}),
        ("emit", ["note"], {"seq": 1}),
        ("emit", ["note"], {"ts": "now"}),
        ("emit", ["note"], {"type": "other"}),
        ("waiting", [None], {}),
        ("waiting", [""], {}),
        ("waiting", ["x"], {"until": "tomorrow"}),
        ("waiting", ["x"], {"until": datetime(2030, 1, 1)}),  # noqa: DTZ001 - the mistake
        ("waiting", ["x"], {"until": float("nan")}),
        ("waiting", ["x"], {"until": float("inf")}),
        ("waiting", ["x"], {"until": 1e30}),
        ("waiting", ["x"], {"until": object()}),
        ("phase", ["data_prep"], {"stall_after": "soon"}),
        ("phase", ["data_prep"], {"stall_after": 0}),
        ("phase", ["data_prep"], {"min_rate": "64KiB"}),
        ("extend_deadline", ["x"], {}),
        ("extend_deadline", [-5], {}),
        ("extend_deadline", ["5m"], {"reason": 5}),
        ("emit", ["extended"], {"until": "2030-01-01T00:00:00Z"}),
        ("emit", ["stack"], {}),
        ("finish", ["done"], {}),
        ("finish", [None], {}),
    ],
)
def test_a_call_refuses(method, arguments, fields, local_root, start):
    """The calls of a run raise ValueError for what they cannot mean."""
    run = start(local_root)

    with pytest.raises(ValueError):
        getattr(run, method)(*arguments, **fields)


class Hostile:
    """An object whose every conversion fails, as objects of a job may."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __fspath__ = __int__ = __index__ = __len__ = __bool__ = __str__


ODD = [None, object(), Hostile(), b"x/\xff", "lone \udc80", "\0", 5, 10**40, -1, 1.5, float("nan")]
ODD += [float("inf"), [], {}, {"a": Hostile()}, {Hostile(): 1}, (), True, "x" * 100_000, Exception]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_files_take_whatever_they_are_given(odd, local_root, start):
    """`file`, `file_done`, `file_skipped` and `advance` never raise, and lose no event."""
    run = start(local_root)
    source = run.source("a")
    source.file_done("before", bytes=1)
    source.file_done(odd, bytes=odd, seconds=odd)
    source.file_skipped(odd, odd)
    with source.file(odd, size=odd) as file:
        file.advance(odd)
        file.advance(1)
    list(source.track([odd]))
    source.file_done("after", bytes=1)

    assert run.flush(60)
    kinds = [line["type"] for line in records(local_root)][2:]
    assert kinds == ["file_done", "file_done", "file_skipped", *["file_done"] * 3]


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def test_an_error_without_words_goes_on_as_it_is(local_root, start):
    """An exception whose text cannot be had is written down all the same, and goes on."""
    with pytest.raises(Unspeakable), start(local_root) as run, run.source("a").file("x"):
        raise Unspeakable

    errors = [line for line in records(local_root) if line["type"] == "error"]
    assert [line["error"] for line in errors] == ["Unspeakable"]
    assert of_type(local_root, "finished")["status"] == "failed"


def test_what_the_job_changes_meanwhile_costs_at_most_that_field(local_root, start):
    """An object that cannot be read costs its field, not the event."""
    run = start(local_root)
    run.emit("note", step=3, bad={Hostile(): 1}, tags={"a", "b"})

    assert run.flush(60)
    assert of_type(local_root, "note")["step"] == 3
