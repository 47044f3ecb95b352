"""When the work now known will end: a first, plain estimate. Pure.

The share of fresh work done so far, by bytes where every total is known, else by files, carried on
at the mean speed of the sub-phase. Recent-speed windows are left out on purpose: with heavy-tailed
file sizes they are worse than the mean.
"""

from collections.abc import Sequence

from journal.eta.estimate import Estimate
from journal.limits import ETA_MIN_FRACTION, ETA_MIN_SECONDS
from journal.state import SourceState


def estimate(
    sources: Sequence[SourceState], sources_total: int | None, elapsed: float
) -> Estimate | None:
    """Estimate from the sources of one sub-phase, `elapsed` seconds into it.

    None while there is no ground for it: under half a minute, too little done, unknown totals.
    """
    if elapsed < ETA_MIN_SECONDS or not sources:
        return None
    for basis in ("bytes", "files"):
        share = _share(sources, sources_total, basis)
        if share is not None:
            break
    else:
        return None
    if share < ETA_MIN_FRACTION:
        return None
    remaining = elapsed * (1 - share) / share
    # The later, the surer: at the start the truth is anywhere between a third and three times.
    spread = 3.0 ** (1 - share)
    return Estimate(remaining, remaining / spread, remaining * spread, basis)


def _share(sources: Sequence[SourceState], sources_total: int | None, basis: str) -> float | None:
    """Return the share of fresh work done, None if a total is unknown."""
    done = total = 0
    for source in sources:
        moved = source.bytes if basis == "bytes" else source.files + source.skipped
        found = source.found_bytes if basis == "bytes" else source.found_files
        planned = source.bytes_total if basis == "bytes" else source.files_total
        if source.ended is not None:
            fresh = moved
        elif planned is None:
            return None
        else:
            fresh = max(planned - found, moved)
        done += moved
        total += fresh
    if sources_total is not None and sources_total > len(sources):
        # Those not yet seen are taken to be like those seen.
        total = total * sources_total // len(sources)
    return done / total if total else None
