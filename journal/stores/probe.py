"""Does a store keep its promise about conditions? Tried once, before a journal trusts it.

Servers exist that ignore conditions, and some that honour them only one after the other; on either,
two writers would both believe that a run is theirs.
"""

import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from journal import clock
from journal.errors import Conflict, Denied, JournalError, Refused, Unavailable
from journal.layout import PROBE
from journal.limits import CONNECT_SECONDS, PROBE_DAYS, PROBE_RACERS
from journal.stores.contract import ABSENT, Expectation, Found, Put, Store, Unchanged, Version

# One race may be won by one racer by luck, and the first is slowed down by connecting.
_RACES: Final = 3
_RACER_ATTEMPTS: Final = 5  # a loser may be answered 409, "nobody knows", several times
_RACER_PAUSE_SECONDS: Final = 0.2
_DAY_SECONDS: Final = 86400.0


def probe(store: Store) -> None:
    """Try out on objects of its own whether the store honours conditions.

    Raises Refused, which says what step failed, Denied if a right is missing; Unavailable if the
    store did not answer.
    """
    folder = f"{PROBE}{secrets.token_hex(8)}"
    keys = [f"{folder}/object", f"{folder}/missing", *(f"{folder}/race{n}" for n in range(_RACES))]
    try:
        former, latter = _probe_rewrites(store, keys[0])
        _probe_missing(store, keys[1], former)
        _probe_reads(store, keys[0], former, latter)
        for key in keys[2:]:
            _probe_race(store, key)
    finally:
        for key in keys:
            # What cannot be cleaned up is a few empty words under a name of its own.
            with contextlib.suppress(JournalError):
                store.delete(key)


def ensure_probed(store: Store) -> None:
    """Probe a store that has an `identity`, unless it passed within the last PROBE_DAYS days.

    Stores of our own making have none and need no probe. Raises Refused or Unavailable.
    """
    identity = getattr(store, "identity", None)
    if identity is None:
        return
    name = f"probed-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
    # A cache that cannot be read or written means another probe next time, and nothing else.
    with contextlib.suppress(OSError, RuntimeError):
        if _is_fresh(_cache_directory() / name):
            return
    probe(store)
    with contextlib.suppress(OSError, RuntimeError):
        _cache_directory().mkdir(parents=True, exist_ok=True)
        (_cache_directory() / name).write_text(f"{identity}\n")


def _probe_rewrites(store: Store, key: str) -> tuple[Version, Version]:
    """Create once, rewrite once; return the version before and the version after."""
    former = _applied(store, "create", key, b"first\n", ABSENT)
    _conflicting(store, "create twice", key, b"second\n", ABSENT)
    latter = _applied(store, "rewrite with the right version", key, b"first\nthird\n", former)
    _conflicting(store, "rewrite with a wrong version", key, b"first\nfourth\n", former)
    return former, latter


def _probe_missing(store: Store, key: str, version: Version) -> None:
    _conflicting(store, "rewrite of a missing object", key, b"fifth\n", version)


def _probe_reads(store: Store, key: str, former: Version, latter: Version) -> None:
    """Read what the rewrites must have left: `first` and `third`."""
    step = "read after overwrite"
    with _naming(step):
        whole = store.get(key)
    if not isinstance(whole, Found) or whole.body != b"first\nthird\n":
        raise _failed(step, "what was read is not what was written last")
    if whole.version != latter:
        raise _failed(step, "a read names another version than the put that wrote it")
    step = "ranged conditional read"
    with _naming(step):
        unmoved = store.get(key, start=6, unless=latter)
        moved = store.get(key, start=6, unless=former)
        at_end = store.get(key, start=12)
    if not isinstance(unmoved, Unchanged):
        raise _failed(step, "an unchanged object is sent again")
    if not isinstance(moved, Found) or (moved.body, moved.size) != (b"third\n", 12):
        raise _failed(step, "a changed object is not sent from the byte asked for")
    if not isinstance(at_end, Found) or (at_end.body, at_end.size) != (b"", 12):
        raise _failed(step, "a read at the end is not empty")


def _probe_race(store: Store, key: str) -> None:
    """Let several create the same object at once: one must win, and stay.

    Two winners prove a broken store, whatever else happened. None proves nothing as long as a racer
    once got no answer: the object may be that one's.
    """
    step = f"race of {PROBE_RACERS} creates"
    gate = threading.Barrier(PROBE_RACERS, timeout=CONNECT_SECONDS)
    with ThreadPoolExecutor(PROBE_RACERS) as pool, _naming(step):
        racers = [_Racer(store, key, b"racer %d\n" % n) for n in range(PROBE_RACERS)]
        list(pool.map(lambda racer: racer.run(gate), racers))
        winners = [racer for racer in racers if racer.won]
        if len(winners) > 1:
            raise _failed(step, f"{len(winners)} of them won")
        for racer in racers:
            if racer.error is not None:
                raise racer.error
        there = store.get(key)
    likely = winners or [racer for racer in racers if racer.unsure]
    if not isinstance(there, Found) or there.body not in [racer.body for racer in likely]:
        raise _failed(step, "what lies there is not the winner's")


class _Racer:
    """One of several that create an object: `won`, or lost, or ended in `error`."""

    def __init__(self, store: Store, key: str, body: bytes) -> None:
        self.body = body
        self.won = False
        self.unsure = False  # an attempt was not answered conclusively, and may have been applied
        self.error: JournalError | None = None
        self._store = store
        self._key = key

    def run(self, gate: threading.Barrier) -> None:
        """Send the same create until it is answered, as a writer does."""
        with contextlib.suppress(threading.BrokenBarrierError):
            gate.wait()
        for _ in range(_RACER_ATTEMPTS):
            try:
                self._store.put(self._key, self.body, expect=ABSENT)
            except Conflict:
                self.error = None
            except Unavailable as error:
                self.error, self.unsure = error, True
                clock.sleep(_RACER_PAUSE_SECONDS)
                continue
            except JournalError as error:
                self.error = error
            else:
                self.won, self.error = True, None
            return


def _applied(store: Store, step: str, key: str, body: bytes, expect: Expectation) -> Version:
    with _naming(step):
        try:
            put: Put = store.put(key, body, expect=expect)
        except Conflict:
            raise _failed(
                step, "the condition holds, and the store says that it does not"
            ) from None
    return put.version


def _conflicting(store: Store, step: str, key: str, body: bytes, expect: Expectation) -> None:
    with _naming(step), contextlib.suppress(Conflict):
        store.put(key, body, expect=expect)
        raise _failed(step, "the store ignores the condition and overwrites")


@contextlib.contextmanager
def _naming(step: str) -> Iterator[None]:
    """Add the step to a refusal of the store itself; a missing right says nothing of the store."""
    try:
        yield
    except (_ProbeFailed, Denied):
        raise
    except Refused as error:
        raise _failed(step, str(error)) from error


class _ProbeFailed(Refused):
    """A refusal that names its step already."""


def _failed(step: str, why: str) -> _ProbeFailed:
    return _ProbeFailed(f"the store cannot hold a journal: probe step '{step}' failed: {why}")


def _cache_directory() -> Path:
    """Return where passed probes are remembered. Raises RuntimeError for a user without a home."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(home) if Path(home).is_absolute() else Path.home() / ".cache"
    return cache / "progress-journal"


def _is_fresh(passed: Path) -> bool:
    age_seconds = clock.now() - passed.stat().st_mtime
    return 0 <= age_seconds < PROBE_DAYS * _DAY_SECONDS
