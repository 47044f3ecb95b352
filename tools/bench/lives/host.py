"""A host's clock: wrong by some hours, drifting, and set now and then."""

from dataclasses import dataclass
from random import Random
from typing import Self

from journal.clock import NS


@dataclass(frozen=True, slots=True)
class HostClock:
    """What a host believes at a true time: `steps` are (true time, seconds it is set forward)."""

    begun: float
    skew: float = 0.0
    drift: float = 0.0  # seconds a second
    steps: tuple[tuple[float, float], ...] = ()

    @classmethod
    def drawn(cls, chance: Random, begun: float, until: float) -> Self:
        """Draw a clock that nobody looks after."""
        skew = chance.choice((0.0, chance.gauss(0, 5), chance.uniform(-14, 14) * 3600))
        drift = chance.gauss(0, 60e-6)
        steps = []
        if chance.random() < 0.3:
            sign = chance.choice((-1, 1))
            seconds = 10 ** chance.uniform(-1, 3.6)
            steps.append((chance.uniform(begun, until), sign * seconds))
        return cls(begun, skew, drift, tuple(steps))

    def time(self, at: float) -> float:
        """Return what the host's clock shows at a true time."""
        shown = at + self.skew + self.drift * (at - self.begun)
        for when, seconds in self.steps:
            if when <= at:
                shown += seconds
        return shown

    def ns(self, at: float) -> int:
        """Return it as nanoseconds since the epoch."""
        return int(self.time(at) * NS)
