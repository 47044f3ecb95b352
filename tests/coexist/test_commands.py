"""`journal compact --log`, `--companions` and `journal status --as-legacy`."""

import json
from pathlib import Path

import pytest
from cli.conftest import cli
from fakes import overwrite
from recorder.stored import body, document

from journal.cli.latest_log import text_of, write_latest_log
from journal.stores import connect
from journal.stores.local import LocalStore
from readers import legacy
from readers.event import Event

__all__ = ["cli"]

LOG = "run-1/logs/training_log_latest.txt"


@pytest.fixture
def ended(local_root, start):
    """The id of a run that failed."""
    run = start(local_root, sources=1)
    run.phase("data_prep", "downloading_policy")
    with run.source("federal", files=2) as source:
        source.file_done("a.pdf", bytes=1000, seconds=0.5)
    run.finish("failed", "no space left on device")
    return run.run_id


def event(**fields):
    record = {"seq": 0, "ts": "2025-08-05T19:35:00.123456Z", "type": "note", **fields}
    return Event("run-1", "main", record, b"")


# The log


def test_the_log_is_the_last_events_the_newest_last(ended, local_root, cli):
    """As many as are asked for; its last line tells by itself when it was and what."""
    answer = cli("compact", ended, "--log", "2")

    head, before, last = body(local_root, LOG).decode().splitlines()
    assert answer.code == 0
    assert head == "journal: the last events of run run-1"
    assert "source_done" in before
    assert " ".join(last[20:].split()) == "finished failed: no space left on device"
    assert last[:20].endswith("Z")


def test_an_alert_quotes_the_last_line(ended, local_root, cli):
    """The reason of the failure, in UTC."""
    cli("compact", ended, "--log")
    objects = legacy.look(connect(local_root), ended)

    sent = legacy.alert(objects, 1e10, legacy.opinion(objects, 1e10))

    assert sent.last_line.endswith("failed: no space left on device")


def test_a_log_of_another_program_is_left_alone(ended, local_root, cli):
    """The training phase writes one under the same name."""
    overwrite(connect(local_root), LOG, b"step 1\nstep 2\n")

    answer = cli("compact", ended, "--log")

    assert body(local_root, LOG) == b"step 1\nstep 2\n"
    assert "another program wrote logs/training_log_latest.txt" in answer.err


def test_the_log_is_written_anew_and_not_twice(ended, local_root):
    """The same again is no put."""
    store = LocalStore(Path(local_root))

    assert write_latest_log(store, ended, 1)
    assert write_latest_log(store, ended, 2)
    assert not write_latest_log(store, ended, 2)


def test_what_a_hostile_hand_wrote_is_shown_in_plain_text():
    """Controls are named, secrets hidden, and an event is one line."""
    text = text_of(
        "run-1", [event(text="\x1b[2J\n\u202e", url="?X-Amz-Signature=abcdef0123456789")]
    )

    assert text.count(b"\n") == 2
    assert b"\x1b" not in text
    assert b"abcdef0123456789" not in text


def test_the_log_is_bounded_and_its_newest_lines_stay():
    """Of lines, too, there is no end without a bound."""
    text = text_of("run-1", [event(number=n, text="é" * 3000) for n in range(200)])

    assert len(text) <= 64 * 1024
    assert text.splitlines()[0] == b"journal: the last events of run run-1"
    assert b"number=199 " in text.splitlines()[-1]
    assert len(text.splitlines()[-1].decode()) == 1000


# Companions


def test_compact_writes_the_companions(ended, local_root, tmp_path, cli):
    """For runs whose process has gone; the environment may ask for them."""
    copies = str(tmp_path / "copies")

    answer = cli("compact", "--all", JOURNAL_COMPANIONS=f"progress copy={copies}")

    assert answer.code == 0
    assert body(copies, "run-1/metadata.json") == body(local_root, "run-1/metadata.json")
    assert json.loads(body(local_root, "run-1/progress.json"))["total_steps"] == 2


def test_compact_says_which_companion_failed(ended, local_root, tmp_path, cli):
    """The snapshot is done all the same."""
    (tmp_path / "file").write_text("no directory")

    answer = cli("compact", ended, "--companions", f"copy={tmp_path / 'file'}")

    assert answer.code == 12
    assert answer.lines[0].startswith("run-1: ")
    assert answer.err.startswith("journal: copy under ")


def test_compact_does_not_copy_what_another_program_wrote(ended, local_root, tmp_path, cli):
    """A newer document behind the end of a run is not the journal's to spread."""
    foreign = b'{"phase": "training", "last_update": "2035-01-01T00:00:00Z"}'
    overwrite(connect(local_root), "run-1/metadata.json", foreign)

    cli("compact", ended, "--companions", f"progress copy={tmp_path / 'copies'}")

    assert document(str(tmp_path / "copies")) == {}
    assert body(local_root, "run-1/progress.json") is None


def test_companions_that_are_none_are_a_usage_error(ended, cli):
    """Before anything is done."""
    assert cli("compact", ended, "--companions", "copies").code == 2


# What the old monitor says


def test_the_old_monitor_s_word_for_people(ended, cli):
    """State, why, the alert, and what the viewer prints."""
    answer = cli("status", ended, "--as-legacy")

    assert answer.code == 0
    assert answer.lines[0] == "run-1  FAILED  by the old monitor's rules"
    assert answer.lines[1] == "  _error is there"
    assert "Error: failed: no space left on device" in answer.out
    assert "status failed, phase error" in answer.out


def test_the_old_monitor_s_word_for_machines(local_root, start, cli):
    """What a script would ask for, and a shorter time than ten minutes."""
    start(local_root).hand_over()

    shown = json.loads(
        cli("status", "run-1", "--as-legacy", "--stale-minutes", "0.00001", "--json").out
    )

    assert (shown["run_id"], shown["state"]) == ("run-1", "TIMED_OUT")
    assert shown["alert"]["detail"] == "Both heartbeats stale"
    assert shown["viewer"]["shown"]["status"] == "running"
    assert shown["viewer"]["stumbles"] == []


def test_a_beginning_of_an_id_is_enough(ended, cli):
    """As for every command."""
    assert json.loads(cli("status", "run", "--as-legacy", "--json").out)["run_id"] == "run-1"


def test_a_run_that_is_not_there(ended, cli):
    """The monitor would say TIMED_OUT; whoever asks has mistyped it."""
    assert cli("status", "nope", "--as-legacy").code == 10


@pytest.mark.parametrize(
    "arguments", [("--stale-minutes", "5"), ("--as-legacy", "--stale-minutes", "nan")]
)
def test_minutes_that_are_none(ended, cli, arguments):
    """Usage errors."""
    assert cli("status", ended, *arguments).code == 2


def test_a_hostile_document_is_shown(ended, local_root, cli):
    """Whatever lies there, in JSON that can be read."""
    hostile = (
        b'{"status": "\\ud800\\u001b[2J", "phase": [[1]], "details": NaN, "last_update": 1e999}'
    )
    overwrite(connect(local_root), "run-1/metadata.json", hostile)

    assert "\x1b" not in cli("status", ended, "--as-legacy").out
    assert json.loads(cli("status", ended, "--as-legacy", "--json").out)["state"] == "FAILED"
