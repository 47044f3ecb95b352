"""`journal errors`: what failed, grouped; how often, from when to when."""

import json

import pytest
from fold.stories import Story

from journal.stores import connect
from readers.faults import faults, kind_of
from readers.tail import Tail


def error(story, message, **fields):
    story.say("error", error="OSError", message=message, after=10, **fields)
    return story


@pytest.fixture
def troubled(told):
    """The id of a run with two kinds of errors, one of them three times."""
    story = Story().started()
    for number in (1, 2, 3):
        error(story, f"HTTP 503 for https://h/{number}?sig=x", source=f"s{number}", retry=True)
    error(story, "no space left \x1b[2J", fatal=True, path="/data/a.pdf", traceback="T\n  one")
    return told(main=story.finished("failed"))


def test_messages_that_differ_in_numbers_only_are_one_group(troubled, call):
    """The most frequent first, with the sources and the last one's path."""
    answer = call("errors", troubled)

    assert answer.code == 0
    assert answer.lines[0] == "run-1: 4 errors of 2 kinds"
    assert "3 \N{MULTIPLICATION SIGN} OSError: HTTP 503" in answer.lines[2]
    assert "3 tried again" in answer.lines[3]
    assert answer.lines[4] == "  of s1 (1), s2 (1), s3 (1)"
    assert "1 \N{MULTIPLICATION SIGN} OSError: no space left" in answer.out
    assert "1 fatal" in answer.out
    assert "\x1b" not in answer.out
    assert "one" not in answer.lines[-1]


def test_the_traceback_is_shown_when_asked_for(troubled, call):
    """As it was said, line by line."""
    assert call("errors", troubled, "--traceback").lines[-2:] == ["    T", "      one"]


def test_as_json_every_group_has_its_sample(troubled, call):
    """One document with a version."""
    document = json.loads(call("errors", troubled, "-o", "json").out)

    assert document["v"] == 1
    assert [(one["count"], one["retried"], one["fatal"]) for one in document["errors"]] == [
        (3, 3, 0),
        (1, 0, 1),
    ]
    assert document["errors"][1]["sample"]["path"] == "/data/a.pdf"


def test_only_errors_of_a_span_and_of_sources_are_counted(troubled, call, at):
    """`-S`, `-U` and `-s` as for `tail`."""
    since = json.loads(call("errors", troubled, "-o", "json", "-S", at(15 * 60)).out)
    of_one = json.loads(call("errors", troubled, "-o", "json", "-s", "s1,s2").out)

    assert sum(one["count"] for one in since["errors"]) == 3
    assert sum(one["count"] for one in of_one["errors"]) == 2


def test_a_run_without_errors_says_so(run_of_an_hour, told, call):
    """With exit code 0: nothing failed."""
    told("run-2", main=Story().started().finished())

    answer = call("errors", "run-2")

    assert (answer.code, answer.lines) == (0, ["run-2: no error"])


def test_kinds_beyond_all_number_are_one_group(told, local_root):
    """A thousand groups at most, and none is lost from the count."""
    story = Story().started()
    for number in range(1100):
        word = "".join(chr(ord("g") + int(digit)) for digit in str(number))
        story.say("error", error="E", message=f"kind {word}", source=f"s{number}")
    tail = Tail(connect(local_root), told(main=story))

    found = faults(event for batch in tail.batches() for event in batch)

    assert len(found) == 1001
    assert sum(fault.count for fault in found) == 1100
    assert found[0].count == 100
    assert len(found[0].sources) + found[0].more_sources == 100


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout after 3.5 s", "timeout after 17 s"),
        ("cannot read /a/b/c.pdf", "cannot read /d/e.pdf"),
        ("GET https://h/x?y=1 failed", "GET https://i/z failed"),
        ("request 9f8e7d6c5b failed", "request 0a1b2c3d4e failed"),
        ("first\nline 1", "first\nother"),
    ],
)
def test_what_varies_makes_no_kind(one, other):
    """Numbers, paths, addresses, ids, and all lines but the first."""
    assert kind_of(one) == kind_of(other)
    assert kind_of(one) != kind_of("something else")
