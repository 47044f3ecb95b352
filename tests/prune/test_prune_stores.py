"""The same over every store: a run is pruned, and what is left is what everybody expects."""

import fakes
import pytest
from prune.lived import RUN, TOMBSTONE, beside, live, segments, types

from journal.claim import Claim
from journal.errors import Pruned
from journal.prune import look, prune
from journal.stores import connect
from journal.stores.memory import MemoryStore


@pytest.fixture(params=["memory", "local", "moto", "weed"])
def store(request, tmp_path):
    """A store; S3's times cannot be set, so that a run of just now is old enough."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "local":
        return connect(str(tmp_path))
    return connect(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr("journal.prune.PRUNE_MIN_SECONDS", -60.0)


@pytest.mark.usefixtures("_hasty")
def test_a_run_is_pruned(store):
    """Ages come from the listing and the store's own time, which lie close together."""
    live(store)
    beside(store)
    found = look(store, RUN, -60.0)

    done = prune(store, RUN, -60.0)

    assert -2.0 <= found.age_seconds < 60.0
    assert (done.why_kept, done.segments) == (None, 5)
    assert (segments(store), segments(store, "beside")) == ([0, 4], [0, 1])
    assert [types(store, segment) for segment in (0, 4)] == [TOMBSTONE, TOMBSTONE]
    assert look(store, RUN, -60.0).segments == 0


def test_it_is_claimed_no_more(store):
    live(store)
    prune(store, RUN, -60.0)

    with pytest.raises(Pruned):
        Claim(fakes.stream(store), resume=True).attempt()
