"""The snapshot document, to and from bytes. Pure: rendered from the map of streams alone.

Its fixed part is what the old monitor and the dashboards read (FORMAT.md, "The snapshot"). What the
journal does not own in a stored document is carried over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from journal import eta
from journal.clock import stamp, stamp_seconds
from journal.health import duration
from journal.layout import MAIN, check_name
from journal.limits import (
    COUNT_MAX,
    FLUSH_SECONDS,
    FORMAT_VERSION,
    HEARTBEAT_SECONDS,
    PROMISE_MAX_SECONDS,
    PROMISE_SLACK_SECONDS,
)
from journal.segments import Cursor
from journal.state import SourceState, StreamState

_STATUS: Final = {"completed": "completed", "failed": "failed", "aborted": "failed"}
_PHASE: Final = {"completed": "complete"}
CLOSED: Final = ("close", "finish")


@dataclass(frozen=True, slots=True)
class Folded:
    """A stream's state together with the cursor up to which it was folded."""

    cursor: Cursor
    state: StreamState


Run = Mapping[str, Folded]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored document taken apart. `streams` is None if it is not the journal's own."""

    document: dict[str, Any]
    streams: dict[str, Folded] | None
    complaint: str | None = None  # what is wrong with it, for people


def decode(body: bytes) -> Snapshot:
    """Take a stored document apart, whoever wrote it; never raises."""
    try:
        document = orjson.loads(body)
    except ValueError as wrong:
        return Snapshot({}, None, f"it is not JSON ({wrong})")
    if not isinstance(document, dict):
        return Snapshot({}, None, "it is not a JSON object")
    document = {key: value for key, value in document.items() if _is_writable(value)}
    own = document.get("journal")
    if not isinstance(own, dict):
        return Snapshot(document, None, "another program has written it")
    try:
        if own["v"] != FORMAT_VERSION:
            return Snapshot(document, None, f"its journal part has format {own['v']!r}")
        if own["sha256"] != _digest(own["streams"]):
            return Snapshot(document, None, "its journal part was changed by another hand")
        streams = {
            check_name("stream", name): Folded(
                Cursor(**part["cursor"]), StreamState.from_json(part["state"])
            )
            for name, part in own["streams"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return Snapshot(document, None, f"its journal part is damaged ({wrong!r})")
    return Snapshot(document, streams)


def _is_writable(value: Any) -> bool:
    """Tell whether a value that was read can be written again: it may be too deep for that."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the document's bytes."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _digest(streams: object) -> str:
    """Hash the streams' part: what was changed in it by another hand is not folded on."""
    return sha256(orjson.dumps(streams)).hexdigest()


def lead_of(run: Run) -> StreamState:
    """Return the state that speaks for the run: main's, else that with the newest record."""
    if MAIN in run:
        return run[MAIN].state
    newest = max(run, key=lambda name: (run[name].state.last_record or 0.0, name), default=None)
    return run[newest].state if newest is not None else StreamState()


def render(run_id: str, run: Run, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Render the document of a run; `stored` is the document it will replace, whoever wrote it."""
    states = [folded.state for _, folded in sorted(run.items())]
    lead = lead_of(run)
    phase = _phase_of(lead, states)
    sources = sorted((s for state in states for s in state.sources), key=lambda s: s.started)
    estimate, reached = _estimate(lead, phase[1], phase[3], states)
    progress = _progress(states, lead, sources)
    progress["estimated_completion"] = (
        stamp_seconds(reached + estimate.remaining) if estimate else None
    )
    operation = None if lead.finish else phase[2] or _speaking(sources)
    # Of a stream that has said nothing yet, its opening is all there is.
    alive = max((s.opened if s.alive is None else s.alive for s in states), default=0.0)
    own: dict[str, Any] = {
        "run_id": run_id,
        "status": _status(lead),
        "phase": phase[0],
        "sub_phase": phase[1],
        "current_operation": operation,
        "progress": progress,
        "last_update": stamp_seconds(alive),
        "heartbeat_interval": round(_promised(states)),
        "details": _details(lead, progress, operation, reached),
        "job": lead.job,
        "attempt": lead.attempt,
        "finished": lead.finish
        and {
            "status": lead.finish.status,
            "message": lead.finish.message,
            "at": stamp(lead.finish.at),
        },
        "eta": estimate
        and {
            "at": stamp_seconds(reached + estimate.remaining),
            "low": stamp_seconds(reached + estimate.low),
            "high": stamp_seconds(reached + estimate.high),
            "basis": estimate.basis,
        },
        "sources": [_source(source) for source in sources],
        "errors": _errors(states),
        "dropped": _sum(state.dropped for state in states),
        "vitals": _vitals(lead, states),
    }
    return _with_carried(own, run, lead, stored)


def _with_carried(
    own: dict[str, Any], run: Run, lead: StreamState, stored: Mapping[str, Any]
) -> dict[str, Any]:
    """Add what others wrote, and the journal's own part at the end."""
    wanted = {
        "start_time": lead.started and stamp_seconds(lead.started),
        "instance_id": lead.host or None,
    }
    journal = stored.get("journal")
    noted = journal.get("filled") if isinstance(journal, dict) else None
    filled = [key for key in wanted if isinstance(noted, list) and key in noted]
    left_out = {*own, *filled, "journal"}
    carried = {key: value for key, value in stored.items() if key not in left_out}
    foreign = stored.get("progress")
    if isinstance(foreign, dict):
        own["progress"] = {**foreign, **own["progress"]}
    streams = {
        name: {"cursor": asdict(folded.cursor), "state": folded.state}
        for name, folded in sorted(run.items())
    }
    ours = {key: value for key, value in wanted.items() if value and carried.get(key) is None}
    return {
        **own,
        **carried,
        **ours,
        "journal": {
            "v": FORMAT_VERSION,
            "filled": list(ours),
            "sha256": _digest(streams),
            "streams": streams,
        },
    }


def _status(lead: StreamState) -> str:
    if lead.finish is not None:
        return _STATUS.get(lead.finish.status, "failed")
    return "running" if lead.started is not None else "initializing"


def _phase_of(
    lead: StreamState, states: Iterable[StreamState]
) -> tuple[str, str, str | None, float | None]:
    """Return phase, sub-phase, operation and begin of the phase: the lead's, else the newest."""
    said = lead.phase
    if said is None:
        others = [state.phase for state in states if state.phase is not None]
        said = max(others, key=lambda phase: phase.started, default=None)
    phase = said.phase if said else "setup"
    if lead.finish is not None:
        phase = _PHASE.get(lead.finish.status, "error")
    if said is None:
        return phase, "", None, None
    return phase, said.sub_phase, said.operation, said.started


def _speaking(sources: Iterable[SourceState]) -> str | None:
    """Return the running source that spoke last."""
    running = [source for source in sources if source.ended is None]
    latest = max(running, key=lambda source: (source.spoke, source.source), default=None)
    return latest.source if latest is not None else None


def _progress(
    states: list[StreamState], lead: StreamState, sources: list[SourceState]
) -> dict[str, Any]:
    parts = [(source.sub_phase, source.summed) for source in sources]
    parts += [item for state in states for item in state.others.items()]
    everything = [part for _, part in parts]
    policy = [part for sub_phase, part in parts if sub_phase == "downloading_policy"]
    downloading = [part for sub_phase, part in parts if sub_phase.startswith("downloading")]
    policy_seen = sum(part.sources for part in policy)
    return {
        "policy_sources_completed": sum(part.completed for part in policy),
        "policy_sources_total": max(lead.sources_total or 0, policy_seen),
        "files_downloaded": _sum(part.files for part in downloading),
        "estimated_completion": None,
        "sources_completed": sum(part.completed for part in everything),
        "sources_seen": sum(part.sources for part in everything),
        "files_done": _sum(part.files for part in everything),
        "bytes_done": _sum(part.bytes for part in everything),
        "files_skipped": sum(state.skipped for state in states),
    }


def _sum(counts: Iterable[int]) -> int:
    return min(sum(counts), COUNT_MAX)


def _estimate(
    lead: StreamState,
    sub_phase: str,
    phase_started: float | None,
    states: Iterable[StreamState],
) -> tuple[eta.Estimate | None, float]:
    """Return the estimate and the instant it was made at: that of the newest record."""
    reached = max((s.last_record for s in states if s.last_record is not None), default=0.0)
    begun = max(phase_started or 0.0, lead.attempt_started or 0.0)
    if lead.finish is not None or not begun:
        return None, reached
    downloading = not sub_phase or sub_phase.startswith("downloading")
    total = lead.sources_total if downloading else None
    at_work: list[SourceState] = []
    for state in states:
        for source in state.sources:
            if source.sub_phase == sub_phase and source.attempt == state.attempt:
                at_work.append(source)
            elif source.sub_phase == sub_phase and source.ended is not None and total is not None:
                total -= 1  # an earlier attempt finished it, in time that is not this one's
    return eta.estimate(at_work, total, reached - begun), reached


def _details(
    lead: StreamState, progress: Mapping[str, Any], operation: str | None, reached: float
) -> str:
    """Say in one line where the run is."""
    if lead.finish is not None:
        return ": ".join(filter(None, (lead.finish.status, lead.finish.message)))
    total = progress["policy_sources_total"] or progress["sources_seen"]
    done = progress["policy_sources_completed"] or progress["sources_completed"]
    parts = [f"source {min(done + 1, total)} of {total}" if total else "no source yet"]
    if operation:
        parts[0] += f" ({operation})"
    parts.append(f"{progress['files_done']} files")
    if progress["estimated_completion"]:
        parts.append(f"ends about {progress['estimated_completion']}")
    elif lead.attempt_started:
        parts.append(f"running for {duration(max(0.0, reached - lead.attempt_started))}")
    return ", ".join(parts)


def _promised(states: Iterable[StreamState]) -> float:
    """Return the longest silence that the open streams promise, in seconds."""
    promises = [
        state.heartbeat_seconds + state.flush_seconds + PROMISE_SLACK_SECONDS
        for state in states
        if state.sealed not in CLOSED and state.heartbeat_seconds
    ]
    default = HEARTBEAT_SECONDS + FLUSH_SECONDS + PROMISE_SLACK_SECONDS
    return min(max(promises, default=default), PROMISE_MAX_SECONDS)


def _source(source: SourceState) -> dict[str, Any]:
    return {
        "source": source.source,
        "sub_phase": source.sub_phase,
        "state": "running" if source.ended is None else "failed" if source.failed else "done",
        "files": source.summed.files,
        "files_total": source.files_total,
        "bytes": source.summed.bytes,
        "bytes_total": source.bytes_total,
        "skipped": source.skipped,
        "errors": source.errors,
        "started": stamp_seconds(source.started),
        "ended": source.ended and stamp_seconds(source.ended),
    }


def _errors(states: Iterable[StreamState]) -> dict[str, Any]:
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


def _vitals(lead: StreamState, states: list[StreamState]) -> dict[str, Any]:
    """Return what liveness and progress are judged by: the newest over all open streams."""
    open_states = [state for state in states if state.sealed not in CLOSED] or states
    records = [s.last_record for s in open_states if s.last_record is not None]
    works = [s.worked for s in open_states if s.worked is not None]
    waits = [s.wait for s in open_states if s.wait is not None]
    burns = [s.burned for s in open_states if s.burned is not None]
    wait = max(waits, key=lambda wait: (wait.until, wait.reason), default=None)
    return {
        "last_record": stamp(max(records)) if records else None,
        "last_work": stamp(max(works)) if works else None,
        "last_cpu": stamp(max(burns)) if burns else None,
        "stall_after_seconds": max((s.stall_seconds for s in open_states), default=0.0),
        "silence_promised_seconds": round(_promised(states)),
        "waiting": wait
        and {"reason": wait.reason, "since": stamp(wait.since), "until": stamp(wait.until)},
        "in_flight": [file for state in open_states for file in state.in_flight],
        "host": lead.host or None,
        "pid": lead.pid or None,
        "clock_offset": lead.clock_offset,
        "beat": lead.beat,
    }
