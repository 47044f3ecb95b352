"""Runs are pruned while everybody comes back at the wrong moment, and the promises hold."""

from collections import Counter

import pytest

from tests.simulation.prune_history import simulate_prune
from tests.simulation.prune_mutants import PRUNE_MUTANTS

HISTORIES = 120
LONG_HISTORIES = 20_000
SEEDS = 150  # within so many histories these die …
LONG_SEEDS = 3000  # … and those
RARE = (
    "beside_a_pruned_main_nothing_ages",
    "claims_do_not_look_back",
    "ends_are_taken_by_force",
    "holes_are_folded_over",
    "moved_tail_is_taken",
)


def test_no_promise_is_broken():
    """`simulate_prune(seed, print)` shows what happened."""
    outcomes = {seed: simulate_prune(seed) for seed in range(HISTORIES)}
    counts = sum((referee.counts for _, referee in outcomes.values()), Counter())

    assert {seed: breach for seed, (breach, _) in outcomes.items() if breach} == {}
    assert counts["ends taken"] >= HISTORIES
    assert counts["strays"] >= 10
    assert counts["fenced by a prune"] >= 10


@pytest.mark.parametrize("name", [name for name in PRUNE_MUTANTS if name not in RARE])
def test_every_rule_matters(name):
    """With one switched off, a promise is broken."""
    assert dies(name, SEEDS)


@pytest.mark.long
@pytest.mark.parametrize("name", RARE)
def test_rules_for_rare_moments_matter(name):
    assert dies(name, LONG_SEEDS)


def dies(name, seeds):
    """Tell whether a mutant is found out, and not by being no proper replacement."""
    with PRUNE_MUTANTS[name].alive():
        breaches = (simulate_prune(seed)[0] for seed in range(seeds))
        breach = next(filter(None, breaches), None)
    return breach is not None and not breach.startswith(("TypeError", "AttributeError"))


@pytest.mark.long
def test_no_promise_is_broken_in_many_histories():
    outcomes = map(simulate_prune, range(HISTORIES, HISTORIES + LONG_HISTORIES))

    assert [breach for breach, _ in outcomes if breach is not None] == []
