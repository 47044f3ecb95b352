"""The rules of pruning, each switched off: what histories of prunes have to notice."""

from collections.abc import Callable
from typing import Any

from journal import compactor, prune
from journal.claim import Claim
from journal.errors import Conflict
from journal.layout import MAIN
from journal.stores.contract import ABSENT, Expectation, Found, Version
from journal.stream import StreamWriter
from tests.simulation.mutant import Mutant, Replaced

PRUNE_MUTANTS: dict[str, Mutant] = {}


def mutant(owner: Any, attribute: str) -> Callable[[Callable[[Replaced], Any]], Mutant]:
    """Enter a mutant under the name of the function that makes its replacement."""

    def enter(make: Callable[[Replaced], Any]) -> Mutant:
        one = PRUNE_MUTANTS[make.__name__] = Mutant(make.__name__, owner, attribute, make)
        return one

    return enter


# Which runs.


@mutant(prune, "_why_kept")
def young_runs_are_pruned(why_kept: Replaced) -> Replaced:
    """The time since the last write does not matter."""

    def careless(reading: Any, chains: Any, age: float, older_than_seconds: float) -> Any:
        return why_kept(reading, chains, 1e12, older_than_seconds)

    return careless


@mutant(prune, "read_run")
def host_clock_is_trusted(read_run: Replaced) -> Replaced:
    """Ages are judged by the clock of the host that prunes."""

    def local(store: Any, run_id: str, **options: Any) -> Any:
        reading = read_run(store, run_id, **options)
        reading.store_time = store.clock.now()
        return reading

    return local


@mutant(prune, "_why_kept")
def unfinished_runs_are_pruned(why_kept: Replaced) -> Replaced:
    """A run may be pruned though it has not finished."""

    def careless(*arguments: Any) -> Any:
        why = why_kept(*arguments)
        return None if why == "it has not finished" else why

    return careless


@mutant(prune, "_chains")
def beside_a_pruned_main_nothing_ages(chains: Replaced) -> Replaced:
    """What was begun beside a half-pruned run is pruned at once."""

    def hasty(*arguments: Any) -> Any:
        found = chains(*arguments)
        for chain in found:
            chain.is_fenced |= found[0].stream == MAIN and found[0].is_fenced
        return found

    return hasty


# The ends of the chains.


@mutant(prune, "_fence")
def ends_are_not_taken(_: Replaced) -> Replaced:
    """The first slot becomes a tombstone and the rest is deleted, whoever may hold its end."""

    def fence(*_: Any) -> bool:
        return True

    return fence


@mutant(prune, "_replace")
def ends_are_taken_by_force(_: Replaced) -> Replaced:
    """A prune's puts replace whatever is there."""

    def replace(store: Any, key: str, body: bytes, _: Expectation) -> bool:
        found = store.get(key)
        try:
            store.put(key, body, expect=found.version if isinstance(found, Found) else ABSENT)
        except Conflict:
            return False
        return True

    return replace


@mutant(prune, "_fence")
def moved_tail_is_taken(fence: Replaced) -> Replaced:
    """The end is taken, whatever was written to it since the run was judged."""

    def bold(store: Any, chain: Any, store_time: float) -> Any:
        found = store.get(chain.key(chain.last))
        if isinstance(found, Found):
            entry = chain.slots[chain.last]
            moved = type(entry)(entry.key, found.version, entry.size, entry.modified)
            chain.slots[chain.last] = moved
        return fence(store, chain, store_time)

    return bold


@mutant(prune._Chain, "between")
def end_is_deleted_too(_: Replaced) -> Any:
    """Of a chain only the first slot is kept."""
    return property(lambda chain: list(range(1, chain.last + 1)))


# The order.


def _reordered(act: Callable[..., None]) -> Replaced:
    def prune_run(store: Any, run_id: str, older_than_seconds: float) -> Any:
        survey = prune._survey(store, run_id, older_than_seconds)
        if survey.prospect.why_kept is not None or not survey.prospect.segments:
            return survey.prospect
        for chain in survey.chains:
            if not prune._fence(store, chain, survey.store_time):
                return survey.prospect
        compactor.Compactor(store, run_id).compact(everything=True)
        act(store, survey)
        for chain in survey.chains:
            prune._bury(store, chain.key(0), survey.store_time)
        return survey.prospect

    return prune_run


@mutant(prune, "prune")
def tombstones_come_last(_: Replaced) -> Replaced:
    """The segments are deleted before their stream has its tombstone."""

    def act(store: Any, survey: Any) -> None:
        for chain in survey.chains:
            for segment in chain.between:
                store.delete(chain.key(segment))

    return _reordered(act)


@mutant(prune._Chain, "between")
def descending(_: Replaced) -> Any:
    """Segments are deleted from the end of the chain on."""
    return property(
        lambda chain: [s for s in sorted(chain.slots, reverse=True) if 0 < s < chain.last]
    )


@mutant(prune, "Compactor")
def nothing_is_kept_of_it(_: Replaced) -> Any:
    """The run is not compacted before its events go."""

    class Idle:
        def __init__(self, *_: Any) -> None:
            pass

        def compact(self, **_: Any) -> None:
            pass

    return Idle


@mutant(prune, "_bury")
def first_slot_is_deleted(_: Replaced) -> Replaced:
    """No tombstone is left of the first slot."""

    def bury(store: Any, key: str, _: float) -> None:
        store.delete(key)

    return bury


# Those who come back.


@mutant(Claim, "_check_pruned")
def claims_do_not_look_back(_: Replaced) -> Replaced:
    """A claim that could create its slot has the stream."""

    def check(*_: Any) -> None:
        pass

    return check


@mutant(StreamWriter, "_take_answer")
def writers_do_not_look_back(_: Replaced) -> Replaced:
    """A writer that could create its next slot goes on, however long it has slept."""

    def take_answer(self: StreamWriter, version: Version, *_: Any, **__: Any) -> None:
        self._apply(version)

    return take_answer


# The document.


@mutant(compactor, "_is_pruned")
def holes_are_folded_over(_: Replaced) -> Replaced:
    """What a prune has left out of a stream is damage like any other."""

    def is_pruned(*_: Any) -> bool:
        return False

    return is_pruned


@mutant(compactor.Reading, "fall_back")
def tombstones_are_folded(_: Replaced) -> Replaced:
    """A document is made of tombstones."""

    def fall_back(self: compactor.Reading, stream: str, folded: Any = None) -> None:
        if folded is not None:
            self.run[stream] = folded

    return fall_back
