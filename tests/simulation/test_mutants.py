"""Every rule of the protocol matters: with one switched off, the simulator finds a breach."""

import pytest

from tests.simulation.history import simulate
from tests.simulation.mutants import MUTANTS

SEEDS = 1500  # within so many histories every mutant dies; most within a dozen


@pytest.mark.parametrize("name", MUTANTS)
def test_the_simulator_notices(name: str) -> None:
    with MUTANTS[name].alive():
        breaches = (simulate(seed).breach for seed in range(SEEDS))

        assert any(breach is not None for breach in breaches)
