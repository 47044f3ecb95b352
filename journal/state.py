"""What is known of a stream after some of its records; `journal.fold` makes it. Pure.

State is bounded: counters and the latest of things, never a list of files. Times are seconds since
the epoch on the store's clock: a record's `ts` plus its stream's newest `clock_offset`.
"""

from dataclasses import dataclass, field
from typing import Any, Self

from journal.limits import STALL_GAPS, STALL_MAX_SECONDS, STALL_MIN_SECONDS


@dataclass(slots=True)
class Sources:
    """What counts of some sources of one sub-phase."""

    sources: int = 0
    completed: int = 0
    files: int = 0
    bytes: int = 0


@dataclass(slots=True)
class SourceState:
    """What is known of a source: (sub-phase, name). `found_*` was finished by earlier attempts."""

    source: str
    sub_phase: str
    attempt: int
    started: float
    spoke: float
    files_total: int | None = None
    bytes_total: int | None = None
    found_files: int = 0
    found_bytes: int = 0
    files: int = 0  # done by this attempt
    bytes: int = 0  # moved by this attempt, parts of unfinished files included
    file_bytes: int = 0  # of finished files
    skipped: int = 0
    errors: int = 0
    ended: float | None = None
    failed: bool = False  # it ended with an error that was fatal to it

    @property
    def summed(self) -> Sources:
        """What counts of it, with what earlier attempts had finished."""
        return Sources(
            sources=1,
            completed=int(self.ended is not None and not self.failed),
            files=self.files + self.found_files,
            bytes=self.bytes + self.found_bytes,
        )


@dataclass(slots=True)
class ErrorClass:
    """Errors of one class: how many, when first and last, and the last one's words."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0
    message: str = ""


@dataclass(slots=True)
class PhaseState:
    """A phase or sub-phase and when it began."""

    phase: str
    sub_phase: str
    operation: str | None
    started: float


@dataclass(slots=True)
class Wait:
    """A declared wait: no work is due before `until`."""

    reason: str
    since: float
    until: float


@dataclass(slots=True)
class Finish:
    """How an attempt ended."""

    status: str
    message: str | None
    at: float


@dataclass(slots=True)
class StreamState:
    """All that is known of a stream so far."""

    # The process, from segment_opened and heartbeats.
    epoch: int = 0
    writer: str = ""
    host: str = ""
    pid: int = 0
    clock_offset: float = 0.0
    flush_seconds: float = 0.0
    heartbeat_seconds: float = 0.0
    sealed: str | None = None  # why the newest segment was sealed, None while it is open
    opened: float = 0.0
    sealed_bytes: int = 0  # of that segment, up to its seal
    # The run's own words.
    job: str | None = None
    attempt: int = 0
    started: float | None = None  # of the first attempt
    attempt_started: float | None = None
    sources_total: int | None = None
    phases: list[PhaseState] = field(default_factory=list)
    sources: list[SourceState] = field(default_factory=list)
    others: dict[str, Sources] = field(default_factory=dict)  # no longer named, by sub-phase
    errors: dict[str, ErrorClass] = field(default_factory=dict)
    errors_total: int = 0
    skipped: int = 0
    dropped: int = 0
    drop_reason: str | None = None
    in_flight: list[Any] = field(default_factory=list)
    beat: dict[str, Any] | None = None
    wait: Wait | None = None
    finish: Finish | None = None
    # Signs of life and of work.
    last_record: float | None = None  # any record
    alive: float | None = None  # a record that counts as a sign of life
    worked: float | None = None  # evidence of work other than CPU
    burned: float | None = None  # evidence of CPU
    longest_gap: float = 0.0  # seconds between two evidences of work, no wait between
    last_ts: float = 0.0

    @property
    def stall_seconds(self) -> float:
        """How long this stream may show no work before it counts as stalled."""
        return min(max(STALL_MIN_SECONDS, STALL_GAPS * self.longest_gap), STALL_MAX_SECONDS)

    @property
    def phase(self) -> PhaseState | None:
        """The phase that was said last."""
        return self.phases[-1] if self.phases else None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Rebuild a state from its JSON form.

        Raises TypeError, ValueError, KeyError or AttributeError if it is none.
        """
        state = cls(**stored)
        state.phases = [PhaseState(**item) for item in stored["phases"]]
        state.sources = [SourceState(**item) for item in stored["sources"]]
        state.others = {key: Sources(**item) for key, item in stored["others"].items()}
        state.errors = {key: ErrorClass(**item) for key, item in stored["errors"].items()}
        state.wait = Wait(**stored["wait"]) if stored["wait"] else None
        state.finish = Finish(**stored["finish"]) if stored["finish"] else None
        return state


def is_working(state: StreamState, at: float) -> bool:
    """Tell whether at that time the last evidence of work is recent enough, or a wait is open.

    CPU alone holds a stall off for STALL_MAX_SECONDS after the last other evidence.
    """
    if state.worked is None or (state.wait is not None and at <= state.wait.until):
        return True
    worked = max(state.worked, state.wait.until if state.wait is not None else state.worked)
    idle = at - worked
    burning = state.burned is not None and at - state.burned <= state.stall_seconds
    return idle <= (STALL_MAX_SECONDS if burning else state.stall_seconds)
