"""What following costs the store: what one look asks for, of one stream, of several, of many."""

import pytest
from fold.growing import RUN, Growing

from journal import clock
from journal.compactor import Compactor
from readers.tail import Tail
from tools.bench.counted import Counted


class Watched:
    """A run of so many streams that somebody follows; a poll is one look at it."""

    def __init__(self, streams):
        self.run = Growing()
        self.write(["main", *(f"shard-{number}" for number in range(streams - 1))])
        self.counted = Counted(self.run.store)
        tail = Tail(self.counted, RUN)
        assert len(list(tail.everything())) >= streams
        self._batches = tail.follow_batches()
        self.poll()

    def write(self, names):
        self.run.write([(name, [(0, "file_done")], None, False) for name in names])
        Compactor(self.run.store, RUN).compact()

    def poll(self):
        """Return what was asked for, and of how many events it learned."""
        self.counted.requests.clear()
        events = 0
        while batch := next(self._batches):
            events += len(batch)
        return dict(self.counted.requests), events


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    monkeypatch.setattr(clock, "sleep", lambda _seconds: None)


@pytest.mark.parametrize(("streams", "segments"), [(1, 1), (3, 3), (16, 16), (17, 1), (40, 1)])
def test_nothing_new_costs_the_snapshot_and_what_may_have_moved(streams, segments):
    """Of few streams each is asked; of many the snapshot tells which, and main is asked."""
    watched = Watched(streams)

    assert watched.poll() == ({("get", "snapshot"): 1, ("get", "segment"): segments}, 0)


def test_of_many_streams_those_that_have_moved_are_read():
    watched = Watched(40)
    watched.write(["shard-3", "shard-7"])

    assert watched.poll() == ({("get", "snapshot"): 1, ("get", "segment"): 3}, 2)
    assert watched.poll() == ({("get", "snapshot"): 1, ("get", "segment"): 1}, 0)


@pytest.mark.parametrize(("streams", "lists"), [(1, 0), (3, 1), (40, 1)])
def test_streams_are_listed_every_five_minutes_if_there_are_several(streams, lists, monkeypatch):
    watched = Watched(streams)
    begin = clock.monotonic()
    found = []
    for minute in range(11):
        monkeypatch.setattr(clock, "monotonic", lambda minute=minute: begin + minute * 60)
        found.append(sum(n for (verb, _), n in watched.poll()[0].items() if verb == "list"))

    assert sum(found) == 2 * lists
    assert max(found) <= 1
