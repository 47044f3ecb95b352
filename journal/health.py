"""Is it there, does it move, and one word for a pager. Pure: of a snapshot and the store's time.

Liveness and progress are two questions: a beat proves the process, counters prove the work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from journal.clock import parse_stamp
from journal.limits import (
    CLOCK_SLACK_SECONDS,
    HEARTBEAT_SECONDS,
    LATE_PROMISES,
    LOST_PROMISES,
    SLOW_SECONDS,
    STALL_MAX_SECONDS,
    STALL_MIN_SECONDS,
)
from journal.words import duration, size

State = Literal["pending", "running", "completed", "failed", "aborted", "preempted"]
Liveness = Literal["alive", "late", "lost", "unknown"]
Progress = Literal["advancing", "slow", "waiting", "stalled"]
Health = Literal["ok", "warn", "critical", "done"]

_FINAL: Final = ("completed", "failed", "aborted", "preempted")
_STREAMS_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader says of a run: three questions, one word, and the sentence behind it."""

    state: State
    liveness: Liveness | None  # None: it has ended, or there is nothing to judge by
    progress: Progress | None
    health: Health
    why: str


def verdict(
    document: Mapping[str, Any], store_time: float, *, answered_since: float | None = None
) -> Verdict:
    """Judge a run by its snapshot document at an instant of the store's clock (epoch seconds).

    `answered_since` is when the store began to answer this reader again, if it had not for a
    while: the run's writer may have been cut off as well, and gets a promised silence to be heard.
    """
    state = state_of(document)
    if state in _FINAL:
        message = _mapping(document.get("finished")).get("message")
        health: Health = {"completed": "done", "preempted": "warn"}.get(state, "critical")  # type: ignore[assignment]
        return Verdict(state, None, None, health, f"{state}: {message}" if message else state)
    vitals = _mapping(document.get("vitals"))
    seen = _instant(vitals.get("last_record")) or _instant(document.get("last_update"))
    if vitals.get("handed_over"):
        left = f"handed over {_ago(store_time, vitals.get('handed_over'))}"
        return Verdict(state, None, None, "ok", f"{left}; what comes next says how it is itself")
    if seen is None:
        return Verdict(state, None, None, "warn", "no record yet")
    promised = _number(vitals.get("silence_promised_seconds"), HEARTBEAT_SECONDS)
    liveness = _liveness(store_time, seen, promised, answered_since)
    silence = max(0.0, store_time - seen)
    there = f"{liveness} (last record {duration(silence)} ago, promised every {duration(promised)})"
    # What nobody was heard of in is no idleness: a silence is for liveness to judge.
    heard = max(seen, _instant(vitals.get("newest_record")) or seen) + promised
    progress, moves = _progress(vitals, min(store_time, heard))
    if progress == "stalled" and _is_new(store_time, answered_since, promised):
        progress, moves = None, "the store has just begun to answer; what moves is not known yet"
    if liveness == "lost":
        progress, moves = None, f"when last heard of: {moves}"
    if state == "pending":
        moves = f"not started yet; {moves}"
    quiet = _quiet(vitals, store_time, promised)
    if liveness == "lost" or progress == "stalled":
        health = "critical"
    elif liveness == "late" or progress == "slow" or quiet:
        health = "warn"
    else:
        health = "ok"
    why = "; ".join(filter(None, (there, moves, quiet, _skew(vitals))))
    return Verdict(state, liveness, progress, health, why)


def unreachable(document: Mapping[str, Any] | None, since: float, now: float) -> Verdict:
    """Say that nobody knows: the store has not answered since then (both on one clock).

    `document` is what was read last. What was final then is so still.
    """
    if document is not None and state_of(document) in _FINAL:
        return verdict(document, now)
    state = "pending" if document is None else state_of(document)
    why = f"unknown: the store has not answered for {duration(max(0.0, now - since))}"
    return Verdict(state, "unknown", None, "warn", why)


def state_of(document: Mapping[str, Any]) -> State:
    """Return the state a document says; a foreign document's status stands for it."""
    status = document.get("status")
    finished = _mapping(document.get("finished")).get("status")
    if finished in _FINAL:
        return finished  # type: ignore[no-any-return]
    if status in ("completed", "failed"):
        return "completed" if status == "completed" else "failed"
    return "pending" if status == "initializing" else "running"


def _liveness(
    store_time: float, seen: float, promised: float, answered_since: float | None
) -> Liveness:
    silence = store_time - seen
    if silence > LOST_PROMISES * promised:
        return "late" if _is_new(store_time, answered_since, promised) else "lost"
    return "late" if silence > LATE_PROMISES * promised else "alive"


def _is_new(store_time: float, answered_since: float | None, promised: float) -> bool:
    """Tell whether the store has answered for too short a time for everybody to be heard."""
    return answered_since is not None and store_time - answered_since <= promised


def _progress(vitals: Mapping[str, Any], at: float) -> tuple[Progress | None, str]:
    """Tell whether it moves, at an instant up to which the run was heard of."""
    waiting = _mapping(vitals.get("waiting"))
    until = _instant(waiting.get("until"))
    worked = _instant(vitals.get("last_work"))
    due = _instant(vitals.get("work_due_since")) or worked
    declared = _instant(waiting.get("since"))
    is_resting = worked is None or declared is None or worked <= declared
    if until is not None and at <= until and is_resting:
        left = duration(until - at)
        return "waiting", f"waiting: {waiting.get('reason') or 'declared'}, {left} at most to go"
    if due is None:
        return None, "no work seen yet"
    idle = max(0.0, at - max(due, until or due))
    limit = _number(vitals.get("stall_after_seconds"), STALL_MIN_SECONDS)
    reason = vitals.get("stall_limit")
    because = f" ({reason})" if isinstance(reason, str) else ""
    stirring = _stirring(vitals, worked, at, limit)
    if stirring is not None and idle > min(SLOW_SECONDS, limit):
        longest = _number(vitals.get("stall_after_stirring_seconds"), STALL_MAX_SECONDS)
        if idle <= longest:
            words = f"{stirring} only, no file and no byte for {duration(idle)}{_flying(vitals)}"
            return "slow", f"{words}; stalled after {duration(longest)} of it"
        return "stalled", (
            f"{stirring} only, no file and no byte for {duration(idle)}{_flying(vitals)}; "
            f"the limit of it is {duration(longest)}"
        )
    if idle > limit:
        words = f"no work for {duration(idle)}{_flying(vitals)}"
        return "stalled", f"{words}; the limit is {duration(limit)}{because}"
    is_declared = worked is None or due > worked
    moved, is_slow = _moved(vitals, at, limit, due if is_declared else until)
    after = f"stalled after {duration(limit)} without a byte{because}"
    # The end of a declared wait, or a deadline that was extended, may lie ahead.
    if due > at:
        after = f"no stall before {duration(due - at)} from now, as declared"
    return ("slow" if is_slow else "advancing"), f"{moved}; {after}"


def _stirring(
    vitals: Mapping[str, Any], worked: float | None, at: float, limit: float
) -> str | None:
    """Name what alone goes on, if it does: CPU or errors prove no work."""
    signs = {"CPU": _instant(vitals.get("last_cpu")), "errors": _instant(vitals.get("last_error"))}
    weak = [
        (seen, name)
        for name, seen in signs.items()
        if seen is not None and seen > (worked or 0.0) and at - seen <= limit
    ]
    return max(weak)[1] if weak else None


def _moved(
    vitals: Mapping[str, Any], at: float, limit: float, declared: float | None
) -> tuple[str, bool]:
    """Say what moved lately, and whether that is slow: bytes, but no file for a long time.

    Before `declared` no file was due.
    """
    recent = _mapping(vitals.get("recent"))
    files, moved = (_number(recent.get(name), 0.0) for name in ("files", "bytes"))
    span = duration(_number(recent.get("seconds"), 0.0))
    filed = _instant(vitals.get("last_file"))
    worked = _instant(vitals.get("last_work"))
    flying = _flying(vitals)
    if filed is not None and at - max(filed, declared or filed) > limit:
        words = f"no file finished for {duration(at - filed)}, but{flying.lstrip(',')}"
        words += " and" if flying else ""
        beat = _mapping(vitals.get("beat"))
        traffic = _number(beat.get("read_bytes"), 0.0) + _number(beat.get("write_bytes"), 0.0)
        shown = f"{size(moved)} in {span}"
        if not moved and traffic:
            shown = f"{size(traffic)} read and written between two beats"
        return f"{words} {shown}: slow, not stuck", True
    if files or moved:
        done = f"{files:.0f} files and {size(moved)} in {span}"
    elif worked is not None:
        done = f"last work {duration(max(0.0, at - worked))} ago"
    else:
        done = "no work yet"
    return f"{done}{flying}", False


def _flying(vitals: Mapping[str, Any]) -> str:
    flying = vitals.get("in_flight")
    return f", {len(flying)} in flight" if isinstance(flying, list) and flying else ""


def _quiet(vitals: Mapping[str, Any], store_time: float, promised: float) -> str:
    """Name the streams beside the lead that fell silent in the middle of a file."""
    listed = vitals.get("quiet_streams")
    gone = []
    for item in listed if isinstance(listed, list) else []:
        stream = _mapping(item)
        seen = _instant(stream.get("last_record"))
        if seen is not None and store_time - seen > LOST_PROMISES * promised:
            gone.append(f"{stream.get('stream')} for {duration(store_time - seen)}")
    if not gone:
        return ""
    more = ", …" if len(gone) > _STREAMS_NAMED else ""
    return f"silent with files in flight: {', '.join(gone[:_STREAMS_NAMED])}{more}"


def _skew(vitals: Mapping[str, Any]) -> str:
    """Say how far the host's clock is from the store's, if that is more than whole seconds do."""
    offset = _number(vitals.get("clock_offset"), 0.0)
    if abs(offset) <= CLOCK_SLACK_SECONDS:
        return ""
    return f"its clock is {duration(abs(offset))} {'behind' if offset > 0 else 'ahead'}"


def _ago(store_time: float, stamped: Any) -> str:
    at = _instant(stamped)
    return "" if at is None else f"{duration(max(0.0, store_time - at))} ago"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any, default: float) -> float:
    return float(value) if type(value) in (int, float) else default


def _instant(value: Any) -> float | None:
    try:
        return parse_stamp(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
