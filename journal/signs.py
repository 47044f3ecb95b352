"""Signs of life and of work: what a record proves of the process that wrote it. Pure.

A beat proves the process; files, bytes and I/O prove work; CPU and errors prove that something goes
on, which may be a livelock, so they hold a stall off for a limited time only.
"""

from dataclasses import dataclass

from journal import events, foreign
from journal.events import Record
from journal.limits import (
    EVIDENCE_CPU_SECONDS,
    EVIDENCE_IO_BYTES,
    EVIDENCE_MIN_SECONDS,
    FLUSH_SECONDS,
    HEARTBEAT_SECONDS,
    MARK_SECONDS,
    MARKS_KEPT,
    PROMISE_MAX_SECONDS,
    PROMISE_SLACK_SECONDS,
    STALL_GAPS,
    STALL_MAX_SECONDS,
    STALL_MIN_SECONDS,
)
from journal.state import Mark, StreamState, Wait


@dataclass(frozen=True, slots=True)
class StallLimit:
    """Seconds without work that are a stall, those with CPU or errors alone, and why so many."""

    seconds: float
    stirring_seconds: float
    reason: str


def promise(state: StreamState) -> float:
    """Return the longest silence that a stream promises, in seconds."""
    beat = state.heartbeat_seconds or HEARTBEAT_SECONDS
    promised = beat + (state.flush_seconds or FLUSH_SECONDS) + PROMISE_SLACK_SECONDS
    return min(promised, PROMISE_MAX_SECONDS)


def stall_limit(state: StreamState) -> StallLimit:
    """Return how long a stream may show no work before it counts as stalled."""
    phase = state.phase
    if phase is None or phase.stall_seconds is None:
        return adapted_limit(state)
    return declared_limit(state, phase.stall_seconds, phase.sub_phase or phase.phase)


def declared_limit(state: StreamState, declared: float, phase: str) -> StallLimit:
    """Return what holds in a phase for which so many seconds are declared."""
    # What goes on inside a file may show in beats only.
    seconds = max(declared, promise(state))
    reason = f"declared for {phase}"
    if seconds > declared:
        reason += ", and no less than the silence promised"
    return StallLimit(seconds, seconds, reason)


def adapted_limit(state: StreamState) -> StallLimit:
    """Return what the stream's own pauses teach, where nothing is declared."""
    adapted = STALL_GAPS * state.longest_gap
    seconds = min(max(STALL_MIN_SECONDS, adapted), STALL_MAX_SECONDS)
    if adapted <= STALL_MIN_SECONDS:
        reason = "the default"
    elif adapted < STALL_MAX_SECONDS:
        reason = f"{STALL_GAPS:.0f} times the longest pause so far"
    else:
        reason = "the longest there is"
    return StallLimit(seconds, STALL_MAX_SECONDS, reason)


def due_since(state: StreamState) -> float:
    """Return since when work is due: the last evidence of it, or the end of what was declared."""
    since = state.opened if state.worked is None else state.worked
    if state.wait is not None:
        since = max(since, state.wait.until)
    return max(since, state.extended_until or since)


def stirred(state: StreamState) -> float | None:
    """Return when a stream last showed CPU or an error, None if never since it last worked."""
    weak = [at for at in (state.burned, state.erred) if at is not None]
    last = max(weak, default=None)
    return last if last is not None and last > (state.worked or 0.0) else None


def is_working(state: StreamState, at: float) -> bool:
    """Tell whether at that time the last evidence of work is recent enough, or none is due."""
    idle = at - due_since(state)
    limit = stall_limit(state)
    if idle <= limit.seconds:
        return True
    last = stirred(state)
    return last is not None and at - last <= limit.seconds and idle <= limit.stirring_seconds


def stalls_at(state: StreamState, limit: StallLimit) -> float:
    """Return when a stream counts as stalled by a limit if no more is heard of its work."""
    due, last = due_since(state), stirred(state)
    stirring = due if last is None else min(last + limit.seconds, due + limit.stirring_seconds)
    return max(due + limit.seconds, stirring)


def take_in(state: StreamState, kind: str, record: Record, at: float) -> None:
    """Take in what a record proves, before anything else that it says is folded."""
    if state.last_record is not None:
        _pass_over(state, at - state.last_record)
    if not state.last_record or at > state.last_record:
        state.last_record = at
    if kind == events.HEARTBEAT:
        _beat(state, record, at)
    elif record.get("by") == events.JOURNAL:
        # A failing store must not keep a hung run fresh.
        if is_working(state, at):
            _live(state, at)
    else:
        if kind == events.ERROR:
            state.erred = at  # somebody who only fails, again and again, does not move
        elif kind == events.PROGRESS:
            if _is_fast(state, at):
                _work(state, at)
        elif kind != events.EXTENDED:
            _work(state, at, ends_wait=kind != events.WAITING)
        _live(state, at)  # who has just spoken is alive; there is no need to ask


def extend(state: StreamState, until: float) -> None:
    """Let no stall begin before `until`."""
    state.extended_until = max(state.extended_until or until, until)


def set_back(state: StreamState, at: float) -> None:
    """Take in that a clock was set: no sign of before can be later than the beat that tells."""
    if state.last_record is None or at >= state.last_record:
        return
    state.last_record = at
    for sign in ("worked", "burned", "erred", "filed", "rate_since"):
        seen = getattr(state, sign)
        if seen is not None:
            setattr(state, sign, min(seen, at))
    state.marks = [mark for mark in state.marks if mark.at <= at]


def _pass_over(state: StreamState, silence: float) -> None:
    """Leave out of the stall clock what nobody was there for: a machine that slept."""
    if silence <= promise(state):
        return
    slept = silence - (state.heartbeat_seconds or HEARTBEAT_SECONDS)
    if state.wait is not None:
        # No work is due before its end; an end that nobody named is an hour of the process.
        state.wait.until += 0.0 if state.wait.is_bounded else slept
        return
    for sign in ("worked", "burned", "erred"):
        seen = getattr(state, sign)
        if seen is not None:
            setattr(state, sign, seen + slept)


def _live(state: StreamState, at: float) -> None:
    """Take in a sign of life; until the first one, the document had none but the opening."""
    before = state.opened if state.alive is None else state.alive
    state.alive = max(before, at)


def _work(state: StreamState, at: float, *, ends_wait: bool = True) -> None:
    """Take in evidence of work."""
    worked = state.worked
    if state.wait is not None:
        if ends_wait:
            _close_wait(state, state.wait, at)
    elif worked is not None and at - worked > state.longest_gap:
        state.longest_gap = max(state.longest_gap, at - due_since(state))
    if not state.worked or at > state.worked:
        state.worked = at


def _close_wait(state: StreamState, wait: Wait, at: float) -> None:
    # The wait was legitimate: the clock that measures stalls starts anew behind it.
    state.worked = max(state.worked or at, min(at, wait.until))
    if state.filed is not None:
        state.filed = max(state.filed, min(at, wait.until))
    state.wait = None


def _beat(state: StreamState, record: Record, at: float) -> None:
    """Take in a beat: it proves the process; only its counters can prove work."""
    state.beat = {
        key: value for key, value in foreign.flat(record).items() if key not in events.PLACE
    }
    state.in_flight = foreign.in_flight(record)
    # What files and progress have told of was work when they told it, not now.
    files = foreign.seconds(record.get("files")) - (state.files - state.files_at_beat)
    moved = foreign.seconds(record.get("bytes")) - (state.moved - state.moved_at_beat)
    traffic = foreign.seconds(record.get("read_bytes")) + foreign.seconds(record.get("write_bytes"))
    covered = _covered(state, at)
    least = _least_bytes(state, covered)
    # The floors are rates: who beats more often need not do more.
    share = max(covered, EVIDENCE_MIN_SECONDS) / HEARTBEAT_SECONDS
    if files > 0 or moved > least or traffic >= max(EVIDENCE_IO_BYTES * share, least):
        _work(state, at, ends_wait=False)
    elif foreign.seconds(record.get("cpu_seconds")) >= EVIDENCE_CPU_SECONDS * share:
        state.burned = at
    state.beaten, state.files_at_beat, state.moved_at_beat = at, state.files, state.moved
    if is_working(state, at):
        _live(state, at)


def _covered(state: StreamState, at: float) -> float:
    """Return the seconds that the counters of a beat cover: one beat, or more if it came late."""
    beat = state.heartbeat_seconds or HEARTBEAT_SECONDS
    return beat if state.beaten is None else max(beat, at - state.beaten)


def _least_bytes(state: StreamState, seconds: float) -> float:
    """Return how many bytes in that time are no work yet, by the rate declared."""
    phase = state.phase
    if phase is None or not phase.min_rate_seconds:
        return 0.0
    return phase.min_rate_bytes * seconds / phase.min_rate_seconds


def _is_fast(state: StreamState, at: float) -> bool:
    """Tell whether the bytes inside files move at the least rate declared, if one is."""
    phase = state.phase
    if phase is None or not phase.min_rate_seconds:
        return True
    if state.rate_since is None or at < state.rate_since:
        state.rate_since, state.rate_bytes = at, state.moved
        return True
    passed = at - state.rate_since
    if passed < phase.min_rate_seconds:
        return False
    moved = state.moved - state.rate_bytes
    state.rate_since, state.rate_bytes = at, state.moved
    return moved * phase.min_rate_seconds >= phase.min_rate_bytes * passed


def mark(state: StreamState, at: float) -> None:
    """Remember now and then how much was done: what moved lately is told by it."""
    marks = state.marks
    if not marks or not 0 <= at - marks[-1].at < MARK_SECONDS:
        marks.append(Mark(at, state.files, state.moved))
        del marks[:-MARKS_KEPT]
