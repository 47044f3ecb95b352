"""Bringing a run's snapshot, end marker and index entries up to what its journal says."""

from typing import Final

from journal import index, markers
from journal.compactor import Compaction, Compactor, read_run
from journal.layout import MAIN
from journal.snapshot import lead_of
from journal.state import StreamState
from journal.stores.contract import Store

_LOOKS: Final = 3  # attempts that begin and end while a marker is put


def keep_up(store: Store, run_id: str) -> Compaction:
    """Compact a run with all of its streams and mend what belongs to it, as far as it has any.

    Raises Unavailable, Refused, Corrupt.
    """
    compaction = Compactor(store, run_id).compact(everything=True)
    if compaction.run:
        lead = lead_of(compaction.run)
        if MAIN in compaction.run:
            mark_end(store, run_id, lead)
        if lead.started is not None:
            index.enter(store, run_id, lead.job, lead.started)
    return compaction


def mark_end(store: Store, run_id: str, main: StreamState) -> None:
    """Put the marker that main's end asks for; take it back if an attempt has begun meanwhile.

    That attempt removed markers once its `started` was there. One that was put later would call it
    failed for as long as it runs; but then `started` is there to be seen. Raises Unavailable,
    Refused, Corrupt.
    """
    for _ in range(_LOOKS):
        if markers.wanted(main) is None:
            return
        markers.install(store, run_id, main)
        now = read_run(store, run_id, only=MAIN).run.get(MAIN)
        if now is None or (now.state.attempt, now.state.finish) == (main.attempt, main.finish):
            return
        markers.take_back(store, run_id, main)
        main = now.state  # it may have ended, too, and its own marker been replaced by this one
