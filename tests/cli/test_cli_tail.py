"""`journal tail` without -f: which events, in which form, at what cost."""

import json
import subprocess
from itertools import pairwise

import fakes
import pytest
from recorder import stored
from recorder.processes import journal, wait_until

from journal.cli import main
from journal.stores import connect
from journal.stores.memory import MemoryStore


def types(answer):
    return [json.loads(line)["type"] for line in answer.lines]


STORY = "started phase source_started file_done file_done file_skipped source_done error finished"


def test_a_tail_shows_the_events_as_lines_for_people(finished, cli):
    """Each event is one line: time with offset, type, and what it says."""
    answer = cli("tail", finished, TZ="UTC")

    assert (answer.code, answer.err) == (0, "")
    assert [line.split()[2] for line in answer.lines] == STORY.split()
    assert answer.lines[3].endswith("file_done       federal: a.pdf (1.00 KB in 0.5 s)")
    assert "+00:00" in answer.lines[0]


def test_a_tail_for_machines_has_an_object_in_each_line(finished, cli):
    """With -o json a line is the record as stored, and run_id and stream."""
    first = json.loads(cli("tail", finished, "-o", "json").lines[3])

    assert list(first)[:3] == ["seq", "ts", "type"]
    assert (first["path"], first["bytes"]) == ("a.pdf", 1000)
    assert (first["run_id"], first["stream"]) == ("run-1", "main")


def test_json_is_short_for_o_json(finished, cli):
    """--json is -o json."""
    assert cli("tail", finished, "--json").out == cli("tail", finished, "-o", "json").out


@pytest.mark.parametrize(
    ("count", "shown"),
    [("0", ""), ("1", "finished"), ("3", "source_done error finished"), ("9", STORY)],
)
def test_the_last_events_are_shown(count, shown, finished, cli):
    """-n N shows the last N events."""
    assert types(cli("tail", finished, "-n", count, "-o", "json")) == shown.split()


def test_all_events_are_shown(many_segments, cli):
    """-n all shows the whole history, over all segments."""
    shown = types(cli("tail", many_segments, "-n", "all", "-o", "json"))

    assert shown == ["started", *["note"] * 4, "finished"]


def test_the_last_events_are_found_over_segments(many_segments, cli):
    """-n N goes back over as many segments as it takes."""
    shown = types(cli("tail", many_segments, "-n", "5", "-o", "json"))

    assert shown == [*["note"] * 4, "finished"]


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("file_done", "file_done file_done"),
        ("file_done,error", "file_done file_done error"),
        ("segment_opened,segment_sealed", "segment_opened segment_sealed"),
        ("!file_done,file_skipped,source_done", "started phase source_started error finished"),
        ("!file_done,!file_skipped,!source_done", "started phase source_started error finished"),
        ("nothing_like_it", ""),
    ],
)
@pytest.mark.parametrize("count", ["all", "20"])
def test_types_are_chosen(wanted, count, shown, finished, cli):
    """-t shows these types only, or with ! all others; control lines when they are asked for."""
    answer = cli("tail", finished, "-n", count, "-t", wanted, "-o", "json")

    assert types(answer) == shown.split()


def test_heartbeats_are_shown_when_asked_for(local_root, start, cli):
    """Heartbeats are hidden unless asked for by -t."""
    start(local_root, heartbeat_seconds=0.05)
    wait_until(lambda: "heartbeat" in stored.types(local_root))

    assert types(cli("tail", "run-1", "-n", "all", "--json")) == ["started"]
    assert set(types(cli("tail", "run-1", "-t", "heartbeat", "--json"))) == {"heartbeat"}


def test_the_end_of_a_long_run_costs_three_requests(start, monkeypatch, capsysbinary):
    """`tail -n 20` reads from the end: snapshot, streams, and the end of the last segment."""
    store = fakes.FaultyStore(MemoryStore())
    monkeypatch.setattr("journal.recorder.start.connect", lambda _: store)
    monkeypatch.setattr("journal.cli.meant.connect", lambda _: store)
    run = start("anywhere")
    [run.emit("note", number=number) for number in range(5000)]
    run.finish()
    store.requests.clear()
    with pytest.raises(SystemExit, match="0"):
        main(["tail", "run-1", "-n", "20", "-o", "json"])

    assert len(store.requests) <= 3
    assert len(capsysbinary.readouterr().out.splitlines()) == 20


def test_the_end_of_a_long_run_on_s3_costs_three_requests(
    moto_url, start, monkeypatch, capsysbinary
):
    """The same on S3, for a run that goes on."""
    run = start(moto_url)
    [run.emit("note", number=number) for number in range(5000)]
    run.flush(60)
    store = fakes.FaultyStore(connect(moto_url))
    monkeypatch.setattr("journal.cli.meant.connect", lambda _: store)
    with pytest.raises(SystemExit, match="0"):
        main(["tail", "run-1", "-n", "20", "-o", "json"])

    assert len(store.requests) <= 3
    assert len(capsysbinary.readouterr().out.splitlines()) == 20


def test_streams_are_merged_by_time(local_root, start, monkeypatch, cli):
    """The events of several streams come in the order of their times, with the stream's name."""
    main_run = start(local_root)
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")
    helper = start(local_root, None, job="extract")
    [run.emit("note", number=n) or run.flush(60) for n in range(5) for run in (main_run, helper)]
    [run.finish() for run in (helper, main_run)]
    lines = [json.loads(line) for line in cli("tail", "run-1", "-n", "all", "--json").lines]

    assert {line["stream"] for line in lines} == {"main", "extract"}
    assert all(one["ts"] <= other["ts"] for one, other in pairwise(lines))
    assert "[extract] note" in cli("tail", "run-1").out


def test_plans_and_history_are_told_in_a_line(local_root, start, cli):
    """Of what is to come and of what was, people see how many sources it is of."""
    with start(local_root) as run:
        run.plan(["a"])
        run.plan(["a", "b"], sub_phase="processing")
        run._intake.say("history", {"run_id": "run-0", "sources": [{"source": "a"}]})
        run._intake.say("history", {"run_id": "run-0", "sources": 5})
    lines = cli("tail", "run-1", "-t", "planned,history").lines

    told = [" ".join(line.split()[2:]) for line in lines]
    assert told == [
        "planned 1 source",
        "planned processing: 2 sources",
        "history run-0: 1 source",
        "history run-0: 0 sources",
    ]


def test_a_reader_that_goes_away_ends_it_silently(local_root, start):
    """`journal tail | head -1`: exit code 141, and not a word."""
    run = start(local_root)
    [run.emit("note", number=number) for number in range(20_000)]
    run.finish()
    command = journal("tail", "run-1", "-n", "all", "--root", local_root)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        tail.stdout.readline()
        tail.stdout.close()
        said = tail.stderr.read()

    assert (tail.wait(60), said) == (141, b"")


def test_a_snapshot_is_printed_as_it_lies_there(local_root, finished, cli):
    """`journal snapshot` prints metadata.json byte for byte."""
    answer = cli("snapshot", finished)

    assert answer.out.encode() == stored.body(local_root, "run-1/metadata.json")
