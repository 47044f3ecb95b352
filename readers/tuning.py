"""What other stall limits would have said of runs that are over. Pure.

A run's records are folded again, and between any two of them the rule that every reader judges by
is asked, once for each limit, when it would have called a stall.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import Final, Literal

from journal import events, foreign, sections, signs
from journal.clock import StampReader
from journal.events import Record
from journal.fold import fold
from journal.layout import MAIN
from journal.limits import LOST_PROMISES, PHASES_KEPT
from journal.segments import PRUNED
from journal.state import StreamState

DEFAULT: Final = None  # the limit that adapts to a run's own pauses
LIMITS: Final = (DEFAULT, *(60.0 * minutes for minutes in (5, 10, 15, 20, 30, 45, 60, 90)))

_BATCH_SECONDS: Final = 60.0  # files that follow each other so closely: no limit is that short
_BATCH_RECORDS: Final = 1000
_TIMES_KEPT: Final = 1000  # of true alarms, for their median
_FILES: Final = (events.FILE_DONE, events.FILE_SKIPPED)

Outcome = Literal["false", "true", "open"]  # work came again; it never did; nobody knows
Place = tuple[str, str]  # phase and sub-phase
ELSEWHERE: Final = ("…", "")  # all that are too many


@dataclass(slots=True)
class Tally:
    """The alarms of one limit, and by how many seconds the true ones came before others."""

    false_alarms: int = 0
    true_alarms: int = 0
    open_alarms: int = 0
    before_end: list[float] = field(default_factory=list)  # that somebody put to the run
    before_default: list[float] = field(default_factory=list)  # limit had called it

    def add(self, other: "Tally") -> None:
        """Add what another run gave."""
        self.false_alarms += other.false_alarms
        self.true_alarms += other.true_alarms
        self.open_alarms += other.open_alarms
        self.before_end += other.before_end[: _TIMES_KEPT - len(self.before_end)]
        self.before_default += other.before_default[: _TIMES_KEPT - len(self.before_default)]


@dataclass(slots=True)
class Findings:
    """What each limit gave in one sub-phase, in the order of `limits`."""

    tallies: list[Tally]
    longest_pause: float = 0.0  # seconds without work that work followed, if a limit noticed it

    def add(self, other: "Findings") -> None:
        """Add what another run gave."""
        self.longest_pause = max(self.longest_pause, other.longest_pause)
        for tally, more in zip(self.tallies, other.tallies, strict=True):
            tally.add(more)


@dataclass(frozen=True, slots=True)
class _Call:
    """A stall that a limit has called: when, since when work was due, and in which sub-phase."""

    at: float
    due: float
    place: Place


class Rehearsal:
    """One run judged by several limits at once; records come in the order of their times."""

    def __init__(self, limits: Sequence[float | None] = LIMITS) -> None:
        """Prepare to judge by each of `limits`: seconds declared, or DEFAULT."""
        self.limits = limits
        self.places: dict[Place, Findings] = {}
        self._shortest = min((limit for limit in limits if limit is not None), default=inf)
        self._shortest = min(self._shortest, signs.adapted_limit(StreamState()).seconds)
        self._states: dict[str, StreamState] = {}
        self._calls: dict[int, _Call] = {}
        self._heard = -inf  # the newest record's time
        self._waiting: list[tuple[str, Record]] = []  # files not folded yet
        self._read_ts = StampReader()

    @property
    def is_empty(self) -> bool:
        """Tell whether the run's records are not there, or not any more."""
        main = self._states.get(MAIN)
        return not self._states or (main is not None and main.sealed == PRUNED)

    def take(self, stream: str, record: Record) -> None:
        """Take in the next record of a stream."""
        state = self._states.setdefault(stream, StreamState())
        kind, at = record["type"], self._time_of(state, record)
        if kind in _FILES and not self._calls and 0 <= at - self._heard <= _BATCH_SECONDS:
            # They are the bulk of a journal, and where files follow each other nothing stalls.
            self._heard = at
            self._waiting.append((stream, record))
            if len(self._waiting) >= _BATCH_RECORDS:
                self._fold_waiting()
            return
        self._fold_waiting()
        self._judge(at)
        self._take_one(stream, state, kind, record)
        self._heard = max(self._heard, at)

    def end(self, store_time: float) -> str:
        """Return how the run ended; `store_time` is the store's, behind the last record.

        One of completed, failed, aborted, preempted, lost, handed over, running.
        """
        self._fold_waiting()
        lead = self._lead()
        if lead.finish is not None:
            return lead.finish.status
        if lead.sealed in sections.CLOSED:
            self._settle("open", self._heard)
            return "handed over"
        promised = sections.silence_promised(self._states.values())
        self._judge(store_time)
        if store_time - self._heard <= LOST_PROMISES * promised:
            self._settle("open", self._heard)
            return "running"
        self._settle("true", self._heard)
        return "lost"

    def _take_one(self, stream: str, state: StreamState, kind: str, record: Record) -> None:
        was_over = state.finish is not None
        if kind == events.STARTED and stream == MAIN:
            self._settle("true", self._heard)  # somebody has put an end to the attempt before
        fold(state, [record])
        if stream == MAIN and state.finish is not None and not was_over:
            at = state.finish.at
            status = state.finish.status
            outcomes: dict[str, Outcome] = {"completed": "false", "preempted": "open"}
            self._settle(outcomes.get(status, "true"), at)
        elif kind == events.PHASE and stream == MAIN:
            self._findings(self._place())
        if self._calls:
            self._answer(state.last_ts + state.clock_offset)

    def _time_of(self, state: StreamState, record: Record) -> float:
        """Return a record's time on the store's clock, as the fold will take it."""
        said = foreign.instant(record["ts"], self._read_ts)
        offset = state.clock_offset
        if record["type"] in (events.HEARTBEAT, events.SEGMENT_OPENED):
            offset = foreign.offset(record.get("clock_offset"), offset)
        return (state.last_ts if said is None else said) + offset

    def _fold_waiting(self) -> None:
        streams: dict[str, list[Record]] = {}
        for stream, record in self._waiting:
            streams.setdefault(stream, []).append(record)
        self._waiting = []
        for stream, records in streams.items():
            fold(self._states[stream], records)

    def _judge(self, at: float) -> None:
        """Let each limit call a stall that it would have called before `at`."""
        states = [state for state in self._states.values() if state.opened or state.last_record]
        if not states or self._lead().finish is not None:
            return
        # What nobody was heard of in is no idleness: a silence is for liveness to judge.
        heard = self._heard + sections.silence_promised(states)
        horizon = min(at, heard)
        due = max(map(signs.due_since, states))
        if horizon - due <= self._shortest:
            return
        for number, limit in enumerate(self.limits):
            stalls_at = max(_stalls_at(state, limit) for state in states)
            if number not in self._calls and stalls_at < horizon:
                self._calls[number] = _Call(stalls_at, due, self._place())

    def _answer(self, at: float) -> None:
        """Call those alarms false that work has answered."""
        states = self._states.values()
        due = max(map(signs.due_since, states))
        for number, call in list(self._calls.items()):
            stalls_at = max(_stalls_at(state, self.limits[number]) for state in states)
            if due > call.due and stalls_at >= at:
                self._count(number, "false", at)
                findings = self._findings(call.place)
                findings.longest_pause = max(findings.longest_pause, at - call.due)
                del self._calls[number]

    def _settle(self, outcome: Outcome, at: float) -> None:
        """Let the run, or an attempt, be over: no alarm is answered any more."""
        for number in self._calls:
            self._count(number, outcome, at)
        self._calls = {}

    def _count(self, number: int, outcome: Outcome, at: float) -> None:
        call = self._calls[number]
        tally = self._findings(call.place).tallies[number]
        if outcome == "open":
            tally.open_alarms += 1
        elif outcome == "false":
            tally.false_alarms += 1
        else:
            tally.true_alarms += 1
            if len(tally.before_end) < _TIMES_KEPT:
                tally.before_end.append(max(0.0, at - call.at))
                by_default = self._calls.get(0) if self.limits[0] is DEFAULT else None
                late = call.at if number == 0 else at if by_default is None else by_default.at
                tally.before_default.append(late - call.at)

    def _findings(self, place: Place) -> Findings:
        if place not in self.places and len(self.places) >= PHASES_KEPT:
            place = ELSEWHERE
        if place not in self.places:
            self.places[place] = Findings([Tally() for _ in self.limits])
        return self.places[place]

    def _lead(self) -> StreamState:
        states = self._states
        if MAIN in states:
            return states[MAIN]
        return max(states.values(), key=lambda state: state.last_record or 0.0)

    def _place(self) -> Place:
        phase = self._lead().phase
        return (phase.phase, phase.sub_phase) if phase is not None else ("", "")


def _stalls_at(state: StreamState, limit: float | None) -> float:
    if limit is DEFAULT:
        return signs.stalls_at(state, signs.adapted_limit(state))
    return signs.stalls_at(state, signs.declared_limit(state, limit, ""))


@dataclass(slots=True)
class Tuning:
    """What each limit gave over several runs of a job."""

    limits: Sequence[float | None] = LIMITS
    runs: dict[str, str] = field(default_factory=dict)  # how each ended, newest first
    places: dict[Place, Findings] = field(default_factory=dict)

    def add(self, run_id: str, ended: str, places: dict[Place, Findings]) -> None:
        """Add what a rehearsed run gave."""
        self.runs[run_id] = ended
        for place, findings in places.items():
            kept = place if place in self.places or len(self.places) < PHASES_KEPT else ELSEWHERE
            known = self.places.setdefault(kept, Findings([Tally() for _ in self.limits]))
            known.add(findings)

    def total(self) -> Findings:
        """Return what each limit gave over all sub-phases."""
        total = Findings([Tally() for _ in self.limits])
        for findings in self.places.values():
            total.add(findings)
        return total

    def recommended(self, findings: Findings) -> float | None:
        """Return the shortest of the declared limits that gave no false alarm, None if all did."""
        fit = (
            limit
            for limit, tally in zip(self.limits, findings.tallies, strict=True)
            if limit is not None and not tally.false_alarms
        )
        return min(fit, default=None)


def middle(seconds: Iterable[float]) -> float | None:
    """Return the median, None of nothing."""
    kept = list(seconds)
    return median(kept) if kept else None
