"""A store in memory, for tests and simulations."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from journal import clock
from journal.errors import Conflict
from journal.stores.contract import (
    ABSENT,
    Absent,
    Entry,
    Expectation,
    Found,
    Put,
    Unchanged,
    Version,
)
from journal.stores.keys import check_key, check_listing, check_start


@dataclass(frozen=True, slots=True)
class _Object:
    body: bytes
    version: Version
    modified: float


class MemoryStore:
    """Keeps objects in a dictionary. Safe between threads; `now` is its clock."""

    def __init__(self, now: Callable[[], float] = clock.now) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._objects: dict[str, _Object] = {}

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        """Return the object from byte `start` on, Unchanged if its version is `unless`."""
        check_start(start)
        there = self._objects.get(check_key(key))
        if there is None:
            return Absent(self._now())
        if there.version == unless:
            return Unchanged(self._now())
        return Found(there.body[start:], there.version, len(there.body), self._now())

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        """Replace the object if its version is `expect`, create it if that is ABSENT.

        Raises Conflict.
        """
        check_key(key)
        # As with an ETag, the version of equal content is equal.
        new = _Object(bytes(body), Version(hashlib.sha256(body).hexdigest()), self._now())
        with self._lock:
            there = self._objects.get(key)
            if (ABSENT if there is None else there.version) != expect:
                raise Conflict(f"{key} is not what was expected")
            self._objects[key] = new
        return Put(new.version, new.modified)

    def delete(self, key: str) -> None:
        """Delete the object if it is there."""
        check_key(key)
        with self._lock:
            self._objects.pop(key, None)

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        """Yield what lies under `prefix` beyond `after`, in byte order."""
        check_listing(prefix, delimiter)
        with self._lock:
            objects = sorted(self._objects.items())
        return _entries(objects, prefix, after, delimiter)


def _entries(
    objects: list[tuple[str, _Object]], prefix: str, after: str, delimiter: str
) -> Iterator[Entry]:
    shared = ""
    for key, there in objects:
        if not key.startswith(prefix) or (shared and key.startswith(shared)):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        shared = key[: end + 1] if end >= 0 else ""
        if (shared or key) <= after:
            continue
        if shared:
            yield Entry(shared, None, 0, 0.0)
        else:
            yield Entry(key, there.version, len(there.body), there.modified)
