"""A follower judges each run by its main stream, whatever lives beside it."""

import fakes
import pytest
from fakes import RUN
from fold.growing import Growing

from journal import clock
from journal.cli.following import Follower
from journal.compactor import Compactor
from readers.tail import Tail


@pytest.mark.parametrize("lively", [False, True])
def test_a_lost_run_ends_its_follower(lively, monkeypatch):
    """Main is silent for hours; a side stream may beat on."""
    run, passed = Growing(), [0.0]
    run.store._now = lambda: fakes.STORE_TIME + passed[0]
    run.write([(name, [(0, "started")], None, False) for name in ("main", "side")])
    Compactor(run.store, RUN).compact()
    monkeypatch.setattr(clock, "monotonic", lambda: passed[0])
    monkeypatch.setattr(clock, "now", lambda: fakes.STORE_TIME + passed[0])

    def sleep(_seconds):
        passed[0] += 20.0
        if lively:
            run.write([("side", [(passed[0] / 60, "heartbeat")], None, False)])
        assert passed[0] < 3 * 3600, "it does not end"

    monkeypatch.setattr(clock, "sleep", sleep)
    tail = Tail(run.store, RUN)
    list(tail.everything())

    for _ in Follower(run.store, [], until=None, ends_when_lost=True).batches(tail):
        pass

    assert passed[0] > 60
