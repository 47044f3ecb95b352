"""`journal bundle`: one file for a ticket."""

import json
from zipfile import ZipFile

import pytest
from fold.stories import Story

from journal import layout
from journal.errors import Unavailable
from journal.stores import connect

PARTS = ["events.ndjson", "metadata.json", "explain.txt", "verify.json", "status.txt"]


@pytest.fixture
def secretive(told, local_root):
    """The id of a run whose journal, written by some other hand, holds secrets."""
    story = Story().started()
    story.say("error", error="OSError", message="GET https://h/x?X-Amz-Signature=abc123 of acme")
    story.say("note", password="hunter2")
    return told(main=story.finished("failed"))


def test_a_bundle_holds_all_there_is_to_know(run_of_an_hour, call, tmp_path):
    """And its events can be replayed."""
    path = tmp_path / "ticket.zip"
    answer = call("bundle", run_of_an_hour, "--to", str(path))
    assert (answer.code, answer.out) == (0, f"{path}\n")
    with ZipFile(path) as bundle:
        assert bundle.namelist() == PARTS
        bundle.extractall(tmp_path / "out")
        assert json.loads(bundle.read("metadata.json"))["run_id"] == run_of_an_hour
        assert json.loads(bundle.read("verify.json"))["sound"]
        assert b"completed" in bundle.read("status.txt")

    replayed = call("replay", str(tmp_path / "out" / "events.ndjson"), "-o", "json").out
    assert replayed == call("replay", run_of_an_hour, "-o", "json").out


def test_secrets_do_not_reach_the_ticket(secretive, call, tmp_path):
    """Neither those that everybody has, nor what was named."""
    path = tmp_path / "ticket.zip"
    assert call("bundle", secretive, "--to", str(path), "--redact", "/acme/").code == 0
    with ZipFile(path) as bundle:
        everything = b"".join(bundle.read(name) for name in bundle.namelist())

    for secret in (b"abc123", b"hunter2", b"acme"):
        assert secret not in everything


def test_nothing_is_overwritten_and_nothing_is_left(run_of_an_hour, call, tmp_path):
    """A file that exists, a run that does not."""
    path = tmp_path / "ticket.zip"
    path.write_bytes(b"other")

    answer = call("bundle", run_of_an_hour, "--to", str(path))

    assert (answer.code, path.read_bytes()) == (2, b"other")
    assert "--to" in answer.err
    assert call("bundle", "nothing", "--to", str(tmp_path / "none.zip")).code == 10
    assert not (tmp_path / "none.zip").exists()


def test_a_damaged_run_can_be_bundled(run_of_an_hour, local_root, call, tmp_path):
    """With what is left, and the exit code says it."""
    store = connect(local_root)
    key = layout.segment_key(run_of_an_hour, "main", 0)
    found = store.get(key)
    store.put(key, found.body.replace(b'"seq":5', b'"seq":9'), expect=found.version)
    path = tmp_path / "ticket.zip"

    assert call("bundle", run_of_an_hour, "--to", str(path)).code == 13
    with ZipFile(path) as bundle:
        assert not json.loads(bundle.read("verify.json"))["sound"]


def test_a_store_that_goes_away_leaves_no_bundle(run_of_an_hour, call, tmp_path, monkeypatch):
    """Half a bundle would be taken for a whole one."""

    def away(*_arguments):
        raise Unavailable("the store does not answer")

    monkeypatch.setattr("journal.cli.bundle.verify", away)

    assert call("bundle", run_of_an_hour, "--to", str(tmp_path / "ticket.zip")).code == 1
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == []
