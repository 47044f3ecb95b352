"""`journal export`, and `journal replay` of what it wrote, without the store it came from."""

import csv
import gzip
import json
import shutil

import polars as pl
import pytest
from fold.stories import Story

from journal.errors import Unavailable
from readers.frames import COLUMNS


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_what_was_exported_is_replayed_without_its_store(
    suffix, run_of_an_hour, local_root, call, tmp_path
):
    """Line by line the same, in every form, whatever the compression."""
    path = str(tmp_path / f"run.ndjson{suffix}")
    forms = [("-o", "json"), ("-o", "human"), ("-o", "json", "-t", "heartbeat,segment_opened")]
    before = [call("replay", run_of_an_hour, *form).out for form in forms]
    assert call("export", run_of_an_hour, "--to", path).code == 0
    shutil.rmtree(local_root)

    assert [call("replay", path, *form).out for form in forms] == before


def test_an_export_leaves_nothing_out(run_of_an_hour, call):
    """Heartbeats and control lines are in it, unless types were named."""
    kinds = [json.loads(line)["type"] for line in call("export", run_of_an_hour).lines]
    chosen = call("export", run_of_an_hour, "-t", "file_done").lines

    assert kinds[0] == "segment_opened"
    assert "heartbeat" in kinds
    assert len(chosen) == 3


def test_a_folder_is_replayed_in_the_order_of_times(run_of_an_hour, call, tmp_path):
    """Wherever its files were cut."""
    lines = call("export", run_of_an_hour).out.splitlines(keepends=True)
    (tmp_path / "b.ndjson").write_text("".join(lines[:4]))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress("".join(lines[4:]).encode()))
    (tmp_path / "other.txt").write_text("not ours")

    assert (
        call("replay", str(tmp_path), "-o", "json").out
        == call("replay", run_of_an_hour, "-o", "json").out
    )


def test_damaged_lines_are_told_of(run_of_an_hour, call, tmp_path):
    """The others are shown, and the exit code says it."""
    lines = call("export", run_of_an_hour).out.splitlines(keepends=True)
    path = tmp_path / "run.ndjson"
    path.write_text("".join([*lines[:3], "{cut\n", "[1]\n", *lines[3:]]))

    answer = call("replay", str(path), "-o", "json")

    assert answer.code == 13
    assert len(answer.lines) == len(call("replay", run_of_an_hour, "-o", "json").lines)
    assert "line 4 is no event" in answer.err
    assert "line 5 is no event" in answer.err


def test_a_cut_file_is_damaged(run_of_an_hour, call, tmp_path):
    """After all that could be read of it; a missing and an empty one are said to be so."""
    body = gzip.compress(call("export", run_of_an_hour).out.encode())
    cut, empty = tmp_path / "cut.ndjson.gz", tmp_path / "empty.ndjson"
    cut.write_bytes(body[:-20])
    empty.write_bytes(b"")

    assert call("replay", str(cut)).code == 13
    assert call("replay", str(empty)).code == 10
    assert call("replay", str(tmp_path / "none.ndjson")).code == 10


def test_csv_and_parquet_have_the_same_columns(run_of_an_hour, call, tmp_path):
    """And the same values."""
    path = str(tmp_path / "run.parquet")
    rows = list(csv.DictReader(call("export", run_of_an_hour, "-o", "csv").lines))
    assert call("export", run_of_an_hour, "-o", "parquet", "--to", path).code == 0
    frame = pl.read_parquet(path)

    assert list(rows[0]) == frame.columns == [*COLUMNS]
    assert [row["type"] for row in rows] == frame["type"].to_list()
    assert [int(row["bytes"]) for row in rows if row["bytes"]] == [
        value for value in frame["bytes"].to_list() if value is not None
    ]


@pytest.mark.parametrize("name", ["run.csv", "run.csv.gz", "run.parquet", "run.ndjson", "run"])
def test_a_name_tells_the_form(run_of_an_hour, call, tmp_path, name):
    """Compressed or not; `-o` overrules it."""
    target = tmp_path / name
    magic = {"run.csv": b"run_id,", "run.csv.gz": b"\x1f\x8b", "run.parquet": b"PAR1"}

    assert call("export", run_of_an_hour, "--to", str(target)).code == 0
    assert target.read_bytes().startswith(magic.get(name, b'{"seq":'))
    assert call("export", run_of_an_hour, "-o", "ndjson", "--to", str(target)).code == 0
    packed = gzip.decompress if name.endswith(".gz") else bytes
    assert packed(target.read_bytes()).startswith(b'{"seq":')


def test_a_file_of_another_form_is_told_from_a_run(run_of_an_hour, call, tmp_path):
    """It is there; that it cannot be shown is what has to be said."""
    target = tmp_path / "run.csv"
    assert call("export", run_of_an_hour, "--to", str(target)).code == 0

    shown = call("replay", str(target))

    assert shown.code == 2
    assert "run.csv does not end in .ndjson or .jsonl" in shown.err


def test_what_cannot_be_exported_is_refused(run_of_an_hour, call, tmp_path):
    """Nothing is left behind."""
    target = tmp_path / "none.ndjson"

    assert call("export", "nothing", "--to", str(target)).code == 10
    assert not target.exists()
    assert call("export", run_of_an_hour, "-o", "parquet").code == 2
    assert call("export", run_of_an_hour, "-o", "parquet", "--to", "s3://b/run.parquet").code == 2
    assert call("export", run_of_an_hour, "--to", f"{tmp_path}/no/run.ndjson").code == 2


def test_a_replay_of_a_span(run_of_an_hour, call, at):
    """`-S` and `-U` as for `tail`."""
    whole = call("replay", run_of_an_hour, "-o", "json").lines
    early = call("replay", run_of_an_hour, "-o", "json", "-U", at(1800)).lines
    late = call("replay", run_of_an_hour, "-o", "json", "-S", at(1800)).lines

    assert early + late == whole
    assert early
    assert late


def test_a_replay_at_a_time_is_the_status_then(run_of_an_hour, call, at, tmp_path):
    """Of a run, and of its export."""
    path = str(tmp_path / "run.ndjson")
    call("export", run_of_an_hour, "--to", path)
    then = call("status", run_of_an_hour, "--at", at(600), "-o", "json").out

    assert call("replay", run_of_an_hour, "--at", at(600), "-o", "json").out == then
    assert call("replay", path, "--at", at(600), "-o", "json").out == then
    assert json.loads(then)["state"] == "running"
    assert call("replay", path, "--at", at(600), "-t", "error").code == 2
    assert call("replay", path, "--at", at(600)).lines[0].startswith("run-1  running")


def test_a_replay_in_time_waits_as_long_as_it_took(run_of_an_hour, call, monkeypatch):
    """Divided by the speed, and never longer than the most."""
    waits = []
    monkeypatch.setattr("journal.cli.replay.sleep", waits.append)
    answer = call("replay", run_of_an_hour, "--speed", "60", "--max-wait", "20", "-o", "json")

    assert answer.out == call("replay", run_of_an_hour, "-o", "json").out
    assert max(waits) == 20.0
    assert sum(waits) == pytest.approx(62 - (33 - 20), abs=1.5)
    assert call("replay", run_of_an_hour, "--verify", "--speed", "2").code == 2


def test_a_folder_of_two_runs_is_shown_but_not_judged(run_of_an_hour, told, call, tmp_path):
    """A state folded from both would be neither's."""
    told("run-2", main=Story().started().finished())
    for run_id in (run_of_an_hour, "run-2"):
        call("export", run_id, "--to", str(tmp_path / f"{run_id}.ndjson"))
    whole = sum(len(call("replay", one, "-o", "json").lines) for one in (run_of_an_hour, "run-2"))

    assert len(call("replay", str(tmp_path), "-o", "json").lines) == whole
    for judged in (("--explain",), ("--at", "1h")):
        answer = call("replay", str(tmp_path), *judged)
        assert answer.code == 2
        assert "run-1 and of run-2" in answer.err or "run-2 and of run-1" in answer.err


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_an_export_that_fails_leaves_what_was_there(
    form, run_of_an_hour, call, tmp_path, monkeypatch
):
    """Half a history would be taken for a whole one."""
    path = tmp_path / f"run.{form}"
    path.write_bytes(b"before")

    def away(*_arguments):
        yield []
        raise Unavailable("the store does not answer")

    monkeypatch.setattr("readers.tail.Tail.batches", away)

    assert call("export", run_of_an_hour, "-o", form, "--to", str(path)).code == 1
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir() if one.is_file()] == [
        (path.name, b"before")
    ]
