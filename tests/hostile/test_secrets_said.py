"""Secrets that a job says, by whatever call and in whatever structure, are never stored."""

import re

import pytest
from recorder.stored import everything, of_type, records

from journal import events
from journal.recorder.start import start_run

SECRET = "s3cr3tVALUE99"
PLACE = {"seq": 7, "ts": "2025-08-05T19:35:00.000000Z", "type": "note"}


def stored(**fields):
    record = events.decode(events.encode({**PLACE, **fields}))
    return {name: record[name] for name in record if name not in PLACE}


@pytest.mark.parametrize(
    "structure",
    [
        {"password": SECRET},
        {"a": [{"b": {"db_password": SECRET}}]},
        {"api_key": SECRET.encode()},
        {"Authorization": f"Bearer {SECRET}"},
        {"aws": {"aws_secret_access_key": SECRET, "aws_session_token": SECRET}},
        {"credentials": {"user": "me", "word": SECRET}},
        {"secret": [SECRET, {"x": SECRET}]},
        {"headers": [["Authorization", SECRET], ("X-Api-Key", SECRET)]},
        {"argv": ["prep", "--password", SECRET, "--token", SECRET]},
        {"token": SECRET},
        {"auth": ["me", SECRET]},
        {"note": f'{{"password": "{SECRET}"}}'},
        {b"password": SECRET},
    ],
    ids=str,
)
def test_a_structure_s_secret_is_hidden(structure):
    """At any depth, by the name in front of it; as the fields of an event and inside of one."""
    assert SECRET not in str(stored(params=structure))
    assert SECRET not in str(events.encode(PLACE | structure))


@pytest.mark.parametrize(
    "structure",
    [
        {"tokens": 1024, "token_count": 7, "max_token": 5, "token": 5},
        {"key": "corpus/federal/a.pdf", "sort_key": "x"},
        {"password": None, "has_secret": True, "token": False},
        {"pad_token": "<pad>", "tokenizer": "gpt2"},
        {"argv": ["prep", "--tokens", "5"]},
        {"signature": "f(x)", "author": "Jane", "partition": "date=2026-01-01"},
    ],
    ids=str,
)
def test_what_only_looks_alike_stays_in_a_structure(structure):
    """Numbers, nothing and truths are no secrets; nor are other words with one in them."""
    assert stored(params=structure) == {"params": structure}


def test_a_secret_that_is_cut_through_is_not_kept_in_part():
    """A text is cut where half a secret no longer looks like one: the rest of it goes, too."""
    text = "x" * (events.MAX_CHARS - 20) + f" https://user:{SECRET}@host"
    record = stored(message=text)

    assert set(record["message"]) == {"x"}
    assert record["truncated"] is True


def test_what_is_shorter_for_being_redacted_is_marked_as_cut():
    """A text may have been cut though its line is short."""
    record = stored(message="-----BEGIN PRIVATE KEY-----" + "x" * 200_000)

    assert record == {"message": "", "truncated": True}


def test_the_job_s_own_secrets_are_hidden(root, monkeypatch):
    """Those of `redact` and of JOURNAL_REDACT, from `started` to `finished`."""
    monkeypatch.setenv("JOURNAL_REDACT", r"/EXTRA\d+/")
    run = start_run(
        "run-1",
        root=root,
        job="prep",
        params={"customer_id": SECRET, "text": "EXTRA17"},
        sources=[f"customer_id={SECRET}"],
        redact=["customer_id", re.compile("CORP-[0-9a-f]+")],
    )
    run.phase("customer-id=" + SECRET)
    with run.source("CORP-abc123") as source:
        source.file_done(f"x/customer_id={SECRET}/CORP-abc123", bytes=1)
        source.file_done(f"customer_id: {SECRET}", bytes=1)
    run.emit("note", customer_id=SECRET, more={"Customer-Id": SECRET})
    run.error(ValueError(f"no customer_id={SECRET}, CORP-abc123, EXTRA17"))
    run.finish("failed", f"customer_id={SECRET}")

    told = everything(root)
    assert SECRET.encode() not in told
    assert b"CORP-abc123" not in told
    assert b"EXTRA17" not in told
    paths = [line["path"] for line in records(root) if line["type"] == "file_done"]
    assert paths == ["x/customer_id=***", "customer_id: ***"]


def test_the_journal_s_own_fields_are_not_hidden_by_their_names(local_root, start):
    """A job that calls a secret `path` still has a journal that can be read."""
    run = start(local_root, redact=["path", "status", "seq", "source"], params={"path": SECRET})
    run.source("a").file_done("b", bytes=1)
    run.finish()

    assert of_type(local_root, "started")["params"] == {"path": "***"}
    assert of_type(local_root, "finished")["status"] == "completed"
    assert of_type(local_root, "file_done")["path"] == "b"


def test_a_mistake_in_redact_is_a_value_error(local_root):
    """It is told before anything is written."""
    with pytest.raises(ValueError, match="redact"):
        start_run("run-1", root=local_root, redact=["/(/"])

    assert everything(local_root) == b""


def test_a_long_traceback_is_cut_at_a_line(local_root, start):
    """Its end is kept, without the rest of a line that may have begun with a secret's name."""
    with pytest.raises(ValueError), start(local_root):
        raise ValueError("first\npassword=" + SECRET * 100 + "\n" + "last\n" * 1700)

    traceback = of_type(local_root, "error")["traceback"]
    assert SECRET not in traceback
    assert 7_000 < len(traceback) <= 8_000
    assert set(traceback.split("\n")) == {"last", ""}


class Odd(SyntaxError):
    """An exception whose attributes are not of the kind that a traceback needs."""

    text = 5
    lineno = 1


def test_an_exception_without_a_traceback_goes_on_as_it_is(local_root, start):
    """What a foreign exception has wrong is written down and does not take its place."""
    with pytest.raises(Odd), start(local_root):
        raise Odd("x")

    assert of_type(local_root, "error")["error"] == "Odd"
