"""Ending a run from outside, when the process that began it is there no more."""

import os
from pathlib import Path

from journal import events
from journal.claim import Claim
from journal.clock import StoreClock, now, stamp
from journal.compactor import read_run
from journal.errors import Missing
from journal.layout import MAIN
from journal.limits import FLUSH_SECONDS, HEARTBEAT_SECONDS
from journal.recorder import recovery
from journal.recorder.owner import owner_of
from journal.recorder.saying import Said
from journal.state import Finish
from journal.stores.contract import Store
from journal.stream import Stream
from journal.upkeep import keep_up


def close_run(
    store: Store, run_id: str, said: Said, *, host: str, home: Path | None, force: bool = False
) -> Finish | None:
    """Write `finished` into main as its last writer; return how it had ended already, if it had.

    What a dead writer of main left in the spool on this host (`home`) is sent before. Raises
    Missing, Held if somebody else seems to write main (unless `force`d), Unavailable, Refused,
    Corrupt, OSError.
    """
    stream = Stream(
        store=store,
        run_id=run_id,
        name=MAIN,
        host=host,
        pid=os.getpid(),
        flush_seconds=FLUSH_SECONDS,
        heartbeat_seconds=HEARTBEAT_SECONDS,
        clock=StoreClock(),
    )
    owner = owner_of(stream, "")
    for left in recovery.spools(home, store, host, run_id) if home is not None else ():
        if (
            left.state in ("ready", "nothing")
            and left.owner is not None
            and left.owner.stream == MAIN
        ):
            recovery.send(left, store, pid=stream.pid, clock=StoreClock(), force=force)
    run = recovery.persist(lambda: read_run(store, run_id, everything=True).run)
    if not run:
        raise Missing(f"there is no run {run_id} in {store}")
    if MAIN in run and run[MAIN].state.finish is not None:
        return run[MAIN].state.finish
    if not force:
        recovery.persist(lambda: recovery.check_quiet(stream, owner))
    writer = recovery.persist(Claim(stream, resume=True).attempt)
    kind, fields = said
    record = {"seq": writer.next_seq, "ts": stamp(now()), "type": kind, **fields}
    writer.append(events.encode(record), 1)
    while not recovery.persist(lambda: writer.flush("finish")):
        pass
    recovery.persist(lambda: keep_up(store, run_id))
    return None
