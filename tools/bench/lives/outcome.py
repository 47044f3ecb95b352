"""What was said of one life, held against the truth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from journal.clock import parse_stamp
from journal.limits import HEARTBEAT_SECONDS, LOST_PROMISES, STALL_MAX_SECONDS
from tools.bench.lives import baselines
from tools.bench.lives.life import Life, Span
from tools.bench.lives.watch import Look, Reader

OURS: Final = "journal"
OLD: Final = "old monitor"  # the deployed one: it reads our `last_update`, and no more
JUDGES: Final = (OURS, OLD, *baselines.BASELINES)
_OLD_SECONDS: Final = 600.0
_FINAL: Final = ("completed", "failed", "aborted", "preempted")
# Times of records and of replies are exact to the second; nobody can be held to less.
_CLOCK_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Onset:
    """Something went wrong for good: what, what was promised, and who said so after how long."""

    condition: str
    fate: str
    limit: float  # the seconds in which it has to be said, without the poll
    strict: float  # of a death: three heartbeats, whatever the document promises
    seconds: dict[str, float]  # until a judge's first alarm
    polled: dict[str, float]  # until the poll before it

    def is_met(self, judge: str, limit: float) -> bool:
        """Whether it was said within the limit and a poll: no poll behind the limit was silent."""
        before = self.polled.get(judge)
        return before is not None and before <= limit + _CLOCK_SECONDS


@dataclass(slots=True)
class Outcome:
    """What was said of one life."""

    seed: int
    fate: str
    features: tuple[str, ...]
    polls: int = 0
    healthy_polls: int = 0
    false_alarms: dict[str, int] = field(default_factory=dict)  # polls, by judge
    onsets: list[Onset] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    blind_polls: int = 0
    blind_known: int = 0  # polls of a reader without the store that claimed to know
    apart_polls: int = 0
    apart_alarms: int = 0
    complaints: list[str] = field(default_factory=list)  # the first alarm that was false, in words


Trace = Callable[[Look, str], None]


def judged(life: Life, trace: Trace | None = None) -> Outcome:
    """Let readers watch a life to its end."""
    return _Court(life, trace).sit()


class _Court:
    def __init__(self, life: Life, trace: Trace | None) -> None:
        self._life = life
        self._trace = trace
        self._baselines = baselines.baselines(life.promised)
        self._out = Outcome(life.seed, life.fate.name, tuple(sorted(life.features)))
        self._final: str | None = None
        self._attempt = 0
        self._updated = ""
        self._limit = 0.0  # the stall limit in force at the onset
        self._span: Span | None = None
        self._alarmed: dict[str, tuple[float, float]] = {}
        self._silent: dict[str, float] = {}

    def sit(self) -> Outcome:
        life, out = self._life, self._out
        reader = Reader(life)
        for look in reader.looks():
            for when, records in reader.arrived:
                for baseline in self._baselines.values():
                    baseline.heard(when, records)
            out.polls += 1
            condition = life.condition(look.at)
            self._turn(look.at)
            if self._trace is not None:
                self._trace(look, condition)
            if look.is_blind:
                self._blind(look)
                continue
            self._consistent(look, condition)
            alarms = self._alarms(look)
            if condition == "healthy":
                self._healthy(look, alarms)
            elif condition == "apart":
                out.apart_polls += 1
                out.apart_alarms += alarms[OURS]
            elif condition in ("dead", "hung", "livelock"):
                self._ill(look, alarms)
        self._turn(life.end)
        return out

    def _alarms(self, look: Look) -> dict[str, bool]:
        """Return who says that it is lost or stalled."""
        verdict = look.verdict
        alarms = {OURS: verdict.liveness == "lost" or verdict.progress == "stalled"}
        ended = self._final is not None
        updated = parse_stamp(look.document["last_update"])
        alarms[OLD] = not ended and look.at - updated > _OLD_SECONDS
        for name, baseline in self._baselines.items():
            alarms[name] = not ended and baseline.is_alarmed(look.at)
        return alarms

    def _turn(self, at: float) -> None:
        """Close the account of a span that is over."""
        span = next((span for span in self._life.spans if span.begin <= at < span.end), None)
        if span is self._span:
            return
        before, self._span = self._span, span
        if before is not None and before.condition in ("dead", "hung", "livelock"):
            self._account(before)
        self._alarmed, self._silent, self._limit = {}, {}, 0.0

    def _account(self, span: Span) -> None:
        dead = span.condition == "dead"
        limit = LOST_PROMISES * self._life.promised if dead else 2 * self._limit
        if span.condition == "livelock":
            limit = 2 * max(self._limit, STALL_MAX_SECONDS)
        if not dead:
            limit += self._life.excused_seconds
        # An attempt may come before anybody has to know that the one before it is gone.
        if span.end - span.begin < limit + 120.0 and OURS not in self._alarmed:
            return
        strict = LOST_PROMISES * HEARTBEAT_SECONDS * self._life.promised / 200.0 if dead else limit
        seconds = {judge: at - span.begin for judge, (at, _) in self._alarmed.items()}
        polled = {judge: before - span.begin for judge, (_, before) in self._alarmed.items()}
        fate = self._life.fate.name if span.end == self._life.end else "crash before a resume"
        self._out.onsets.append(Onset(span.condition, fate, limit, strict, seconds, polled))

    def _healthy(self, look: Look, alarms: dict[str, bool]) -> None:
        out = self._out
        out.healthy_polls += 1
        for judge, is_alarmed in alarms.items():
            if is_alarmed:
                out.false_alarms[judge] = out.false_alarms.get(judge, 0) + 1
                if judge == OURS and len(out.complaints) < 3:
                    minutes = (look.at - self._life.begin) / 60
                    out.complaints.append(f"at {minutes:.1f} min: {look.verdict.why}")

    def _ill(self, look: Look, alarms: dict[str, bool]) -> None:
        at = look.at
        begin = self._span.begin if self._span is not None else at
        if not self._limit or at < begin + self._life.promised:
            # What showed up to the onset may be seen as late as this; it is in the limit, too.
            self._limit = look.document["vitals"]["stall_after_seconds"]
        for judge, is_alarmed in alarms.items():
            if is_alarmed and judge not in self._alarmed:
                self._alarmed[judge] = (at, self._silent.get(judge, begin))
            elif not is_alarmed and judge not in self._alarmed:
                self._silent[judge] = at

    def _blind(self, look: Look) -> None:
        self._out.blind_polls += 1
        known = look.verdict.liveness != "unknown" or look.verdict.progress is not None
        self._out.blind_known += known and look.verdict.state not in _FINAL

    def _consistent(self, look: Look, condition: str) -> None:
        """Hold what is said now against what was said before, and against the end."""
        verdict, out = look.verdict, self._out
        main = look.states.get("main")
        attempt = main.attempt if main is not None else 0
        if self._final is not None and verdict.state != self._final and attempt <= self._attempt:
            out.contradictions.append(f"{verdict.state} after {self._final}")
        self._final = verdict.state if verdict.state in _FINAL else None
        self._attempt = attempt
        updated = look.document["last_update"]
        if updated < self._updated:
            out.contradictions.append(f"last_update {updated} after {self._updated}")
        self._updated = updated
        if self._final is not None and (verdict.liveness or verdict.progress):
            out.contradictions.append(f"{verdict.state}, but {verdict.liveness}")
        if verdict.liveness == "unknown":
            out.contradictions.append("unknown, though the store answers")
        if condition == "ended" and verdict.state != self._life.status:
            out.contradictions.append(f"{verdict.state} at the end, not {self._life.status}")
        if condition in ("dead", "hung", "livelock") and self._final is not None:
            out.contradictions.append(f"{self._final}, though it never ended")
