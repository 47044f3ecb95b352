"""A writer killed at any moment loses nothing that it was told is durable, and doubles nothing."""

import contextlib
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from recorder.processes import Child, journal, python, wait_until
from recorder.stored import body, records

from journal.compactor import Compactor
from journal.stores import connect

WRITER = Path(__file__).with_name("writer.py")
SNAPSHOT = "run-1/metadata.json"

pytestmark = pytest.mark.parametrize("module_root", ["local", "weed"], indirect=True)


@dataclass
class History:
    """What came of a run whose writers were killed one after the other."""

    root: str
    acknowledged: dict[str, int]  # notes by generation
    tail: Child
    tail_status: int

    def notes(self) -> dict[str, list[int]]:
        """The numbers of the notes that are stored, in their order, by generation."""
        stored = [line for line in records(self.root) if line["type"] == "note"]
        return {
            generation: [line["number"] for line in stored if line["by"] == generation]
            for generation in self.acknowledged
        }


def history(root: str, kills: int, directory: Path) -> History:
    """Let writers be killed one after the other while a tail looks on; the last one finishes."""
    with contextlib.ExitStack() as ending:

        def started(command: list[str]) -> Child:
            child = Child(command, directory)
            ending.callback(child.kill)
            return child

        chance = random.Random(kills)
        first = started(python(WRITER, root, "0"))
        wait_until(lambda: first.said, "a first flush")
        tail = started(journal("tail", "run-1", "-f", "-n", "all", "-o", "json", "--root", root))
        acknowledged = {"0": killed_soon(first, chance)}
        for generation in range(1, kills):
            child = started(python(WRITER, root, str(generation)))
            if chance.random() < 0.7:
                wait_until(lambda child=child: child.said, "a first flush")
            acknowledged[str(generation)] = killed_soon(child, chance)
        last = started(python(WRITER, root, str(kills), "100"))
        assert last.wait() == 0, last.err
        acknowledged[str(kills)] = 100
        return History(root, acknowledged, tail, tail.wait())


def killed_soon(child: Child, chance: random.Random) -> int:
    """Kill a writer at a random moment; return how many of its notes were acknowledged."""
    time.sleep(chance.uniform(0, 0.4))
    child.kill()
    return int(child.said[-1]) if child.said else 0


@pytest.fixture(scope="module", params=[5, pytest.param(100, marks=pytest.mark.long)])
def killed(
    request: pytest.FixtureRequest, module_root: str, tmp_path_factory: pytest.TempPathFactory
) -> History:
    """A run whose writer was killed that often at random moments, and resumed each time."""
    return history(f"{module_root}/{request.param}", request.param, tmp_path_factory.mktemp("kill"))


def test_all_that_was_acknowledged_is_there(killed):
    """Every note that a true flush covered is in the journal, whoever was killed when."""
    notes = killed.notes()

    lost = {by: told for by, told in killed.acknowledged.items() if len(notes[by]) < told}
    assert not lost


def test_nothing_is_there_twice_or_out_of_order(killed):
    """Each writer's notes are there once and in their order, without one left out."""
    notes = killed.notes()

    assert all(numbers == list(range(len(numbers))) for numbers in notes.values())


def test_the_sequence_has_no_gap(killed):
    """The stream is numbered without gap or repetition, across all its writers."""
    numbers = [line["seq"] for line in records(killed.root)]

    assert numbers == list(range(len(numbers)))


def test_every_attempt_has_its_number(killed):
    """Each writer that got to speak is one attempt, numbered in order, and one has finished."""
    stored = records(killed.root)
    attempts = [line["attempt"] for line in stored if line["type"] == "started"]

    assert attempts == list(range(1, len(attempts) + 1))
    assert [line["type"] for line in stored].count("finished") == 1


def test_a_tail_saw_all_of_it_once(killed):
    """A tail that ran all the while printed each record once, in order, and ended with the run."""
    printed = [json.loads(line) for line in killed.tail.said]
    stored = [line for line in records(killed.root) if line["type"] != "heartbeat"]

    assert (killed.tail_status, killed.tail.err) == (0, "")
    assert [(line["stream"], line["seq"]) for line in printed] == [
        ("main", line["seq"]) for line in stored
    ]


def test_the_snapshot_is_what_the_journal_says(killed):
    """Folded piece by piece by all those writers, the snapshot is that of one fold of all."""
    store = connect(killed.root)
    before = body(killed.root, SNAPSHOT)
    store.delete(SNAPSHOT)
    Compactor(store, "run-1").compact(everything=True)

    assert body(killed.root, SNAPSHOT) == before
