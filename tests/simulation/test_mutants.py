"""Every rule of the protocol matters: with one switched off, the simulator finds a breach."""

from itertools import chain

import pytest

from tests.simulation.history import simulate
from tests.simulation.mutants import MUTANTS

SEEDS = 1500  # within so many histories every mutant dies; most within a dozen
TELLING = (430, 300, 95)  # where the rarest were found: looked at first, they spare half a minute


@pytest.mark.parametrize("name", MUTANTS)
def test_the_simulator_notices(name: str) -> None:
    with MUTANTS[name].alive():
        breaches = (simulate(seed).breach for seed in chain(TELLING, range(SEEDS)))

        assert any(breach is not None for breach in breaches)
