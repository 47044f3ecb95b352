"""Damage is said in one line, with its place; what is sound is printed; the exit code is 13."""

import json
from pathlib import Path

import pytest


def segment(root, number):
    return Path(root, "run-1", "journal", "stream=main", f"{number:010d}.jsonl")


def flip(path, what, by):
    body = path.read_bytes()
    assert what in body
    path.write_bytes(body.replace(what, by, 1))


DAMAGES = {
    "a flipped byte in a value": lambda root: flip(segment(root, 2), b'"note"', b'"nose"'),
    "a flipped byte in the JSON": lambda root: flip(segment(root, 2), b'"note"', b'"note\xff'),
    "a missing segment": lambda root: segment(root, 2).unlink(),
    "an empty segment": lambda root: segment(root, 2).write_bytes(b""),
    "a segment that is cut": lambda root: segment(root, 2).write_bytes(
        segment(root, 2).read_bytes()[:-30]
    ),
    "a segment of other content": lambda root: segment(root, 2).write_bytes(b"hello\n"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_said_and_what_is_sound_is_printed(damage, many_segments, local_root, cli):
    """A tail of everything prints the notes of the other segments, names the place, exits 13."""
    DAMAGES[damage](local_root)
    answer = cli("tail", many_segments, "-n", "all", "--json")

    numbers = [json.loads(line).get("number") for line in answer.lines]
    assert answer.code == 13
    assert [number for number in numbers if number in (0, 2, 3)] == [0, 2, 3]
    assert json.loads(answer.lines[-1])["type"] == "finished"
    assert "0000000002.jsonl" in answer.err
    assert all(line.startswith("journal: ") for line in answer.err.splitlines())


@pytest.mark.parametrize("damage", ["a flipped byte in a value", "a missing segment"])
def test_damage_is_said_once(damage, many_segments, local_root, cli):
    """One damage is one line."""
    DAMAGES[damage](local_root)

    assert len(cli("tail", many_segments, "-n", "all").err.splitlines()) == 1


@pytest.mark.parametrize("command", ["status", "compact"])
def test_damage_that_a_fold_comes_across_is_thirteen(command, many_segments, local_root, cli):
    """Folding a damaged journal from its start says so, goes on, and exits 13."""
    DAMAGES["a flipped byte in a value"](local_root)
    Path(local_root, "run-1", "metadata.json").unlink()
    answer = cli(command, many_segments)

    assert (answer.code, len(answer.err.splitlines())) == (13, 1)
    assert answer.out != ""


def test_a_journal_of_a_later_format_is_thirteen(finished, local_root, cli):
    """A format that is not known here is not guessed at: exit 13, one line."""
    flip(segment(local_root, 0), b'"v":1', b'"v":2')
    answer = cli("tail", finished, "-n", "all")

    assert (answer.code, answer.out, len(answer.err.splitlines())) == (13, "", 1)


def test_a_foreign_file_is_passed_over(finished, local_root, cli):
    """What does not belong to the journal is named, ignored, and no damage."""
    Path(local_root, "run-1", "journal", "stream=main", "notes.txt").write_text("hello")
    answer = cli("tail", finished, "-n", "all")

    assert (answer.code, len(answer.lines), len(answer.err.splitlines())) == (0, 9, 1)
    assert "notes.txt" in answer.err


@pytest.mark.parametrize(
    ("body", "count"),
    [(b"hello", "all"), (b"[]", "20"), (b'{"status": "x"}', "all"), (b'{"journal": {}}', "20")],
)
def test_a_foreign_snapshot_costs_a_line(body, count, finished, local_root, cli):
    """A snapshot that is not the journal's is complained of; the events are all there."""
    Path(local_root, "run-1", "metadata.json").write_bytes(body)
    answer = cli("tail", finished, "-n", count)

    assert (answer.code, len(answer.lines), len(answer.err.splitlines())) == (0, 9, 1)


def test_a_last_segment_that_is_missing_is_damage(many_segments, local_root, cli):
    """What the snapshot has read and is no longer there is missed, at the very end too."""
    segment(local_root, 5).unlink()
    answer = cli("tail", many_segments, "-n", "all")

    assert (answer.code, len(answer.lines), len(answer.err.splitlines())) == (13, 5, 1)


def test_a_snapshot_that_leads_the_journal_is_ignored(many_segments, local_root, cli):
    """A cursor that points behind the journal's end is no cursor: what is there is shown."""
    segment(local_root, 5).unlink()
    answer = cli("tail", many_segments, "-n", "20", "--json")

    assert [json.loads(line).get("number") for line in answer.lines[1:5]] == [0, 1, 2, 3]
    assert answer.code == 13


def test_a_snapshot_that_is_far_ahead_costs_a_line(finished, local_root, cli):
    """A cursor that no journal can have reached is not walked to."""
    flip(Path(local_root, "run-1", "metadata.json"), b'"segment": 1', b'"segment": 999999999')
    answer = cli("tail", finished, "-n", "all")

    assert (len(answer.lines), len(answer.err.splitlines())) == (9, 1)
