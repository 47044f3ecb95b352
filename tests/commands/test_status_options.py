"""`journal status`: earlier times, fields, metrics, the verdict as exit code, and its screen."""

import json

import pytest
from fold.stories import BEGAN, Story

from journal.cli.status_lines import StatusLines
from journal.cli.terminal import Terminal
from journal.errors import Missing
from journal.stores import connect
from readers.status import status
from readers.tail import Tail
from readers.text import cells
from readers.then import status_at


def test_a_field_is_printed_alone(run_of_an_hour, call):
    """Text as it is, anything else as JSON."""
    assert call("status", run_of_an_hour, "--field", "why").out == "completed\n"
    assert call("status", run_of_an_hour, "--field", "progress.files_done").out == "3\n"
    assert call("status", run_of_an_hour, "--field", "sources[0].source").out == "federal\n"
    assert call("status", run_of_an_hour, "--field", "sources[-1].eta").out == "null\n"
    assert json.loads(call("status", run_of_an_hour, "--field", "finished").out)["status"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("progress.nothing", "progress has policy_sources_completed"),
        ("sources[7]", "sources is a list of 1"),
        ("why.more", "why is a plain value"),
        ("nothing", "the document has run_id"),
        ("a..b", "is no path"),
        ("", "is no path"),
    ],
)
def test_a_field_that_is_not_there_says_what_is(path, words, run_of_an_hour, call):
    """At the last step that was found."""
    answer = call("status", run_of_an_hour, "--field", path)

    assert answer.code == 2
    assert words in answer.err


@pytest.mark.parametrize(
    ("story", "code"),
    [
        (Story().started().finished(), 0),
        (Story().started().finished("failed"), 20),
        (Story().started().finished("aborted"), 21),
        (Story().started().finished("preempted"), 21),
        (Story().started(), 23),
    ],
)
def test_the_exit_status_is_the_verdict(story, code, told, call):
    """A run of long ago that never ended is lost."""
    told(main=story)

    assert call("status", "run-1", "--exit-status").code == code
    assert call("status", "run-1").code == 0


def test_a_stalled_run_is_twenty_two(told, call, at):
    """It beats, and nothing moves."""
    told(main=Story().started().files("a", 2).beats(120, files=0, bytes=0))
    answer = call("status", "run-1", "--at", at(120 * 60 + 60), "--exit-status")

    assert answer.code == 22
    assert "stalled" in answer.out or "no work for" in answer.out


def test_then_is_as_it_was_known(run_of_an_hour, at, call):
    """Half an hour before its end it was running, with one file, and silent for long."""
    answer = call("status", run_of_an_hour, "--at", at(20 * 60), "-o", "json")
    then = json.loads(answer.out)

    assert (then["state"], then["progress"]["files_done"]) == ("running", 1)
    assert then["liveness"] == "lost"


def test_before_its_beginning_nothing_was_known(run_of_an_hour, at, call):
    """And it is said when that was."""
    answer = call("status", run_of_an_hour, "--at", at(-60))

    assert answer.code == 10
    assert "nothing was known of run run-1 then; its first record is of 2025-" in answer.err


def test_what_came_late_was_not_known_then(told, local_root):
    """A backlog lies in a segment that was opened after the outage."""
    main = Story()
    main.minute = 90.0
    main.records[0]["ts"] = "2025-08-05T21:05:00.000000Z"
    main.minute = 0.0
    told(main=main.started().source("a").files("a", 5, after=10))
    events = list(Tail(connect(local_root), "run-1").everything())

    late = status_at("run-1", events, 1754422500.0 + 91 * 60)

    assert late.document["progress"]["files_done"] == 5
    with pytest.raises(Missing, match="nothing was known"):
        status_at("run-1", events, 1754422500.0 + 60 * 60)


def test_metrics_are_of_the_exposition_format(run_of_an_hour, call):
    """A name has one HELP and one TYPE before its samples, and values are numbers."""
    lines = call("status", run_of_an_hour, "-o", "prometheus").lines

    typed = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    sampled = [line.partition("{")[0] for line in lines if not line.startswith("#")]
    assert len(typed) == len(set(typed))
    assert set(sampled) == set(typed)
    assert 'journal_run_files_total{run_id="run-1"} 3' in lines
    assert 'journal_run_state{run_id="run-1",state="completed"} 1' in lines


def test_hostile_labels_stay_labels(told, call):
    """Quotes, backslashes and newlines are escaped as the format asks for."""
    told(main=Story().started().source('a"\\\n# TYPE x counter\n', files=1))
    lines = call("status", "run-1", "-o", "prometheus").lines

    assert any(r'source="a\"\\\n# TYPE x counter\n"' in line for line in lines)
    assert not any(line.startswith("# TYPE x") for line in lines)


@pytest.fixture
def at_work(told, local_root):
    """The status of a run with wide names and files in flight."""
    flying = [{"path": "日本語/" + "長" * 60, "bytes": 400, "size": 1000, "seconds": 75.0}]
    main = Story().started(sources_total=2).source("日本" * 30, files=4, bytes=4000)
    told(main=main.files("日本" * 30, 2, bytes=1000).beat(in_flight=flying))
    return status(connect(local_root), "run-1")


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_a_screen_is_as_wide_as_the_terminal(columns, at_work):
    """Wide characters take two columns; no line is longer."""
    screen = Terminal(columns, has_colour=False)
    lines = [screen.fitted(line) for line in StatusLines(screen).of(at_work)]

    assert max(map(cells, lines)) <= columns
    assert any("█" in line for line in lines)


def test_files_in_flight_show_how_far_they_are(at_work):
    """And for how long they have been on their way."""
    screen = Terminal(120, has_colour=False)
    flight = [line for line in StatusLines(screen).of(at_work) if "400 B of 1.00 KB" in line]

    assert flight[0].endswith("40%  75 s")


def test_on_a_pipe_there_are_no_bars(run_of_an_hour, call):
    """The same text, without bars and colours."""
    answer = call("status", run_of_an_hour)

    assert "█" not in answer.out
    assert "\x1b" not in answer.out
    assert "3 of 3" in answer.out


def test_an_encoding_without_signs_shows_plain_ones(run_of_an_hour, call):
    """No command dies of what a terminal cannot show."""
    answer = call("status", run_of_an_hour, encoding="ascii")

    assert answer.code == 0
    assert answer.lines[0] == "run-1  completed  + done"


def test_watching_an_ended_run_says_it_and_ends(run_of_an_hour, call):
    """Without a terminal, in a line."""
    answer = call("status", run_of_an_hour, "-w")

    assert answer.code == 0
    assert len(answer.lines) == 1
    assert "run-1  completed  done" in answer.out


def test_watching_gives_the_verdict_if_asked(told, call):
    """As `--exit-status` does everywhere."""
    told(main=Story().started().finished("failed", message="disk full"))

    assert call("status", "run-1", "-w", "--exit-status").code == 20


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_of_the_verdict_is_cut_off(columns, run_of_an_hour, local_root):
    """It is broken at the width there is; no line is wider."""
    found = status_at(run_of_an_hour, Tail(connect(local_root), "run-1").everything(), BEGAN + 600)
    lines = list(StatusLines(Terminal(columns, has_colour=False), utc=True).of(found))

    end = lines.index("")
    assert " ".join(line.strip() for line in lines[1:end]) == found.verdict.why
    assert all(cells(line) <= columns for line in lines)
