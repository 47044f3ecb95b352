"""What is known ahead: sources that are to come, and what they took the last time. Pure."""

from typing import Any

from journal import foreign
from journal.limits import SOURCES_KEPT
from journal.state import Former, Planned, StreamState


def plan(state: StreamState, items: Any, sub_phase: str | None) -> None:
    """Take in what is to come of a sub-phase; the later word about a source holds."""
    known = {(one.sub_phase, one.source): one for one in state.planned}
    for item in foreign.mappings(items):
        name = foreign.text(item.get("source")) or ""
        planned = known.get((sub_phase, name))
        if planned is None:
            if len(known) >= SOURCES_KEPT:
                return
            planned = known[sub_phase, name] = Planned(name, sub_phase)
            state.planned.append(planned)
        planned.files = foreign.count(item.get("files"))
        planned.bytes = foreign.count(item.get("bytes"))


def look_back(state: StreamState, items: Any) -> None:
    """Take in what the last finished run of the job took; several records of it add up."""
    known = {(former.sub_phase, former.source): former for former in state.former}
    for item in foreign.mappings(items):
        former = Former(
            source=foreign.text(item.get("source")) or "",
            sub_phase=foreign.text(item.get("sub_phase")) or "",
            files=foreign.count(item.get("files")) or 0,
            bytes=foreign.count(item.get("bytes")) or 0,
            seconds=foreign.seconds(item.get("seconds")),
            wall_seconds=foreign.seconds(item.get("wall_seconds")),
        )
        if len(known) < SOURCES_KEPT or (former.sub_phase, former.source) in known:
            known[former.sub_phase, former.source] = former
    state.former = list(known.values())
