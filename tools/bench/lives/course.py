"""When a process lives: its begin, where it was stopped, when it could not reach its store."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Course:
    """Times are true ones, in seconds since the epoch; spans are (begin, end), half-open."""

    begin: float
    until: float = inf  # no step of it after this: a crash, or the end of what is looked at
    stops: tuple[tuple[float, float], ...] = ()  # in order, apart from each other
    cuts: tuple[tuple[float, float], ...] = ()
    heartbeat_seconds: float = 180.0

    def worked(self, at: float) -> float:
        """Return the seconds of work until a true time."""
        return (
            at - self.begin - sum(min(at, end) - begin for begin, end in self.stops if begin < at)
        )

    def at(self, work: float) -> float:
        """Return the true time at which so much work is done."""
        reached = self.begin + work
        for begin, end in self.stops:
            if reached > begin:
                reached += end - begin
        return reached

    def is_cut(self, at: float) -> bool:
        """Whether the store cannot be reached."""
        return any(begin <= at < end for begin, end in self.cuts)

    def awake(self, at: float) -> float:
        """Return when a step that is due at a true time is taken."""
        for begin, end in self.stops:
            if begin <= at < end:
                return end
        return at
