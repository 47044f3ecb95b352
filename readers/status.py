"""How a run stands: its document, as far as the journal goes, and the verdict on it."""

from dataclasses import dataclass
from typing import Any

from journal import health, layout, snapshot
from journal.compactor import read_run
from journal.errors import Missing
from journal.health import Verdict
from journal.layout import MAIN
from journal.segments import PRUNED
from journal.snapshot import lead_of
from journal.stores import Found, ReadStore


@dataclass(frozen=True, slots=True)
class Status:
    """A run's document at `store_time` (epoch seconds), the verdict, and what is wrong with it."""

    run_id: str
    document: dict[str, Any]
    verdict: Verdict
    store_time: float
    complaints: list[str]
    is_damaged: bool
    is_pruned: bool  # the document is what is left of the run


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a run's main stream: process, state of the run, silence by the store's clock."""

    host: str
    pid: int
    state: health.State
    silent_seconds: float
    heartbeat_seconds: float


def status(store: ReadStore, run_id: str) -> Status:
    """Read a run's snapshot and what the journal holds beyond it, and judge it.

    A snapshot that lags or is damaged does not matter: the journal is the truth. Raises Missing,
    Unavailable, Refused, Corrupt (a later format).
    """
    reading = read_run(store, run_id)
    stored = reading.stored
    if not reading.run and stored is None:
        raise Missing(f"no run {run_id} under this root; `journal ls` shows those there are")
    complaints = list(reading.damages)
    if stored is not None and stored.complaint is not None:
        complaints.append(f"metadata.json of run {run_id}: {stored.complaint}")
    # Without a journal, the document of whoever wrote it is all there is.
    document = reading.document(run_id) if reading.run or stored is None else stored.document
    verdict = health.verdict(document, reading.store_time)
    main = reading.run.get(MAIN)
    return Status(
        run_id=run_id,
        document=document,
        verdict=verdict,
        store_time=reading.store_time,
        complaints=complaints,
        is_damaged=bool(reading.damages),
        is_pruned=MAIN in reading.pruned or (main is not None and main.state.sealed == PRUNED),
    )


def glance(store: ReadStore, run_id: str) -> Status:
    """Return how a run stands by its snapshot alone, with one request, if that says it is well.

    A snapshot lags a little: a run that has not ended and does not look well by it, and one without
    a sound snapshot, is read as `status` does. Raises as that does.
    """
    answer = store.get(layout.snapshot_key(run_id))
    stored = snapshot.decode(answer.body) if isinstance(answer, Found) else None
    if stored is not None and stored.complaint is None and stored.streams is not None:
        main = stored.streams.get(MAIN)
        verdict = health.verdict(stored.document, answer.store_time)
        if verdict.liveness is None or verdict.health == "ok":
            return Status(
                run_id=run_id,
                document=stored.document,
                verdict=verdict,
                store_time=answer.store_time,
                complaints=[],
                is_damaged=False,
                is_pruned=main is not None and main.state.sealed == PRUNED,
            )
    return status(store, run_id)


def holder(store: ReadStore, run_id: str) -> Holder | None:
    """Return who holds a run, None if there is no journal of it. Raises as `status` does."""
    reading = read_run(store, run_id, everything=True)
    if not reading.run:
        return None
    main = reading.run[MAIN].state if MAIN in reading.run else lead_of(reading.run)
    seen = main.last_record if main.last_record is not None else main.last_ts + main.clock_offset
    return Holder(
        host=main.host,
        pid=main.pid,
        state=health.state_of(reading.document(run_id)),
        silent_seconds=max(0.0, reading.store_time - seen),
        heartbeat_seconds=main.heartbeat_seconds,
    )
