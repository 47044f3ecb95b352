"""Sending what jobs that will not come back left in the spools of this host.

A spool whose process lives is left alone. What a fenced writer said is listed and never sent.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeVar

from journal import events, layout
from journal.claim import Claim
from journal.clock import sleep
from journal.compactor import read_run
from journal.errors import Held, Unavailable
from journal.limits import HEARTBEAT_SECONDS, LOST_PROMISES, RETRY_FIRST_SECONDS
from journal.recorder.leftover import leftover_of
from journal.recorder.outbox import Outbox
from journal.recorder.owner import Entry, Owner, entries, lock_folder
from journal.recorder.spool import Spool
from journal.segments import Reason, tail_of
from journal.stores.contract import Entry as Listed
from journal.stores.contract import Store
from journal.stream import Clock, Stream
from journal.upkeep import keep_up

Answer = TypeVar("Answer")

ATTEMPTS: Final = 4  # of each request, before a person is asked to come back later

State = Literal["in use", "elsewhere", "unknown", "sent", "nothing", "ready"]


@dataclass(slots=True)
class Found:
    """A spool on this host: what became of it, and how many records are what.

    `state` is `in use` (its process lives), `elsewhere` (of another root or endpoint), `unknown`
    (nobody can tell whose it is), `ready` (it may be sent), `sent`, or `nothing` (the store has it
    all).
    """

    folder: Path
    owner: Owner | None
    state: State
    bytes: int
    sent: int = 0
    stored: int = 0
    damaged: int = 0
    fenced: list[Path] = field(default_factory=list)


def spools(home: Path, store: Store, host: str, run_id: str | None = None) -> Iterator[Found]:
    """Yield the spools of this host, of one run or of all, with those of other roots.

    Raises OSError.
    """
    endpoint = getattr(store, "endpoint", "")
    with suppress(FileNotFoundError):
        for run in sorted((home / layout.as_name(host, "host")).glob("*/*")):
            if run_id is not None and run.name != run_id:
                continue
            for entry in entries(run):
                yield _found(entry, str(store), endpoint)


def _found(entry: Entry, root: str, endpoint: str) -> Found:
    owner, state = entry.owner, "ready"
    lock = lock_folder(entry.folder)
    if lock is None:
        state = "in use"
    else:
        os.close(lock)
        if owner is None:
            state = "unknown"
        elif (owner.root, owner.endpoint) != (root, endpoint):
            state = "elsewhere"
        elif not entry.size:
            state = "nothing"
    return Found(entry.folder, owner, state, entry.size, fenced=entry.fenced)  # type: ignore[arg-type]


def send(found: Found, store: Store, *, pid: int, clock: Clock, force: bool = False) -> Found:
    """Send what the store does not have of a spool that is `ready`, and remove the spool.

    `pid` is who recovers, `clock` his. Raises Held if another writer was at work on the stream
    within three heartbeats, unless `force`d; Unavailable (what was sent stays sent; come back
    later), Fenced, Refused, Corrupt, OSError.
    """
    owner = found.owner
    lock = lock_folder(found.folder)
    if owner is None or lock is None:
        found.state = "in use" if lock is None else "unknown"
        return found
    spool = Spool(found.folder, lock, owner)
    outbox = Outbox(spool)
    try:
        stream = Stream(
            store=store,
            run_id=owner.run_id,
            name=owner.stream,
            host=owner.host,
            pid=pid,
            flush_seconds=owner.flush_seconds,
            heartbeat_seconds=owner.heartbeat_seconds,
            clock=clock,
        )
        if not force:
            persist(lambda: check_quiet(stream, owner))
        _send(found, stream, spool, outbox)
        outbox.leave_spool(remove=True)
        persist(lambda: keep_up(store, owner.run_id))
    finally:
        outbox.leave_spool()
    return found


def _send(found: Found, stream: Stream, spool: Spool, outbox: Outbox) -> None:
    """Claim, judge what is missing, and send it."""
    writer = persist(Claim(stream, resume=True).attempt)
    folded = persist(lambda: read_run(stream.store, stream.run_id).run.get(stream.name))
    missing = persist(lambda: leftover_of(spool, stream, writer))
    missing.look_through()
    found.stored, found.damaged = missing.stored, missing.damaged
    outbox.begin_at(writer.next_seq, missing.lines(folded.state.attempt if folded else 0), own=0)
    found.state = "sent" if outbox.count else "nothing"
    seal: Reason | None = None
    while seal is None:
        lines, count = outbox.take()
        writer.append(lines, count)
        if not outbox.count:
            # Who comes next may see that nobody writes here any more.
            seal = "finish" if _ends(bytes(lines)) else "close"
        flush = partial(writer.flush, seal)
        while not persist(flush):
            pass
        outbox.acknowledge(writer.acknowledged)
        found.sent += count


def _ends(lines: bytes) -> bool:
    """Tell whether the last of some lines is `finished`."""
    last = lines[lines.rfind(b"\n", 0, -1) + 1 :]
    return bool(last) and events.decode(last)["type"] == events.FINISHED


def check_quiet(stream: Stream, owner: Owner) -> None:
    """Raise Held if somebody seems to write: out of courtesy, for a claim would fence them."""
    newest: Listed | None = None
    for entry in stream.store.list(layout.stream_prefix(stream.run_id, stream.name)):
        if layout.parse_segment_key(entry.key) and (newest is None or entry.key > newest.key):
            newest = entry
    place = layout.parse_segment_key(newest.key) if newest else None
    found = stream.read(place[2]) if place else None
    if newest is None or place is None or found is None:
        return
    tail = tail_of(found.body, newest.key)
    opened = tail.opened
    host, pid = str(opened.get("host")), opened.get("pid")
    if tail.sealed or (host == owner.host and pid in (owner.pid, *owner.former)):
        return  # nobody writes, or it was a process whose end the free lock has shown
    beat = opened.get("heartbeat_seconds")
    promised = float(beat) if isinstance(beat, int | float) else HEARTBEAT_SECONDS
    if found.store_time - newest.modified < LOST_PROMISES * promised:
        number = pid if type(pid) is int else 0
        raise Held(stream.run_id, stream.name, host, number, str(opened.get("ts")))


def persist(ask: Callable[[], Answer]) -> Answer:
    """Ask again while the store is Unavailable, a few times."""
    for attempt in range(ATTEMPTS - 1):
        try:
            return ask()
        except Unavailable:
            sleep(RETRY_FIRST_SECONDS * 2.0**attempt)
    return ask()
