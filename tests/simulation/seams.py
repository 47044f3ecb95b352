"""Where the simulator gets a hold of the library: chance, small limits, the watched writer.

Everything else of the library runs as it is.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from journal import claim, stream
from journal.recorder import sender
from tests.simulation.watched import Watched


@dataclass
class Chance:
    """The history's own randomness, where the library draws for itself."""

    rng: Random

    def uuid4(self) -> "_Id":
        """Draw the id of a claim."""
        return _Id(f"{self.rng.getrandbits(64):016x}")

    def uniform(self, low: float, high: float) -> float:
        """Draw a number."""
        return low + (high - low) * self.rng.random()


@dataclass(frozen=True)
class _Id:
    hex: str


@contextmanager
def small_world(rng: Random) -> Iterator[None]:
    """Let segments be so small that they roll within a few flushes, and chance come from `rng`."""
    chance = Chance(rng)
    replaced: list[tuple[Any, str, Any]] = [
        (stream, "SEGMENT_ROLL_BYTES", rng.choice((500, 900, 1500))),
        (stream, "SEGMENT_ROLL_FLUSHES", rng.choice((1, 2, 4))),
        (stream, "SEGMENT_MAX_BYTES", rng.choice((2000, 3000, 6000))),
        (claim, "StreamWriter", Watched),
        (claim, "uuid4", chance.uuid4),
        (sender, "uniform", chance.uniform),
        (logging.getLogger("journal"), "disabled", True),
    ]
    # `unittest.mock.patch` would take as long as a tenth of a history.
    former = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    try:
        for owner, name, value in replaced:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in former:
            setattr(owner, name, value)
