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
from journal.recorder import outbox, recovery, sender, spool
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
def small_world(rng: Random, aside: Random | None = None) -> Iterator[None]:
    """Let segments be so small that they roll within a few flushes, and chance come from `rng`.

    Memory is small too, now and then, so that what waits does so in the spool.
    """
    chance, aside = Chance(rng), aside or Random(0)
    replaced: list[tuple[Any, str, Any]] = [
        (stream, "SEGMENT_ROLL_BYTES", rng.choice((500, 900, 1500))),
        (stream, "SEGMENT_ROLL_FLUSHES", rng.choice((1, 2, 4))),
        (stream, "SEGMENT_MAX_BYTES", rng.choice((2000, 3000, 6000))),
        (claim, "StreamWriter", Watched),
        (claim, "uuid4", chance.uuid4),
        (sender, "uniform", chance.uniform),
        (recovery, "sleep", lambda _: None),
        (sender, "SEGMENT_MAX_BYTES", aside.choice((1000, 3000))),
        (outbox, "OUTBOX_SOFT_BYTES", aside.choice((500, 2000, 1 << 24))),
        (outbox, "SPOOL_CUT_BYTES", aside.choice((200, 1000))),
        (spool, "SPOOL_READ_BYTES", aside.choice((2000, 5000))),
        (spool, "SPOOL_MARK_BYTES", aside.choice((1, 500))),
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
