"""What a finished run took, source by source: what the next run of its job goes by. Pure."""

from collections.abc import Sequence
from typing import Any

from journal import foreign
from journal.limits import SOURCES_KEPT
from journal.sources import sources_of, sum_of
from journal.state import SourceState, StreamState


def former_of(states: Sequence[StreamState]) -> list[dict[str, Any]]:
    """Return what each source of a run took, in the order of their beginning.

    The first of `states` is the stream that speaks for the run. Left out are sources that failed
    and those of which nothing was done; of very many, the longest are kept.
    """
    if not states:
        return []
    sources = sources_of(states, states[0])
    told = [_told(source) for source in sources if not source.failed and _worked_on(source)]
    told.sort(key=lambda one: one["wall_seconds"], reverse=True)
    kept = {(one["sub_phase"], one["source"]): one for one in told[:SOURCES_KEPT]}
    order = ((source.sub_phase, source.source) for source in sources)
    return [kept[key] for key in order if key in kept]


def _worked_on(source: SourceState) -> bool:
    return source.files > 0 or source.bytes > 0


def _told(source: SourceState) -> dict[str, Any]:
    """Tell what a source took; as a whole, though an earlier attempt may have done a part of it.

    That part is taken to have been as fast as the rest.
    """
    ended = source.spoke if source.ended is None else source.ended
    wall = seconds = max(0.0, ended - source.started)
    if source.work.files:
        wall, seconds = source.work.wall, source.work.seconds
    whole = _whole(source)
    return {
        "source": source.source,
        "sub_phase": source.sub_phase,
        "files": sum_of((source.files, source.found_files)),
        "bytes": sum_of((source.bytes, source.found_bytes)),
        "seconds": round(foreign.seconds(seconds * whole), 3),
        "wall_seconds": round(foreign.seconds(wall * whole), 3),
    }


def _whole(source: SourceState) -> float:
    """Return how many times as much the source is as this attempt did of it."""
    if source.work.files:  # of every attempt
        return max(1.0, (source.files + source.found_files) / source.work.files)
    if source.bytes and source.found_bytes:
        return 1 + source.found_bytes / source.bytes
    return 1 + source.found_files / source.files if source.files else 1.0
