"""No false alarm: in simulated histories of kills, lost replies and takeovers, all is sound."""

from random import Random

import pytest

from journal.errors import Missing, Unavailable
from readers.verify import verify
from tests.simulation.history import History
from tests.simulation.referee import RUN
from tests.simulation.seams import small_world
from tests.simulation.world import Process

HISTORIES = 120
LONG_HISTORIES = 5_000


class Verifying(Process):
    """Verifies the run again and again, while it is written."""

    verdicts = 0

    def run(self):
        while not self.world.is_calm:
            self.look()
            self.actor.sleep(20.0 * self.world.rng.random())

    def look(self):
        try:
            found = verify(self.connection, RUN)
        except (Missing, Unavailable):
            return
        self.verdicts += 1
        if found.damages:
            self.world.referee.fail(f"{self.name} finds: {found.damages[0]}")


class VerifiedHistory(History):
    """A history that two are watching from its begin to its end."""

    def __init__(self, rng, trace=None):
        super().__init__(rng, trace)
        self.watchers = []

    def _contest(self):
        super()._contest()
        self.watchers = [Verifying(self.world, f"verifier-{number}") for number in (0, 1)]
        for watcher in self.watchers:
            self._start(watcher)

    def _conclude(self):
        super()._conclude()
        last = Verifying(self.world, "verifier")
        last.run = last.look
        self._let([last])
        self.watchers.append(last)


def breach_of(seed):
    """What a history breaks, None if nothing, and how often it was verified."""
    with small_world(rng := Random(seed)):
        history = VerifiedHistory(rng)
        try:
            history.run()
        finally:
            for process in history.world.processes:
                process.actor.kill()
    return history.referee.breach, sum(watcher.verdicts for watcher in history.watchers)


def test_what_the_protocol_writes_is_sound_at_any_moment():
    """However writers die and take over, and whatever is read between two requests of theirs."""
    breaches, verdicts = zip(*map(breach_of, range(HISTORIES)), strict=True)

    assert {breach for breach in breaches if breach} == set()
    assert sum(verdicts) > HISTORIES


@pytest.mark.long
def test_it_is_sound_in_many_histories():
    """The same, more often."""
    seeds = range(HISTORIES, HISTORIES + LONG_HISTORIES)

    assert {breach for breach, _ in map(breach_of, seeds) if breach} == set()
