"""What is said of the time still to go. Pure."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds still to go, an 80 % interval for them, and what they rest on.

    `basis` is `bytes`, `files`, `history` or `sources`; `method` says how they were come by.
    """

    remaining: float
    low: float
    high: float
    basis: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Estimates at one instant: of the run, of its sub-phases, of its sources."""

    at: float
    run: Estimate | None = None
    phases: dict[str, Estimate] = field(default_factory=dict)
    sources: dict[tuple[str, str], Estimate] = field(default_factory=dict)  # (sub-phase, source)
