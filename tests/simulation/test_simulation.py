"""The promises hold in every history that the gate looks at."""

from collections import Counter

import pytest

from tests.simulation.history import Outcome, simulate
from tests.simulation.weather import Fault

HISTORIES = 400
LONG_HISTORIES = 50_000


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """The histories of the gate; the same ones every time."""
    return [simulate(seed) for seed in range(HISTORIES)]


def test_no_promise_is_broken(outcomes: list[Outcome]) -> None:
    """`python tools/simulate.py --seed SEED --trace` shows what happened."""
    assert {o.seed: o.breach for o in outcomes if o.breach} == {}


def test_every_kind_of_fault_happens_often(outcomes: list[Outcome]) -> None:
    faults = sum((o.faults for o in outcomes), Counter[str]())

    assert {fault.value for fault in Fault if faults[fault.value] < 20} == set()


@pytest.mark.parametrize(
    ("what", "often"),
    [("acknowledged", 10_000), ("fenced", 500), ("held", 50), ("documents", 1500)],
)
def test_what_the_promises_are_about_happens_often(
    outcomes: list[Outcome], what: str, often: int
) -> None:
    assert sum(o.counts[what] for o in outcomes) >= often


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_a_seed_is_a_history(seed: int) -> None:
    first: list[str] = []
    second: list[str] = []

    assert simulate(seed, first.append) == simulate(seed, second.append)
    assert first == second


@pytest.mark.long
def test_no_promise_is_broken_in_many_histories() -> None:
    outcomes = map(simulate, range(HISTORIES, HISTORIES + LONG_HISTORIES))

    assert {o.seed: o.breach for o in outcomes if o.breach} == {}
