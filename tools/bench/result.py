"""A number with its limit, and the lines that tell of it."""

from dataclasses import asdict, dataclass
from typing import Any, Final

TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured, the limit it is held against, and how it was taken.

    The limit is the greatest value allowed, or the least with `is_floor`.
    """

    name: str
    value: float
    limit: float
    unit: str
    how: str
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the value is on the right side of its limit."""
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def verdict(self, *, judged: bool) -> str:
        """Return `ok`, `MISSED`, or that the run was too short to judge by."""
        if not judged:
            return "not judged"
        return "ok" if self.is_met else "MISSED"

    def line(self, *, judged: bool) -> str:
        """Return the line for people."""
        sign = "≥" if self.is_floor else "≤"
        value, limit = (f"{_shown(number)} {self.unit}" for number in (self.value, self.limit))
        return f"{self.name}: {value} ({sign} {limit}) {self.verdict(judged=judged)}; {self.how}"

    def fields(self, *, judged: bool) -> dict[str, Any]:
        """Return what the line for machines holds."""
        return {**asdict(self), "verdict": self.verdict(judged=judged)}


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) or number >= 100 else f"{number:.3g}"
