"""What is known of a stream after some of its records; `journal.fold` makes it. Pure.

State is bounded: counters and the latest of things, never a list of files. Times are seconds since
the epoch on the store's clock: a record's `ts` plus its stream's newest `clock_offset`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import UnionType
from typing import Any, Final, Self, TypeVar, get_args, get_origin, get_type_hints

from journal.limits import COUNT_MAX, STATE_TEXT_CHARS
from journal.work import Work

_ITEMS_MAX: Final = 1024  # of a list or mapping in a stored state; what is folded keeps fewer


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
    has_grown: bool = False  # a total was raised after it had begun
    work: Work = field(default_factory=Work)

    @property
    def summed(self) -> Sources:
        """What counts of it, with what earlier attempts had finished."""
        return Sources(
            sources=1,
            completed=int(self.ended is not None and not self.failed),
            files=self.files + self.found_files,
            bytes=self.bytes + self.found_bytes,
        )

    @property
    def totals_grow(self) -> bool:
        """Tell whether there is more of it than was said at first."""
        done_files = self.found_files + self.files + self.skipped
        done_bytes = self.found_bytes + self.bytes
        return (
            self.has_grown
            or (self.files_total is not None and done_files > self.files_total)
            or (self.bytes_total is not None and done_bytes > self.bytes_total)
        )


@dataclass(slots=True)
class Planned:
    """A source to come, and what is known of it. Without a sub-phase it is of the first one."""

    source: str
    sub_phase: str | None = None
    files: int | None = None
    bytes: int | None = None


@dataclass(slots=True)
class Former:
    """What a source cost in the last finished run of the same job.

    `seconds` is the sum over its files, `wall_seconds` from its begin to its end without waits.
    """

    source: str
    sub_phase: str
    files: int
    bytes: int
    seconds: float
    wall_seconds: float


@dataclass(slots=True)
class ErrorClass:
    """Errors of one class: how many, when first and last, and the last one's words."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0
    message: str = ""


@dataclass(slots=True)
class PhaseState:
    """A phase or sub-phase, when it began, and the limits declared for it.

    `stall_seconds` without work is a stall; fewer than `min_rate_bytes` in `min_rate_seconds` are
    no work.
    """

    phase: str
    sub_phase: str
    operation: str | None
    started: float
    stall_seconds: float | None = None
    min_rate_bytes: int = 0
    min_rate_seconds: float = 0.0


@dataclass(slots=True)
class Wait:
    """A declared wait: no work is due before `until`, which the job has said if `is_bounded`."""

    reason: str
    since: float
    until: float
    is_bounded: bool = False


@dataclass(slots=True)
class Mark:
    """How many files and bytes a stream had done at a time."""

    at: float
    files: int
    bytes: int


@dataclass(slots=True)
class Prediction:
    """What was said of the end at an instant: when it would be, and its 80 % interval."""

    at: float
    end: float
    low: float
    high: float


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
    planned: list[Planned] = field(default_factory=list)
    former: list[Former] = field(default_factory=list)
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
    erred: float | None = None  # an error that the job told of
    filed: float | None = None  # a file was done or left out, or the end of a wait for one
    extended_until: float | None = None  # no stall begins before
    files: int = 0  # done since the stream began, by every attempt
    moved: int = 0  # bytes, parts of unfinished files included
    marks: list[Mark] = field(default_factory=list)
    beaten: float | None = None  # the last heartbeat, and what had been told of by then
    files_at_beat: int = 0
    moved_at_beat: int = 0
    rate_since: float | None = None  # where the declared rate is measured from
    rate_bytes: int = 0
    # The end as it was foretold, and when it is to be foretold again.
    predictions: list[Prediction] = field(default_factory=list)
    predict_at: float = 0.0
    waited: float = 0.0  # seconds of declared waits that are over, of this attempt
    longest_gap: float = 0.0  # seconds between two evidences of work, no wait between
    last_ts: float = 0.0

    @property
    def phase(self) -> PhaseState | None:
        """The phase that was said last."""
        return self.phases[-1] if self.phases else None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Rebuild a state from its JSON form.

        Raises TypeError, ValueError, KeyError or AttributeError if it is none, down to the kind of
        every value: what another hand wrote must not break the fold that goes on from it.
        """
        state = cls(**stored)
        state.phases = [rebuilt(PhaseState, item) for item in stored["phases"]]
        state.planned = [rebuilt(Planned, item) for item in stored.get("planned", [])]
        state.former = [rebuilt(Former, item) for item in stored.get("former", [])]
        state.sources = [_source(item) for item in stored["sources"]]
        state.predictions = [rebuilt(Prediction, item) for item in stored.get("predictions", [])]
        state.others = {key: rebuilt(Sources, item) for key, item in stored["others"].items()}
        state.errors = {key: rebuilt(ErrorClass, item) for key, item in stored["errors"].items()}
        state.marks = [rebuilt(Mark, item) for item in stored.get("marks", [])]
        state.wait = rebuilt(Wait, stored["wait"]) if stored["wait"] else None
        state.finish = rebuilt(Finish, stored["finish"]) if stored["finish"] else None
        if not all(map(_is_flat, [state.beat or {}, *state.in_flight])):
            raise ValueError("beat or in_flight is not of its kind")
        return checked(state)


def _source(stored: dict[str, Any]) -> SourceState:
    return rebuilt(SourceState, {**stored, "work": rebuilt(Work, stored.get("work", {}))})


Part = TypeVar("Part")


def rebuilt(kind: type[Part], stored: Any) -> Part:
    """Rebuild a part of a state. Raises TypeError or ValueError if it is none."""
    return checked(kind(**stored))


def checked(part: Part) -> Part:
    """Return a part whose values are all of their fields' kinds; raises ValueError otherwise."""
    kind: Any = type(part)
    for name, is_sound in _checks_of(kind):
        if not is_sound(getattr(part, name)):
            raise ValueError(f"{type(part).__name__}.{name} is not of its kind")
    return part


@cache
def _checks_of(kind: Any) -> list[tuple[str, Callable[[Any], bool]]]:
    return [(name, _check_of(hint)) for name, hint in get_type_hints(kind).items()]


def _check_of(hint: Any) -> Callable[[Any], bool]:
    """Return what tells whether a value of a stored document is of a kind, and within bounds."""
    kinds = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    is_optional = type(None) in kinds
    (kind,) = kinds - {type(None)}
    within = _WITHIN.get(get_origin(kind) or kind, lambda value: isinstance(value, kind))
    return lambda value: (value is None and is_optional) or within(value)


def _is_flat(item: Any) -> bool:
    kinds = (str, int, float, bool, type(None))
    return type(item) is dict and all(type(value) in kinds for value in item.values())


_WITHIN: Final[dict[Any, Callable[[Any], bool]]] = {
    bool: lambda value: type(value) is bool,
    int: lambda value: type(value) is int and 0 <= value < 2**63,
    float: lambda value: type(value) in (int, float) and abs(value) <= COUNT_MAX,
    str: lambda value: type(value) is str and len(value) <= STATE_TEXT_CHARS,
    list: lambda value: type(value) is list and len(value) <= _ITEMS_MAX,
    dict: lambda value: type(value) is dict and len(value) <= _ITEMS_MAX,
}
