"""What these credentials may do under a root, and whether the store keeps its promises there.

All is tried on objects of our own under `_probe/`: a right that is written down in one place may be
taken back in another, and only the answer to a request tells.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from journal import clock
from journal.doctor.finding import Finding, Level, of_error
from journal.errors import Conflict, Denied, JournalError, Refused, Unavailable
from journal.layout import PROBE
from journal.limits import PROBE_RACERS
from journal.stores.contract import (
    ABSENT,
    Absent,
    Entry,
    Expectation,
    Found,
    Put,
    Store,
    Unchanged,
    Version,
)
from journal.stores.probe import probe
from journal.words import duration

# A sound store needs a second or two. Of a dead one each attempt of each racer would wait for long.
_PROBE_SECONDS: Final = 40.0
# S3 refuses whoever is 15 minutes wrong. Long before that, times of two hosts do not fit together.
_SKEW_SECONDS: Final = 5.0
_SKEW_MAX_SECONDS: Final = 60.0

_FIRST: Final = b"first\n"
_SECOND: Final = b"first\nsecond\n"

Answer = TypeVar("Answer")


def examine(store: Store, *, is_reader: bool) -> Iterator[Finding]:
    """Yield which rights there are and which promises hold; with `is_reader` put nothing.

    Raises Unavailable, and Refused if it is no right that is missing.
    """
    key = f"{PROBE}doctor-{secrets.token_hex(8)}/object"
    try:
        any(store.list(key))
    except Denied as error:
        listing = of_error("list", error)
    else:
        listing = Finding("list", "ok", "keys can be listed")
    yield listing
    reading, _ = _asked("get", "objects can be read", lambda: store.get(key))
    if is_reader:
        yield reading
        return
    try:
        yield from _writing(store, key, reading, can_list=listing.level == "ok")
    except BaseException:
        with contextlib.suppress(JournalError):
            store.delete(key)
        raise


def skew(store: Store) -> Iterator[Finding]:
    """Yield how this host's clock stands to the store's, if it may be asked. Raises Unavailable."""
    before = clock.now()
    _, answer = _asked("clock", "", lambda: store.get(f"{PROBE}doctor"))
    if answer is None:
        return
    # Of the store's time the fraction of a second is cut off.
    ahead = answer.store_time + 0.5 - (before + clock.now()) / 2
    apart = abs(ahead)
    if apart <= _SKEW_SECONDS:
        says = f"this host's clock and the store's differ by {apart:.0f} s ± 1 s"
        yield Finding("clock", "ok", says)
        return
    way = "behind" if ahead > 0 else "ahead of"
    says = (
        f"this host's clock is {duration(apart)} ± 1 s {way} the store's: the times of records are "
        "this host's, only last_update is corrected"
    )
    level: Level = "note" if apart <= _SKEW_MAX_SECONDS else "warn"
    yield Finding("clock", level, says, "synchronise it (NTP); S3 refuses it from 15 minutes on")


def _writing(store: Store, key: str, absence: Finding, *, can_list: bool) -> Iterator[Finding]:
    """Put, read, rewrite and delete an object; `absence` is what a read before that came to."""
    putting, put = _asked(
        "put", "objects can be put", lambda: store.put(key, _FIRST, expect=ABSENT)
    )
    yield putting
    reading, found = _asked("get", "objects can be read", lambda: store.get(key))
    yield reading
    if reading.level == "ok" and absence.level != "ok":
        yield Finding(
            "absent",
            "bad",
            "a read of what is not there is denied, though objects can be read: a writer cannot "
            "tell whether its next segment exists",
            "give these credentials s3:ListBucket; a condition on s3:prefix has to cover the root",
        )
    if put is not None and found is not None:
        is_kept = isinstance(found, Found) and found.body == _FIRST
        yield from _promises(store, key, put, is_kept=is_kept, can_list=can_list)
    else:
        yield Finding("conditions", "unknown", "conditional writes cannot be tried")
    yield _deleting(store, key)
    if can_list and (left := sum(1 for _ in store.list(PROBE))):
        says = f"{left} small objects of probes lie under {store}/{PROBE}"
        yield Finding("leftovers", "note", says, "delete them; the journal needs none of them")


def _promises(
    store: Store, key: str, put: Put, *, is_kept: bool, can_list: bool
) -> Iterator[Finding]:
    """Tell whether the store shows what was put last, and honours conditions."""
    rewriting, _ = _asked("put", "", lambda: store.put(key, _SECOND, expect=put.version))
    if rewriting.level != "ok":
        yield Finding("conditions", "bad", rewriting.says, rewriting.remedy)
        return
    found = store.get(key)
    is_kept = is_kept and isinstance(found, Found) and found.body == _SECOND
    if can_list:
        is_kept = is_kept and [one.size for one in store.list(key)] == [len(_SECOND)]
    if is_kept:
        yield Finding("read_after_write", "ok", "what was put last is what is read and listed next")
    else:
        yield Finding(
            "read_after_write",
            "bad",
            "what is read or listed next is not what was put last",
            "use an endpoint without a cache before it",
        )
    yield _conditions(store)


def _conditions(store: Store) -> Finding:
    try:
        probe(_Patience(store, _PROBE_SECONDS))
    except Denied as error:
        return of_error("conditions", error)
    except Refused as error:
        return Finding("conditions", "bad", str(error), "use a server that honours conditions")
    says = f"of {PROBE_RACERS} creates at once one won, and a rewrite of an old version was refused"
    return Finding("conditions", "ok", says)


def _deleting(store: Store, key: str) -> Finding:
    deleting, _ = _asked("delete", "objects can be deleted", lambda: store.delete(key))
    if deleting.level != "ok":
        says = (
            f"{deleting.says}; end markers stay, so a resumed run looks failed to the old monitor"
        )
        return Finding("delete", "bad", says, deleting.remedy)
    # It may be that absent objects are denied: then this does not tell.
    _, left = _asked("delete", "", lambda: store.get(key))
    if isinstance(left, Found):
        says = "an object can still be read after it was deleted"
        return Finding("delete", "bad", says, "use an endpoint without a cache before it")
    return deleting


class _Patience:
    """Passes on all verbs of a store for so many seconds; then all raise Unavailable."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self._until = clock.monotonic() + seconds

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        return self._patiently().get(key, start=start, unless=unless)

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        return self._patiently().put(key, body, expect=expect)

    def delete(self, key: str) -> None:
        self._patiently().delete(key)

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        return self._patiently().list(prefix, after=after, delimiter=delimiter)

    def _patiently(self) -> Store:
        if clock.monotonic() < self._until:
            return self._store
        raise Unavailable(f"the store took longer than {self._seconds:.0f} s; it may pass")


def _asked(check: str, says: str, ask: Callable[[], Answer]) -> tuple[Finding, Answer | None]:
    """Return what became of a request, and its answer if it brought one. Raises Unavailable."""
    try:
        answer = ask()
    except (Refused, Conflict) as error:
        return of_error(check, error), None
    return Finding(check, "ok", says), answer
