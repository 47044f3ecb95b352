"""`journal tail`: what is selected, how lines look, and where somebody goes on from."""

import json
import re

import pytest
from fold.stories import Story


def types(answer):
    return [json.loads(line)["type"] for line in answer.lines]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["-s", "federal", "-t", "file_done"], 3),
        (["-s", "fed*", "-t", "file_done"], 3),
        (["-s", "!federal", "-t", "file_done"], 0),
        (["-p", "error"], 1),
        (["-p", "debug"], 11),
        (["-g", "no space"], 1),
        (["-g", "NO SPACE"], 0),
        (["path=a.pdf"], 1),
        (["path=a.pdf", "path=b.pdf", "type=file_done"], 2),
        (["bytes=1000000"], 3),
        (["path=nothing"], 0),
    ],
)
def test_events_are_selected(options, shown, run_of_an_hour, call):
    """By source, level, words and fields; several of one field are alternatives."""
    answer = call("tail", run_of_an_hour, "-n", "all", "-o", "json", *options)

    assert (answer.code, len(answer.lines)) == (0, shown)


def test_a_span_of_time_is_half_open(run_of_an_hour, at, call):
    """From --since on, and before --until."""
    span = ["-S", at(120), "-U", at(180)]
    answer = call("tail", run_of_an_hour, "-o", "json", *span)

    assert types(answer) == ["source_started"]


def test_the_newest_come_first(run_of_an_hour, call):
    """With --reverse, as many as were asked for."""
    answer = call("tail", run_of_an_hour, "-r", "-n", "2", "-o", "json")

    assert types(answer) == ["finished", "source_done"]


def test_a_silence_is_shown_as_a_gap(run_of_an_hour, call):
    """Where nothing but heartbeats came for more than two minutes."""
    answer = call("tail", run_of_an_hour, "-n", "all")

    gaps = [line for line in answer.lines if line.startswith("--")]
    assert gaps[0] == "-- 33 min without an event, 1 heartbeat --"


@pytest.mark.parametrize("options", [["--no-gaps"], ["-t", "file_done"]])
def test_no_gap_is_shown(options, run_of_an_hour, call):
    """When nobody wants any, or most lines are left out anyway."""
    answer = call("tail", run_of_an_hour, "-n", "all", *options)

    assert [line for line in answer.lines if line.startswith("--")] == []


def test_a_template_shapes_lines(run_of_an_hour, call):
    """Fields by name; what a record has not is a dash."""
    shape = ["--template", r"{type}\t{path} {seconds}"]
    answer = call("tail", run_of_an_hour, "-n", "all", "-g", "a.pdf|started", *shape)

    assert answer.lines == ["started\t- -", "source_started\t- -", "file_done\ta.pdf 60"]


def test_fields_are_columns_for_people_and_keys_for_machines(run_of_an_hour, call):
    """The same names, in the order that was given."""
    chosen = ["tail", run_of_an_hour, "path=a.pdf", "--fields", "path,bytes,stream"]

    assert call(*chosen).lines == ["a.pdf\t1000000\tmain"]
    assert json.loads(call(*chosen, "-o", "json").out) == {
        "path": "a.pdf",
        "bytes": 1000000,
        "stream": "main",
    }


def test_several_runs_are_merged_and_named(run_of_an_hour, told, call):
    """Each line says whose it is."""
    told("run-2", main=Story().started().finished(after=55))
    answer = call("tail", "run-1", "run-2", "-n", "4", "--no-gaps")

    assert [line.split()[2] for line in answer.lines] == ["run-1", "run-1", "run-2", "run-1"]


def test_a_pattern_means_the_runs_that_match(run_of_an_hour, told, call):
    """And none is said to be none."""
    told("other-1", main=Story().started())

    assert {line.split()[2] for line in call("tail", "ru*", "-n", "all").lines[:3]} == {"run-1"}
    assert "no run matches nothing-*" in call("tail", "nothing-*").err


def test_a_cursor_shows_what_comes_behind_it(run_of_an_hour, call):
    """The token is on stderr; behind the end there is nothing."""
    first = call("tail", run_of_an_hour, "-n", "all", "-U", "2025-08-05T20:00:00Z", "--show-cursor")
    token = re.search(r"cursor: (\S+)", first.err)[1]
    rest = call("tail", "--after-cursor", token, "-o", "json")

    assert (rest.code, rest.out) == (0, "")


def test_a_cursor_file_goes_on_where_it_was_left(run_of_an_hour, call, tmp_path):
    """The first time all is new, the second nothing."""
    options = ["--cursor-file", str(tmp_path / "cursor"), "-o", "json"]
    first = call("tail", run_of_an_hour, *options, "-n", "all")
    second = call("tail", run_of_an_hour, *options)

    assert (len(first.lines), second.lines) == (9, [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--after-cursor", "j1.abcd"], "cut or changed"),
        (["--after-cursor", "x"], "begins with j1."),
        (["-S", "yesterdayish"], "is no time"),
        (["-g", "("], "no regular expression"),
        (["-r", "-f"], "does not go with -f"),
        (["--after-cursor", "j1.a", "--cursor-file", "x"], "give one"),
        (["-s", ","], "names no source"),
        (["-t", "Bad"], "not allowed"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_line(options, words, run_of_an_hour, call):
    """And is a mistake in usage."""
    answer = call("tail", run_of_an_hour, *options)

    assert answer.code == 2
    assert words in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("status", "code"), [("completed", 0), ("failed", 20), ("aborted", 21), ("preempted", 21)]
)
def test_the_exit_status_is_the_verdict(status, code, told, call):
    """Asked for, of a run that has ended."""
    told(main=Story().started().finished(status))

    assert call("tail", "run-1", "-f", "--exit-status").code == code
    assert call("tail", "run-1", "-f").code == 0


def test_a_legacy_encoding_is_no_error(told, call):
    """What it lacks is shown as its escape."""
    told(main=Story().started().say("note", text="日本"))
    answer = call("tail", "run-1", encoding="cp1252")

    assert answer.code == 0
    assert "text=\\u65e5\\u672c" in answer.out


def test_colours_when_asked_for(run_of_an_hour, call):
    """An error is red, and is still called an error."""
    answer = call("tail", run_of_an_hour, "-p", "error", "--color", "always")

    assert "\x1b[31;1merror" in answer.out
