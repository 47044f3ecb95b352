"""Writers that take a run from each other over a bad wire: one has it, the others learn it."""

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from recorder.processes import PATIENCE_SECONDS
from wire.faults import Storm
from wire.trial import Stored

from journal import start_run
from journal.errors import Fenced

pytestmark = pytest.mark.parametrize(
    "wire", ["weed", pytest.param("moto", marks=pytest.mark.long)], indirect=True
)


@dataclass
class Rival:
    """One of several that want the same run: what it said, and what it was told is durable."""

    name: int
    said: int = 0
    acknowledged: int = 0
    refused_seconds: float | None = None  # how long the flush took that was not true
    is_fenced: bool = False

    def work(self, root: str, run_id: str, until: float) -> None:
        """Take the run over; say and flush until another has it, or the time is over."""
        time.sleep(self.name * 0.4)
        run = start_run(run_id, root=root, job="trial", resume=True, flush_seconds=100)
        while self.refused_seconds is None and (time.monotonic() < until or not self.said):
            self.say(run, 5)
            began = time.monotonic()
            if run.flush(PATIENCE_SECONDS):
                self.acknowledged = self.said
            else:
                self.refused_seconds = time.monotonic() - began
        self.say(run, 5)
        run.finish("preempted")
        self.is_fenced = isinstance(run.trouble, Fenced)

    def say(self, run, events: int) -> None:
        for _ in range(events):
            run.emit("note", by=self.name, number=self.said)
            self.said += 1


@dataclass
class Contest:
    """What came of a contest, asked past the proxy."""

    rivals: list[Rival]
    stored: Stored

    @property
    def blocks(self) -> list[list[tuple[int, int]]]:
        """What lies behind each opening of another claim, in order: by whom, and its number.

        An end has the number -1.
        """
        blocks, writer = [], None
        for line in map(json.loads, self.stored.lines):
            if line["type"] == "segment_opened" and line["writer"] != writer:
                writer = line["writer"]
                blocks.append([])
            elif line["type"] == "note":
                blocks[-1].append((line["by"], line["number"]))
            elif line["type"] == "finished":
                blocks[-1].append((blocks[-1][-1][0], -1))
        return [block for block in blocks if block]


CONTESTS = [f"trial-RIVALS-{number}" for number in range(10)]


@pytest.fixture(
    scope="module",
    params=[CONTESTS[0], *[pytest.param(one, marks=pytest.mark.long) for one in CONTESTS[1:]]],
)
def contest(request, wire):
    """Four writers that come one after the other, in a storm; the id is its seed."""
    wire.fates.fates[request.param] = Storm(request.param, rate=0.15)
    rivals = [Rival(name) for name in range(4)]
    until = time.monotonic() + 2.0
    with ThreadPoolExecutor(len(rivals)) as pool:
        list(pool.map(lambda rival: rival.work(wire.root, request.param, until), rivals))
    return Contest(rivals, Stored(wire.past, request.param))


def test_what_one_says_is_never_mixed_with_what_another_says(contest):
    """Behind the opening of a claim lies what its writer said, and no other's."""
    names = [{by for by, _ in block} for block in contest.blocks]

    assert [len(block) for block in names] == [1] * len(names)
    assert len(set.union(*names)) == len(names)


def test_of_each_there_is_what_it_was_told_and_in_order(contest):
    """All that was acknowledged is there, and of the rest a beginning, each event once."""
    said = {block[0][0]: [n for _, n in block if n >= 0] for block in contest.blocks}
    there = {rival.name: said.get(rival.name, []) for rival in contest.rivals}

    assert there == {name: list(range(len(numbers))) for name, numbers in there.items()}
    assert [r.name for r in contest.rivals if len(there[r.name]) < r.acknowledged] == []


def test_whoever_lost_the_run_learns_it(contest):
    """Each either came to its end or is told that another has the run, and not by a time-out."""
    ended = {block[-1][0] for block in contest.blocks if block[-1][1] == -1}
    waited = [rival.refused_seconds or 0.0 for rival in contest.rivals]

    assert {rival.name for rival in contest.rivals if not rival.is_fenced} == ended
    assert max(waited) < PATIENCE_SECONDS / 2


def test_the_chain_of_all_of_them_is_sound(contest):
    """Hashes and numbers go on from one to the next."""
    numbers = [json.loads(line)["seq"] for line in contest.stored.lines]

    assert contest.stored.damages == []
    assert all(after - before in (0, 1) for before, after in itertools.pairwise(numbers))
