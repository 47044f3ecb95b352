"""A prune that is killed between any two of its requests, and what everybody finds then."""

import fakes
import orjson
import pytest
from prune.lived import (
    RUN,
    TOMBSTONE,
    WEEK,
    Times,
    beside,
    document,
    live,
    memory,
    segments,
    types,
)

from journal.claim import Claim
from journal.compactor import Compactor
from journal.errors import Pruned
from journal.prune import look, prune
from journal.stores import read_only
from readers.tail import Tail

REQUESTS = 24  # of the prune below
EVENTS = 6  # of its run


class Killed(Exception):
    """The process is gone."""


class Mortal:
    """Passes on a number of requests; the last is applied, and nobody hears of it."""

    def __init__(self, inner, requests):
        self._inner = inner
        self._left = requests

    def get(self, key, **options):
        return self._pass(lambda: self._inner.get(key, **options))

    def put(self, key, body, **options):
        return self._pass(lambda: self._inner.put(key, body, **options))

    def delete(self, key):
        return self._pass(lambda: self._inner.delete(key))

    def list(self, prefix, **options):
        return self._pass(lambda: self._inner.list(prefix, **options))

    def _pass(self, request):
        answer = request()
        self._left -= 1
        if not self._left:
            raise Killed
        return answer


@pytest.fixture
def times():
    return Times()


@pytest.fixture
def store(times):
    """A finished run of four segments, with an abandoned stream beside it, a week later."""
    store = memory(times)
    live(store)
    beside(store)
    Compactor(store, RUN).compact(everything=True)
    times.at += WEEK
    return store


@pytest.fixture(params=range(1, REQUESTS + 1))
def killed(request, store):
    """The store after so many requests of a prune."""
    with pytest.raises(Killed):
        prune(Mortal(store, request.param), RUN, WEEK)
    return store


def test_a_prune_that_is_let_live_needs_no_more(store):
    """So the tests below kill it everywhere."""
    prune(Mortal(store, REQUESTS + 1), RUN, WEEK)

    assert look(store, RUN, WEEK).segments == 0


def test_the_same_command_goes_on(killed):
    """At once: what was written by the prune does not make the run young."""
    done = prune(killed, RUN, WEEK)

    assert done.why_kept is None
    assert (segments(killed), segments(killed, "beside")) == ([0, 4], [0, 1])
    assert {tuple(types(killed, segment)) for segment in (0, 4)} == {tuple(TOMBSTONE)}
    assert look(killed, RUN, WEEK).segments == 0


def test_the_run_is_whole_or_nobody_resumes_it(killed):
    """There is nothing between: a claimant gets all of the chain, or nothing."""
    try:
        writer = Claim(fakes.stream(killed), resume=True).attempt()
    except Pruned:
        return
    assert writer.segment == 4
    assert len(without_control_lines(Tail(read_only(killed), RUN).everything())) == EVENTS


@pytest.mark.parametrize("ask", [Tail.everything, lambda tail: tail.last(100)])
def test_a_reader_is_given_all_or_told(killed, ask):
    """No gap without saying so, and none that is called damage."""
    told = []
    tail = Tail(read_only(killed), RUN, told.append)

    found = without_control_lines(ask(tail))

    assert len(found) == EVENTS or told
    assert tail.damaged == 0


def without_control_lines(events):
    return [event for event in events if not event.record["type"].startswith("segment_")]


def test_a_compaction_finds_no_damage_and_changes_nothing(killed):
    """But the journal's own part, which names the ends of the chains, and who is still open."""
    before = orjson.loads(document(killed))

    compaction = Compactor(killed, RUN).compact(everything=True)

    after = orjson.loads(document(killed))
    assert compaction.damages == []
    assert after | {"journal": 0, "vitals": 0} == before | {"journal": 0, "vitals": 0}


def test_a_second_prune_beside_it_is_harmless(killed, times):
    """The first one was not killed but slow: it goes on when the second is done."""
    prune(killed, RUN, WEEK)
    times.at += 2 * WEEK

    assert prune(killed, RUN, WEEK).segments == 0
