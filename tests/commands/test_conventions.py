"""What holds for every command: streams, forms, colours, times, names, and what an error says."""

import re
from datetime import datetime, timedelta

import orjson
import pytest
from fold.stories import BEGAN, Story

from journal.cli.terminal import terminal
from journal.cli.when import instant
from journal.clock import stamp
from journal.errors import Unavailable

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_READING = [
    ("tail", "-n", "all"),
    ("replay",),
    ("replay", "--explain"),
    ("replay", "--verify"),
    ("status",),
    ("errors",),
    ("diff", "run-1"),
]


@pytest.mark.parametrize("words", _READING, ids=" ".join)
def test_json_is_all_there_is_on_standard_output(words, run_of_an_hour, call):
    """`--json` is short for `-o json`; of tail and replay each line is a document."""
    answer = call(*words, run_of_an_hour, "--json")

    assert answer == call(*words, run_of_an_hour, "-o", "json")
    each_line = words[0] == "tail" or words == ("replay",)
    documents = [orjson.loads(text) for text in (answer.lines if each_line else [answer.out])]
    assert documents
    assert all(isinstance(document, dict) for document in documents)


@pytest.mark.parametrize(
    "words", [*_READING, ("export",), ("bundle",), ("snapshot",), ("wait",), ("compact",)]
)
def test_what_is_wrong_is_one_line_on_standard_error(words, run_of_an_hour, call):
    answer = call(*words, "nobody")

    assert answer.code == 10
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("journal: no run ")


@pytest.mark.parametrize("words", [("ls",), ("tail", "run-1"), ("status",), ("diff", "run-1")])
def test_colour_changes_no_word(words, run_of_an_hour, call):
    plain, coloured = (call(*words, "--color", when) for when in ("never", "always"))
    if words[0] == "diff":
        plain, coloured = (
            call(*words, run_of_an_hour, "--color", when) for when in ("never", "always")
        )

    assert plain.code == 0
    assert _COLOUR.search(coloured.out)
    assert _COLOUR.sub("", coloured.out) == plain.out
    assert call(*words, *([run_of_an_hour] if words[0] == "diff" else [])).out == plain.out


@pytest.mark.parametrize(
    ("color", "environment", "is_tty", "has_colour"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_option_goes_over_no_color_over_force_color_over_the_terminal(
    color, environment, is_tty, has_colour
):
    class Out:
        encoding = "utf-8"

        def isatty(self):
            return is_tty

    assert terminal(color, Out(), environment).has_colour is has_colour


def test_health_is_a_sign_and_a_word(run_of_an_hour, told, call):
    told("run-2", main=Story().started().finished("failed"))

    assert "✗ critical" in call("status", "run-2").out
    assert "✓ done" in call("status", run_of_an_hour).out
    assert {"✗ critical", "✓ done"} <= set(re.findall("[✓✗!] [a-z]+", call("ls").out))


def test_people_see_their_time_with_its_offset_and_machines_see_utc(
    run_of_an_hour, call, time_zone
):
    time_zone("Asia/Kolkata")
    began = datetime.fromisoformat(stamp(BEGAN))

    there = (began + timedelta(hours=5, minutes=30)).strftime("%H:%M:%S")
    human = call("tail", "-n", "all", run_of_an_hour)
    assert f"{there}+05:30 started" in human.lines[0]
    utc = call("tail", "-n", "all", "--utc", run_of_an_hour)
    assert began.strftime("%H:%M:%SZ started") in utc.lines[0]
    assert orjson.loads(call("tail", "-n", "all", "--json", run_of_an_hour).lines[0])[
        "ts"
    ].endswith("Z")
    assert orjson.loads(call("ls", "--json").out)[0]["start_time"].endswith("Z")


@pytest.mark.parametrize("words", [("ls",), ("tail", "run-1"), ("status",), ("errors",)])
def test_utc_is_an_option_wherever_times_are_shown(words, run_of_an_hour, call, time_zone):
    time_zone("Asia/Kolkata")

    assert "+05:30" not in call(*words, "--utc").out
    assert "+05:30" in call(*words).out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m", "2026-03-01T11:50:00"),
        ("1h30m", "2026-03-01T10:30:00"),
        ("7d", "2026-02-22T12:00:00"),
        ("2026-03-01T02:00:00Z", "2026-03-01T02:00:00"),
        ("2026-03-01T02:00:00+02:00", "2026-03-01T00:00:00"),
        ("02:30", "2026-03-01T02:30:00"),
        ("13:00", "2026-02-28T13:00:00"),  # today's is yet to come
    ],
)
def test_times_are_given_as_people_give_them(text, expected, time_zone):
    time_zone("UTC")
    here = datetime.fromisoformat("2026-03-01T12:00:00+00:00").timestamp()

    assert instant(text, here) == datetime.fromisoformat(f"{expected}+00:00").timestamp()


def test_the_cause_is_shown_to_whoever_asks(run_of_an_hour, call, monkeypatch):
    """One line for each; what authorises is hidden in causes as it is anywhere."""

    def connect(_root=None):
        try:
            try:
                raise OSError("no route to https://user:hunter2@host/\x1b[2J")
            except OSError as first:
                raise RuntimeError("password=hunter2 refused") from first
        except RuntimeError as second:
            raise Unavailable("the store does not answer") from second

    monkeypatch.setattr("journal.cli.ls.connect", connect)

    silent, told, before = call("ls"), call("ls", "-v"), call("-v", "ls")
    assert silent.err == "journal: the store does not answer\n"
    assert told == before
    assert told.code == silent.code == 1
    first, second, third = told.err.splitlines()
    assert first == "journal: the store does not answer"
    assert second == "journal: because RuntimeError: password=*** refused"
    assert third.startswith("journal: because OSError: no route to https://")
    assert "hunter2" not in told.err
    assert "\x1b" not in told.err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize(
    "words", [("tail",), ("replay", "--explain"), ("status",), ("errors",), ("ls",)]
)
def test_no_encoding_of_the_output_ends_a_command(words, encoding, told, call):
    main = Story().started(details="原稿").source("原稿", files=2)
    main.say("error", error="OSError", message="原稿 fehlt: größer", source="原稿")
    told(main=main.finished())

    answer = call(*words, *([] if words == ("ls",) else ["run-1"]), encoding=encoding)
    assert answer.code == 0
    assert answer.err == ""
    assert answer.out


@pytest.mark.parametrize("words", [("emit",), ("-v", "emit"), ("emit", "-v"), ("-v", "phase")])
def test_a_script_does_not_fail_over_a_mistake_in_what_it_says(words, call):
    """Unless it asks for that; the mistake is told either way."""
    forgiven, strict = call(*words), call(*words, "--strict")

    assert (forgiven.code, strict.code) == (0, 2)
    assert forgiven.err == strict.err
    assert forgiven.err.startswith("journal: Missing argument ")
    assert forgiven.err.count("\n") == 1
