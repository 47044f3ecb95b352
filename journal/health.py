"""Is it there, does it move, and one word for a pager. Pure: of a snapshot and the store's time.

Liveness and progress are two questions: a beat proves the process, counters prove the work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from journal.clock import parse_stamp
from journal.limits import (
    HEARTBEAT_SECONDS,
    LATE_PROMISES,
    LOST_PROMISES,
    STALL_MAX_SECONDS,
    STALL_MIN_SECONDS,
)

State = Literal["pending", "running", "completed", "failed", "aborted", "preempted"]
Liveness = Literal["alive", "late", "lost"]
Progress = Literal["advancing", "slow", "waiting", "stalled"]
Health = Literal["ok", "warn", "critical", "done"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader says of a run: three questions, one word, and the sentence behind it."""

    state: State
    liveness: Liveness | None  # None: it has ended, or there is nothing to judge by
    progress: Progress | None
    health: Health
    why: str


def verdict(document: Mapping[str, Any], store_time: float) -> Verdict:
    """Judge a run by its snapshot document at an instant of the store's clock (epoch seconds)."""
    state = state_of(document)
    finished = _mapping(document.get("finished"))
    if state in ("completed", "failed", "aborted", "preempted"):
        health: Health = {"completed": "done", "preempted": "warn"}.get(state, "critical")  # type: ignore[assignment]
        message = finished.get("message")
        return Verdict(state, None, None, health, f"{state}: {message}" if message else state)
    vitals = _mapping(document.get("vitals"))
    seen = _instant(vitals.get("last_record")) or _instant(document.get("last_update"))
    if seen is None:
        return Verdict(state, None, None, "warn", "no record yet")
    silence = max(0.0, store_time - seen)
    promised = _number(vitals.get("silence_promised_seconds"), HEARTBEAT_SECONDS)
    liveness: Liveness = "alive"
    if silence > LOST_PROMISES * promised:
        liveness = "lost"
    elif silence > LATE_PROMISES * promised:
        liveness = "late"
    beat = f"{liveness} (last record {duration(silence)} ago, promised every {duration(promised)})"
    progress, work = _progress(vitals, store_time)
    if state == "pending":
        work = "not started yet"
    if liveness == "lost" or progress == "stalled":
        health = "critical"
    elif liveness == "late" or progress == "slow":
        health = "warn"
    else:
        health = "ok"
    return Verdict(state, liveness, progress, health, f"{beat}; {work}")


def state_of(document: Mapping[str, Any]) -> State:
    """Return the state a document says; a foreign document's status stands for it."""
    status = document.get("status")
    finished = _mapping(document.get("finished")).get("status")
    if finished in ("completed", "failed", "aborted", "preempted"):
        return finished  # type: ignore[no-any-return]
    if status in ("completed", "failed"):
        return "completed" if status == "completed" else "failed"
    return "pending" if status == "initializing" else "running"


def _progress(vitals: Mapping[str, Any], store_time: float) -> tuple[Progress | None, str]:
    waiting = _mapping(vitals.get("waiting"))
    until = _instant(waiting.get("until"))
    worked = _instant(vitals.get("last_work"))
    if until is not None and store_time <= until:
        left = duration(until - store_time)
        return "waiting", f"waiting: {waiting.get('reason') or 'declared'}, {left} at most to go"
    if worked is None:
        return None, "no work seen yet"
    idle = max(0.0, store_time - max(worked, until or worked))
    limit = _number(vitals.get("stall_after_seconds"), STALL_MIN_SECONDS)
    burned = _instant(vitals.get("last_cpu"))
    is_burning = burned is not None and worked < burned and store_time - burned <= limit
    if is_burning:
        limit = max(limit, STALL_MAX_SECONDS)
    flying = vitals.get("in_flight")
    held = f", {len(flying)} in flight" if isinstance(flying, list) and flying else ""
    words = f"last work {duration(idle)} ago{held}; stalled after {duration(limit)} without"
    if idle > limit:
        return "stalled", f"no work for {duration(idle)}{held}; the limit is {duration(limit)}"
    if is_burning:
        return "slow", f"CPU only, no file and no byte for {duration(idle)}{held}"
    return "advancing", words


def duration(seconds: float) -> str:
    """Format a duration for people: `42 s`, `12 min`, `3 h 05 min`, `4 d 02 h`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 120 * 60:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any, default: float) -> float:
    return float(value) if type(value) in (int, float) else default


def _instant(value: Any) -> float | None:
    try:
        return parse_stamp(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
