"""The snapshot document, to and from bytes. Pure: rendered from the map of streams alone.

Its fixed part is what the old monitor and the dashboards read (FORMAT.md, "The snapshot"). What the
journal does not own in a stored document is carried over.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from journal import carried, eta, sections
from journal.clock import stamp, stamp_seconds
from journal.layout import MAIN, check_name
from journal.limits import COUNT_MAX, FOLD_VERSION, FORMAT_VERSION
from journal.segments import Cursor
from journal.sources import sources_of, sum_of
from journal.state import StreamState
from journal.whereabouts import Whereabouts, whereabouts
from journal.words import duration

_STATUS: Final = {"completed": "completed", "failed": "failed", "aborted": "failed"}
_SHORT_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Folded:
    """A stream's state together with the cursor up to which it was folded."""

    cursor: Cursor
    state: StreamState


Run = Mapping[str, Folded]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored document taken apart. `streams` is None if it is not the journal's own.

    What is `outdated` was folded by another version's rules: it is the last word on streams that
    were pruned, and no state to go on from.
    """

    document: dict[str, Any]
    streams: dict[str, Folded] | None
    complaint: str | None = None  # what is wrong with it, for people
    outdated: bool = False


def decode(body: bytes) -> Snapshot:
    """Take a stored document apart, whoever wrote it; never raises."""
    try:
        document = _loaded(body)
    except (ValueError, RecursionError) as wrong:
        return Snapshot({}, None, f"it is not JSON ({wrong})")
    if not isinstance(document, dict):
        return Snapshot({}, None, "it is not a JSON object")
    document = {key: value for key, value in document.items() if _is_writable(key, value)}
    own = document.get("journal")
    if not isinstance(own, dict):
        return Snapshot(document, None, "another program has written it")
    try:
        if own["v"] != FORMAT_VERSION:
            return Snapshot(document, None, f"its journal part has format {_short(own['v'])}")
        if own["sha256"] != _digest(own["streams"]):
            return Snapshot(document, None, "its journal part was changed by another hand")
        streams = {
            check_name("stream", name): Folded(
                _cursor(**part["cursor"]), StreamState.from_json(part["state"])
            )
            for name, part in own["streams"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return Snapshot(document, None, f"its journal part is damaged ({_short(wrong)})")
    return Snapshot(document, streams, outdated=own.get("fold", 1) != FOLD_VERSION)


def _loaded(body: bytes) -> Any:
    """Parse a document as strictly as the journal writes it, else as leniently as Python does.

    Others' programs write NaN, a byte order mark, UTF-16: what their fields say is kept. Raises
    ValueError or RecursionError.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        document = json.loads(body)
    if not isinstance(document, dict):
        return document
    # Once through the serialiser: NaN becomes null, as it will when the document is written.
    writable = {key: value for key, value in document.items() if _is_writable(key, value)}
    return orjson.loads(orjson.dumps(writable))


def _short(value: object) -> str:
    """Name what is wrong in a document, in so many characters as a line has."""
    if isinstance(value, dict | list):
        return f"a {type(value).__name__}"
    return repr(value)[:_SHORT_CHARS]


def _cursor(**stored: Any) -> Cursor:
    """Take a cursor that was stored. Raises TypeError or ValueError if it is no place."""
    if any(type(value) is not int or not 0 <= value <= COUNT_MAX for value in stored.values()):
        raise ValueError("its cursor is no place in a stream")
    return Cursor(**stored)


def _is_writable(key: str, value: Any) -> bool:
    """Tell whether a field that was read can be written again: it may be too deep for that."""
    try:
        orjson.dumps({key: value})
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


def last_sign(run: Run) -> float:
    """Return when any stream last gave a sign of life, in seconds since the epoch."""
    # Of a stream that has said nothing yet, its opening is all there is.
    states = [folded.state for folded in run.values()]
    return max((s.opened if s.alive is None else s.alive for s in states), default=0.0)


def render(
    run_id: str,
    run: Run,
    stored: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    since: float = 0.0,
) -> dict[str, Any]:
    """Render the document of a run; `stored` is the document it will replace, whoever wrote it.

    What others wrote is carried over, from `before`, an earlier document, too. `since` is a time
    before which `last_update` must not go back.
    """
    states = [folded.state for _, folded in sorted(run.items())]
    lead = lead_of(run)
    sources = sources_of(states, lead)
    where = whereabouts(lead, states, sources, stored.get("phase"))
    told = eta.forecast([lead, *(state for state in states if state is not lead)])
    reached = told.at
    ends = sections.eta_of(told.run, reached)
    progress = sections.progress_of(states, lead, sources)
    progress["estimated_completion"] = ends["at"] if ends else None
    own: dict[str, Any] = {
        "run_id": run_id,
        "status": _status(lead),
        "phase": where.phase,
        "sub_phase": where.sub_phase,
        "current_operation": where.operation,
        "progress": progress,
        "last_update": stamp_seconds(max(last_sign(run), since)),
        "heartbeat_interval": round(sections.silence_promised(states)),
        "details": _details(lead, progress, where, reached),
        "job": lead.job,
        "attempt": lead.attempt,
        "finished": lead.finish
        and {
            "status": lead.finish.status,
            "message": lead.finish.message,
            "at": stamp(lead.finish.at),
        },
        "eta": ends,
        "eta_score": eta.score_of(lead),
        "phases": sections.phases_of(told, sources),
        "sources": [
            {
                **sections.source_of(source),
                "eta": sections.eta_of(
                    told.sources.get((source.sub_phase, source.source)), reached
                ),
            }
            for source in sources
        ],
        "errors": sections.errors_of(states),
        "dropped": sum_of(state.dropped for state in states),
        "vitals": {
            **sections.vitals_of(lead, states),
            "quiet_streams": sections.quiet_of(
                lead, ((n, f.state) for n, f in sorted(run.items()))
            ),
        },
    }
    own["progress"] = {**carried.progress(progress, stored, before or {}), **progress}
    return _with_journal(own, run, lead, carried.carried(own, stored, before or {}))


def _with_journal(
    own: dict[str, Any], run: Run, lead: StreamState, others: dict[str, Any]
) -> dict[str, Any]:
    """Add what others wrote, and the journal's own part at the end."""
    started = lead.started and stamp_seconds(lead.started)
    wanted = dict(zip(carried.FILLED, (started, lead.host or None), strict=True))
    streams = {
        name: {"cursor": asdict(folded.cursor), "state": folded.state}
        for name, folded in sorted(run.items())
    }
    ours = {key: value for key, value in wanted.items() if value and others.get(key) is None}
    for key in ours:
        others.pop(key, None)  # or what is filled in would stand in another place the next time
    return {
        **own,
        **others,
        **ours,
        "journal": {
            "v": FORMAT_VERSION,
            "fold": FOLD_VERSION,
            "filled": list(ours),
            "sha256": _digest(streams),
            "streams": streams,
        },
    }


def _status(lead: StreamState) -> str:
    if lead.finish is not None:
        return _STATUS.get(lead.finish.status, "failed")
    return "running" if lead.started is not None else "initializing"


def _details(
    lead: StreamState, progress: Mapping[str, Any], where: Whereabouts, reached: float
) -> str:
    """Say in one line where the run is."""
    if lead.finish is not None:
        return ": ".join(filter(None, (lead.finish.status, lead.finish.message)))
    parts = ["no source yet"]
    if where.total:
        parts[0] = f"source {min(where.done + 1, where.total)} of {where.total}"
    if where.operation:
        parts[0] += f" ({where.operation})"
    parts.append(f"{progress['files_done']} files")
    if progress["estimated_completion"]:
        parts.append(f"ends about {progress['estimated_completion']}")
    elif lead.attempt_started:
        parts.append(f"running for {duration(max(0.0, reached - lead.attempt_started))}")
    return ", ".join(parts)
