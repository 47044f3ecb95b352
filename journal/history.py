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
    return source.files > 0 or source.bytes > 0 or source.work.files > 0


def _told(source: SourceState) -> dict[str, Any]:
    """Tell what a source took; as a whole, though an earlier attempt may have done a part of it.

    That part is taken to have been as fast as what was measured.
    """
    work = source.work
    all_files = sum_of((source.files, source.found_files))
    all_bytes = sum_of((source.bytes, source.found_bytes))
    if work.files:
        wall, seconds = work.wall, work.seconds
        times = _times(all_bytes, work.bytes) or _times(all_files, work.files)
    else:
        ended = source.spoke if source.ended is None else source.ended
        wall = seconds = ended - source.started
        times = _times(all_bytes, source.bytes) or _times(all_files, source.files)
    return {
        "source": source.source,
        "sub_phase": source.sub_phase,
        "files": all_files,
        "bytes": all_bytes,
        "seconds": round(foreign.seconds(seconds * times), 3),
        "wall_seconds": round(foreign.seconds(wall * times), 3),
    }


def _times(whole: float, measured: float) -> float:
    """Return how many times as much the whole is, 0.0 if that cannot be told."""
    return whole / measured if measured > 0 else 0.0
