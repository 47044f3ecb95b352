"""A journal is hostile: nothing in it acts on a terminal."""

import json
import re
from pathlib import Path

import pytest

# Clear the screen, set the title, reorder text, hide text, end the line, speak C1.
EVIL = "\x1b[2J\x1b]0;owned\x07\u202egpj.exe\u2066\u200b\x9b31m\r\n\x00\x7f\x08end"
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069]")


@pytest.fixture
def evil(local_root, start):
    """A run of which every text is hostile."""
    run = start(local_root, params={EVIL: EVIL}, sources=[EVIL])
    run.phase(EVIL, EVIL, EVIL)
    source = run.source(EVIL, files=2)
    source.file_done(EVIL, bytes=1)
    source.file_skipped(EVIL, EVIL)
    run.waiting(EVIL)
    run.error(type(EVIL.replace("\0", ""), (Exception,), {})(EVIL), source=EVIL, path=EVIL)
    run.emit("note", **{EVIL: EVIL})
    source.done()
    run.finish("failed", EVIL)
    return run.run_id


@pytest.mark.parametrize("command", [["tail", "-n", "all"], ["tail"], ["status"]])
@pytest.mark.parametrize("form", ["human", "json"])
def test_nothing_in_a_journal_acts_on_a_terminal(command, form, evil, cli):
    """Control characters, escape sequences and marks that reorder text are shown as escapes."""
    answer = cli(command[0], evil, *command[1:], "-o", form)

    assert answer.code == 0
    assert "end" in answer.out
    assert not ACTING.search(answer.out)


@pytest.mark.parametrize("form", ["human", "json"])
def test_nothing_in_a_list_acts_on_a_terminal(form, evil, cli):
    """The same for the list of runs."""
    assert not ACTING.search(cli("ls", "-o", form).out)


def test_for_machines_every_character_is_kept(evil, cli):
    """What JSON escapes is what was said: no character is lost."""
    lines = [json.loads(line) for line in cli("tail", evil, "-n", "all", "--json").lines]

    assert [line["path"] for line in lines if line["type"] == "file_done"] == [EVIL]


def test_each_event_is_one_line(evil, cli):
    """A line break in a name does not make two lines."""
    assert len(cli("tail", evil, "-n", "all").lines) == 10


def test_a_hostile_document_of_another_program_acts_on_nothing(local_root, cli):
    """The same for a document that the journal did not write."""
    fields = ("run_id", "status", "phase", "sub_phase", "current_operation", "details")
    document = dict.fromkeys((*fields, "start_time", "last_update", "dropped"), EVIL)
    document["sources"] = [dict.fromkeys(("source", "sub_phase", "state", "files"), EVIL)]
    document["errors"] = {"count": EVIL, "classes": [{"error": EVIL, "last": EVIL}]}
    Path(local_root, "run-1").mkdir(parents=True)
    Path(local_root, "run-1", "metadata.json").write_text(json.dumps(document))
    answers = [cli("status", "run-1"), cli("status", "run-1", "--json"), cli("ls")]

    assert [answer.code for answer in answers] == [0, 0, 0]
    assert not any(ACTING.search(answer.out + answer.err) for answer in answers)


def test_complaints_about_hostile_names_are_harmless(finished, local_root, cli):
    """A foreign file's name is shown as its escapes on stderr, too."""
    Path(local_root, "run-1", "journal", "stream=main", "x\u202e\x9b.txt").touch()
    answer = cli("tail", finished, "-n", "all")

    assert answer.err
    assert not ACTING.search(answer.err)
