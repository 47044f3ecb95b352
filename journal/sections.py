"""The parts of the snapshot document, each a pure function of the streams' states."""

from collections.abc import Iterable
from typing import Any, Final

from journal import signs
from journal.clock import stamp, stamp_seconds
from journal.eta import Estimate, Forecast
from journal.limits import (
    COUNT_MAX,
    ETA_TIME_MAX,
    QUIET_STREAMS_KEPT,
    RECENT_SECONDS,
)
from journal.segments import PRUNED
from journal.sources import counted, sum_of
from journal.state import SourceState, StreamState

CLOSED: Final = ("close", "finish", PRUNED)  # how a stream is sealed that says no more


def progress_of(
    states: list[StreamState], lead: StreamState, sources: list[SourceState]
) -> dict[str, Any]:
    """Return `progress`, without its estimate: what is done over all streams."""
    parts = [(source.sub_phase, source.summed) for source in sources]
    parts += [item for state in states for item in state.others.items()]
    everything = [part for _, part in parts]
    policy = [part for sub_phase, part in parts if sub_phase == "downloading_policy"]
    downloading = [part for sub_phase, part in parts if sub_phase.startswith("downloading")]
    policy_seen = sum(part.sources for part in policy)
    return {
        "policy_sources_completed": sum(part.completed for part in policy),
        "policy_sources_total": max(counted(lead, states), policy_seen),
        "files_downloaded": sum_of(part.files for part in downloading),
        "estimated_completion": None,
        "sources_completed": sum(part.completed for part in everything),
        "sources_seen": sum(part.sources for part in everything),
        "files_done": sum_of(part.files for part in everything),
        "bytes_done": sum_of(part.bytes for part in everything),
        "files_skipped": sum(state.skipped for state in states),
    }


def source_of(source: SourceState) -> dict[str, Any]:
    """Return a line of `sources`."""
    return {
        "source": source.source,
        "sub_phase": source.sub_phase,
        "state": "running" if source.ended is None else "failed" if source.failed else "done",
        "files": source.summed.files,
        "files_total": source.files_total,
        "bytes": source.summed.bytes,
        "bytes_total": source.bytes_total,
        "totals_grow": source.totals_grow,
        "skipped": source.skipped,
        "errors": source.errors,
        "started": stamp_seconds(source.started),
        "ended": source.ended and stamp_seconds(source.ended),
    }


def eta_of(estimate: Estimate | None, reached: float) -> dict[str, Any] | None:
    """Return an `eta`: when the end will be, as it was told at the newest record's instant."""
    if estimate is None:
        return None
    at, low, high = (
        stamp_seconds(min(reached + seconds, ETA_TIME_MAX))
        for seconds in (estimate.remaining, estimate.low, estimate.high)
    )
    return {
        "at": at,
        "low": low,
        "high": high,
        "remaining_seconds": round(estimate.remaining),
        "basis": estimate.basis,
        "method": estimate.method,
    }


def phases_of(told: Forecast, sources: Iterable[SourceState]) -> list[dict[str, Any]]:
    """Return `phases`: each sub-phase with sources, and when what is left of it will be done."""
    groups: dict[str, list[SourceState]] = {sub_phase: [] for sub_phase in told.phases}
    for source in sources:
        groups.setdefault(source.sub_phase, []).append(source)
    ordered = sorted(groups.items(), key=lambda group: (not group[1], _began(group[1])))
    return [
        {
            "sub_phase": sub_phase,
            "state": _state_of(group, is_foretold=sub_phase in told.phases),
            "sources": len(group),
            "sources_completed": sum(source.summed.completed for source in group),
            "totals_grow": any(source.totals_grow for source in group),
            "eta": eta_of(told.phases.get(sub_phase), told.at),
        }
        for sub_phase, group in ordered
    ]


def _began(group: Iterable[SourceState]) -> float:
    return min((source.started for source in group), default=0.0)


def _state_of(group: list[SourceState], *, is_foretold: bool) -> str:
    if not group:
        return "pending"
    is_running = is_foretold or any(source.ended is None for source in group)
    return "running" if is_running else "done"


def errors_of(states: Iterable[StreamState]) -> dict[str, Any]:
    """Return `errors`: those of all streams, by their class."""
    classes: dict[str, dict[str, Any]] = {}
    total = 0
    for state in states:
        total += state.errors_total
        for name, seen in state.errors.items():
            known = classes.get(name)
            count = seen.count + (known["count"] if known else 0)
            first = min(seen.first, known["first"] if known else seen.first)
            if known is None or seen.last >= known["last"]:
                known = {"last": seen.last, "message": seen.message}
            classes[name] = {**known, "count": count, "first": first}
    return {
        "count": total,
        "classes": [
            {
                "error": name,
                "count": seen["count"],
                "first": stamp_seconds(seen["first"]),
                "last": stamp_seconds(seen["last"]),
                "message": seen["message"],
            }
            for name, seen in sorted(classes.items())
        ],
    }


def vitals_of(lead: StreamState, states: list[StreamState]) -> dict[str, Any]:
    """Return what liveness and progress are judged by.

    Liveness is the lead's, or of whoever is left when that has closed its stream. Progress is told
    of the stream that would be the last to count as stalled: the run stalls when all do.
    """
    open_states = _open(states) or states
    speaking = [lead] if lead in open_states else open_states
    # Somebody who has ended may be the one that worked last: main often only waits for others.
    mover = max(states, key=_stalls_at, default=lead)
    limit = signs.stall_limit(mover)
    wait = mover.wait
    heard = _newest(state.last_record for state in speaking)
    newest = _newest(state.last_record for state in open_states)
    is_over = lead.sealed == "close" and lead.finish is None and not _open(states)
    return {
        "last_record": _stamped(heard),
        "newest_record": _stamped(newest),
        "last_work": _stamped(mover.worked),
        "work_due_since": _stamped(signs.due_since(mover) if mover.opened else mover.worked),
        "last_file": _stamped(_newest(state.filed for state in open_states)),
        "last_cpu": _stamped(mover.burned),
        "last_error": _stamped(mover.erred),
        "recent": _recent(open_states, newest),
        "stall_after_seconds": round(limit.seconds, 3),
        "stall_after_stirring_seconds": round(limit.stirring_seconds, 3),
        "stall_limit": limit.reason,
        "silence_promised_seconds": round(silence_promised(states)),
        "waiting": wait
        and {"reason": wait.reason, "since": stamp(wait.since), "until": stamp(wait.until)},
        "handed_over": _stamped(lead.last_record) if is_over else None,
        "in_flight": [file for state in open_states for file in state.in_flight],
        "host": lead.host or None,
        "pid": lead.pid or None,
        "clock_offset": lead.clock_offset,
        "beat": lead.beat,
    }


def quiet_of(lead: StreamState, named: Iterable[tuple[str, StreamState]]) -> list[dict[str, Any]]:
    """Return the open streams beside the lead that stand in the middle of files, oldest first."""
    at_work = [
        (state.last_record, name, len(state.in_flight))
        for name, state in named
        if state is not lead
        and state.sealed not in CLOSED
        and state.finish is None
        and state.in_flight
        and state.last_record is not None
    ]
    return [
        {"stream": name, "last_record": stamp(at), "in_flight": flying}
        for at, name, flying in sorted(at_work)[:QUIET_STREAMS_KEPT]
    ]


def _open(states: Iterable[StreamState]) -> list[StreamState]:
    return [state for state in states if state.sealed not in CLOSED]


def _stalls_at(state: StreamState) -> float:
    return signs.stalls_at(state, signs.stall_limit(state))


def _recent(states: list[StreamState], newest: float | None) -> dict[str, Any] | None:
    """Return what moved in the last RECENT_SECONDS before the newest record, or a little longer."""
    if newest is None:
        return None
    files = moved = 0
    since = newest
    for state in states:
        before = [mark for mark in state.marks if mark.at <= newest - RECENT_SECONDS]
        base = before[-1] if before else state.marks[0] if state.marks else None
        if base is not None and state.marks[-1].at > newest - RECENT_SECONDS:
            files += state.files - base.files
            moved += state.moved - base.bytes
            since = min(since, base.at)
    seconds = newest - since if files or moved else min(RECENT_SECONDS, newest - _begun(states))
    return {"seconds": round(max(0.0, seconds)), "files": files, "bytes": min(moved, COUNT_MAX)}


def _begun(states: Iterable[StreamState]) -> float:
    return min((state.attempt_started or state.opened for state in states), default=0.0)


def _newest(times: Iterable[float | None]) -> float | None:
    return max((at for at in times if at is not None), default=None)


def _stamped(at: float | None) -> str | None:
    return None if at is None else stamp(at)


def silence_promised(states: Iterable[StreamState]) -> float:
    """Return the longest silence that the open streams promise, in seconds."""
    promises = [signs.promise(state) for state in _open(states) if state.heartbeat_seconds]
    return max(promises, default=signs.promise(StreamState()))
