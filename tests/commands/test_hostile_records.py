"""Records of a foreign hand, which JSON's readers take and its writers do not: nested too deep."""

import json

import pytest
from fold.stories import Story

from journal import layout
from journal.events import encode
from journal.stores import ABSENT, connect

DEEP = b"[" * 900 + b"]" * 900


@pytest.fixture
def deep_run(local_root):
    """Write a run of which something was replaced by what is nested too deep."""

    def deep_run(what, deep=DEEP):
        main = Story().started().source("federal", files=1)
        main.say("file_done", source="federal", path="a.pdf", bytes=1, seconds=50, after=1)
        main.say("error", error="OSError", message="no space left").finished("failed")
        opened, *said = main.records
        place = {"run_id": "run-1", "stream": "main", "segment": 0}
        records = [{**opened, **place}, *({**one, "seq": one["seq"] - 1} for one in said)]
        body = b"".join(map(encode, records)).replace(what, deep)
        key = layout.segment_key("run-1", "main", 0)
        connect(local_root).put(key, body, expect=ABSENT)
        return "run-1"

    return deep_run


WHATS = [b'"federal"', b'"OSError"', b'"no space left"', b'"a.pdf"', b"50", b"null", b'"host-1"']


@pytest.mark.parametrize("what", WHATS, ids=bytes.decode)
def test_a_value_that_is_nested_too_deep_is_passed_over(deep_run, call, tmp_path, what):
    """The rest is told."""
    run_id = deep_run(what)

    story = call("replay", run_id, "--explain", "-o", "json")
    checked = call("replay", run_id, "--verify")
    bundled = call("bundle", run_id, "--to", str(tmp_path / "run.zip"))

    assert (story.code, json.loads(story.out)["ended"]) == (0, "failed")
    assert call("replay", run_id, "--explain").code == 0
    assert checked.code in (0, 13)
    assert checked.lines[0].startswith("run-1: ")
    assert call("replay", run_id, "--verify", "-o", "json").code == checked.code
    assert bundled.code == checked.code, bundled.err
    assert call("errors", run_id, "-o", "json").code == 0


def test_a_finding_says_that_it_was_cut(deep_run, call):
    """Where what was found is nested too deep to be written."""
    run_id = deep_run(b'"prev":null', b'"prev":{"segment":%s}' % DEEP)

    checked = call("replay", run_id, "--verify", "-o", "json")

    assert checked.code == 13
    assert "nested too deep" in checked.out
