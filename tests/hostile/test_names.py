"""Names from anywhere: the job goes on, its records stay lines, its document stays small."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time

import pytest
from recorder.legacy_monitor import verdict
from recorder.stored import body, document, lines, records

from journal import events
from journal.fold import fold
from journal.limits import LINE_BYTES, MIB, SOURCES_KEPT
from journal.segments import START
from journal.snapshot import Folded, encode, render
from journal.state import StreamState

NAMES = {
    "controls": "".join(map(chr, range(32))) + "\x7f",
    "escapes": "\x1b[2J\x1b]0;owned\x07\x9b31m\x90q\x9c",
    "bidi": "a\u202egpj.exe\u2066\u200f\u061c",
    "lines": "one\ntwo\r\nthree\u2028four\u2029five\x85six",
    "NUL": "a\0b",
    "surrogates": "\ud800\udfff\udc80",
    "tags": "".join(chr(0xE0000 + code) for code in b"hidden"),
    "look-alikes": "сorpus_fеderal",  # noqa: RUF001 - that is the point
    "above": "../../etc/passwd",
    "dots": "..",
    "absolute": "/etc/passwd",
    "URL": "file:///etc/passwd",
    "JSON": '"},{"seq":0,"type":"finished"}\n{"seq":',
    "record": '{"seq":0,"ts":"x","type":"finished","status":"failed"}',
    "blank": " ",
    "long": "x" * MIB,
    "long and wide": "𝄞\0" * 100_000,
    "combining": "e" + "\u0301" * 50_000,
}
# What acts on a terminal, the newline between lines aside.
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]")


def say_all(run, name):
    """Say the name by every call that takes one, as text, as bytes and as an object's own word."""
    run.phase(name, name, name)
    with run.source(name, files=3) as source:
        source.file_done(name, bytes=1)
        source.file_done(name.encode("utf-8", "surrogatepass"), bytes=1)
        source.file_done(Path(name.replace("\0", "")), bytes=1)
        source.file_skipped(name, name)
        with source.file(name, size=3) as file:
            file.advance(1)
    run.waiting(name)
    run.error(name, source=name, path=name)
    run.error(
        type(name.replace("\0", "") or "x", (Exception,), {})(name)
    ) if name.isascii() else None
    run.emit("note", **{name: name}, nested={name: [name]}, many=[name] * 10)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_of_any_kind_goes_through(name, local_root, start):
    """No call raises; each makes one record, short enough, marked if it was cut."""
    run = start(local_root, params={name: name, "deep": {name: [name]}}, sources=[name, "b"])
    say_all(run, name)
    assert run.flush(60)
    run.finish("failed", name)

    kinds = [record["type"] for record in records(local_root)]
    assert kinds[0] == "started"
    assert kinds[-1] == "finished"
    assert kinds.count("file_done") == 4
    assert kinds.count("note") == 1
    for key in (f"run-1/journal/stream=main/{number:010d}.jsonl" for number in range(3)):
        for line in (body(local_root, key) or b"").splitlines(keepends=True):
            assert len(line) <= LINE_BYTES
            assert events.encode(events.decode(line)) == line
    assert [line["seq"] for line in records(local_root)] == list(range(len(kinds)))
    if len(name) > LINE_BYTES:
        assert all(
            line.get("truncated") for line in records(local_root) if line["type"] == "file_skipped"
        )


def say_everything(start, root):
    run = start(root, params=NAMES, sources=list(NAMES.values()))
    for name in NAMES.values():
        say_all(run, name)
    assert run.flush(60)
    return run


def test_what_is_made_of_all_names_is_small_and_readable(root, start):
    """The document stays small, and the old monitor reads it; so does the marker."""
    run = say_everything(start, root)
    running = body(root, "run-1/metadata.json")
    run.finish("failed", "".join(NAMES.values()))

    assert len(body(root, "run-1/metadata.json")) < 256 * 1024
    assert document(root)["status"] == "failed"
    objects = {"run-1/metadata.json": (running, datetime.now(UTC))}
    assert verdict(objects, "run-1", datetime.now(UTC)) == ("RUNNING", "")
    marker = body(root, "run-1/_error")
    assert len(marker) < 64 * 1024
    assert marker.decode().splitlines()[1].startswith("attempt: 1")


def test_none_of_all_names_acts_on_a_terminal(local_root, start, cli):
    """By no command and in no form that is for people or programs."""
    say_everything(start, local_root).finish("failed", "".join(NAMES.values()))

    for command in ("tail -n all run-1", "status run-1", "replay run-1", "ls"):
        for form in ("human", "json"):
            answer = cli(*command.split(), "-o", form)
            assert answer.code == 0, answer.err
            assert not ACTING.search(answer.out + answer.err)


@pytest.mark.parametrize("call", ["phase", "source", "waiting"])
def test_an_empty_name_is_a_value_error_where_it_is_said_to_be(call, local_root, start):
    """And nowhere else."""
    run = start(local_root)
    with pytest.raises(ValueError, match="must not be empty"):
        getattr(run, call)("")
    source = run.source("a")
    source.file_done("", bytes=1)
    source.file_skipped("", "")
    with source.file(""):
        pass
    run.error("", source="", path="")
    run.finish("failed", "")

    assert len(lines(local_root)) == 9  # with both control lines


class Moving(dict):
    """A mapping that cannot be read."""

    def keys(self):
        raise RuntimeError("it moved")

    items = __iter__ = keys


def test_params_that_cannot_be_read_cost_only_themselves(local_root, start):
    """A job's mapping may run code of its own."""
    start(local_root, params=Moving(a=1)).finish()
    start(local_root, "run-2", params={"a": Moving(b=1), "c": 2}).finish()

    assert records(local_root)[0]["type"] == "started"
    assert records(local_root, run_id="run-2")[0]["params"]["c"] == 2


def flood(count):
    """Records of so many sources, one file each."""
    place = {"ts": "2025-08-05T19:27:00.000000Z"}
    for number in range(count):
        name = f"source {number} \u202e"
        yield {"seq": 3 * number, **place, "type": "source_started", "source": name, "files": 1}
        yield {
            "seq": 3 * number + 1,
            **place,
            "type": "file_done",
            "source": name,
            "path": "a",
            "bytes": 1,
        }
        if number % 2:
            yield {"seq": 3 * number + 2, **place, "type": "source_done", "source": name}


def folded(count):
    """Return CPU seconds and document of so many sources."""
    before = process_time()
    state = fold(StreamState(), flood(count))
    return process_time() - before, render("run-1", {"main": Folded(START, state)}, {})


def test_any_number_of_sources_is_folded_in_proportion_and_kept_small():
    """Ten times as many take ten times as long, and the document names the same number."""
    few, _ = folded(1_000)
    before = getrusage(RUSAGE_SELF).ru_maxrss
    many, made = folded(10_000)

    assert many < 30 * few + 1
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert len(made["sources"]) == SOURCES_KEPT
    assert len(encode(made)) < MIB
    assert made["progress"]["files_done"] == 10_000
    assert made["progress"]["sources_seen"] == 10_000


@pytest.mark.long
def test_a_hundred_thousand_sources_of_one_run(local_root, start):
    """The job's side, the store and the document bear them."""
    run = start(local_root)
    for thousand in range(100):
        for number in range(1_000):
            source = run.source(f"source {thousand} {number}", files=1)
            source.file_done("a", bytes=1)
            source.done()
        assert run.flush(60)
    run.finish()

    told = json.loads(body(local_root, "run-1/metadata.json"))
    assert told["progress"]["files_done"] == 100_000
    assert len(body(local_root, "run-1/metadata.json")) < MIB
