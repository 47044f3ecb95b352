"""`journal doctor`: what it prints, and how it ends."""

import json

import pytest

from journal.cli import main
from journal.stores import connect


@pytest.fixture
def doctor(capsys):
    """Run the command: exit code, stdout, stderr."""

    def run(*arguments):
        with pytest.raises(SystemExit) as done:
            main(["doctor", *arguments])
        return done.value.code, *capsys.readouterr()

    return run


def test_all_is_well(moto_url, doctor):
    """A sound store ends with 0, and nothing is left in it."""
    code, out, err = doctor("--root", moto_url)

    assert (code, err) == (0, "")
    assert {line.split()[0] for line in out.splitlines()} <= {"ok", "note", "→"}
    assert list(connect(moto_url).list("")) == []


def test_json_holds_the_same(weed_url, doctor):
    """The findings are the same for machines, with the gravest level beside them."""
    code, out, _ = doctor("--root", weed_url, "-o", "json")
    document = json.loads(out)

    assert (code, document["version"], document["root"]) == (0, 1, weed_url)
    assert document["level"] == "note"
    assert {"check", "level", "says", "remedy"} == document["findings"][0].keys()
    assert {one["check"] for one in document["findings"]} == {
        *("address", "connect", "answer", "region", "list", "put", "get", "read_after_write"),
        *("conditions", "delete", "clock", "versioning", "lifecycle", "object_lock", "spool"),
        "monitored",
    }


def test_a_server_that_ignores_conditions(rclone_url, doctor):
    """rclone is refused, with the step that failed, and the code for a refused store."""
    code, out, _ = doctor("--root", rclone_url, "--json")
    (finding,) = [one for one in json.loads(out)["findings"] if one["level"] == "bad"]

    assert code == 12
    assert finding["check"] == "conditions"
    assert "probe step 'create twice' failed" in finding["says"]


def test_a_store_that_does_not_answer(doctor, monkeypatch):
    """It may pass: the code is another than that for a refused store."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    code, out, _ = doctor("--root", "s3://bucket/training-runs")

    assert code == 1
    assert "bad      connect" in out
    assert "→ check the endpoint" in out


def test_a_user_without_a_home(local_root, doctor, monkeypatch):
    """There is no place to spool then: a warning, not a crash."""
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr("journal.recorder.owner.Path.home", _nowhere)
    code, out, _ = doctor("--root", local_root)

    assert code == 0
    assert "this user has no home" in out


def _nowhere():
    raise RuntimeError("no home")


def test_a_root_that_is_none(doctor):
    """A mistake in the command is one line."""
    code, out, err = doctor("--root", "ftp://x/y")

    assert (code, out) == (2, "")
    assert "unknown scheme ftp" in err


def test_a_finding_is_one_line_whatever_it_holds(doctor, tmp_path):
    """What has control characters in it reaches no terminal."""
    code, out, _ = doctor("--root", str(tmp_path / "a\x1b[31m"))

    assert code == 0
    assert "\x1b" not in out


def test_the_newest_runs_are_held_against_the_contract(local_root, start, doctor):
    """Each has a line that says what the old monitor makes of it."""
    start(local_root).finish()
    code, out, _ = doctor("--root", local_root)

    assert code == 0
    assert "run-1: it says SUCCEEDED (_complete is there); the journal says completed" in out
