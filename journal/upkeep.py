"""Bringing a run's snapshot, end marker and index entries up to what its journal says."""

from journal import index, markers
from journal.compactor import Compaction, Compactor
from journal.layout import MAIN
from journal.snapshot import lead_of
from journal.stores.contract import Store


def keep_up(store: Store, run_id: str) -> Compaction:
    """Compact a run with all of its streams and mend what belongs to it, as far as it has any.

    Raises Unavailable, Refused, Corrupt.
    """
    compaction = Compactor(store, run_id).compact(everything=True)
    if compaction.run:
        lead = lead_of(compaction.run)
        if MAIN in compaction.run:
            markers.install(store, run_id, lead)
        if lead.started is not None:
            index.enter(store, run_id, lead.job, lead.started)
    return compaction
