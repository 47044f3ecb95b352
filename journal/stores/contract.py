"""The store contract, as narrow as it can be. Every answer carries the store's time.

Times are seconds since the epoch on the store's clock. A version names one state of one object; for
equal content of one object versions may be equal, which is safe because segments only grow.

Keys are components joined by `/`, none empty or beginning with a dot, without backslashes
and control characters; any other is a ValueError.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, NewType, Protocol

Version = NewType("Version", str)


class _Expectation(Enum):
    ABSENT = "absent"


ABSENT: Final = _Expectation.ABSENT
Expectation = Version | Literal[_Expectation.ABSENT]


@dataclass(frozen=True, slots=True)
class Found:
    """An object: `body` from `start` on (empty at or past its end) and `size` of the whole."""

    body: bytes
    version: Version
    size: int
    store_time: float


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The object still has the version that was given as `unless`."""

    store_time: float


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such object."""

    store_time: float


@dataclass(frozen=True, slots=True)
class Put:
    """A put was applied: the object's new version."""

    version: Version
    store_time: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing. A common prefix (it ends in the delimiter) has no version."""

    key: str
    version: Version | None
    size: int
    modified: float


class ReadStore(Protocol):
    """What a reader is handed. Raises Unavailable or Refused, and nothing else of the network's."""

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        """Return the object from byte `start` on, Unchanged if its version is `unless`."""
        ...

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        """Yield the objects whose keys begin with `prefix`, those greater than `after`.

        With the delimiter `/`, keys that share the part up to its next occurrence come as one
        entry, which is greater than `after` if that part is; SeaweedFS keeps such an entry for a
        while after its last object was deleted. The order is the store's; never rely
        on it across `/`. Requests are made, and errors raised, as the iterator is read.
        """
        ...


class Store(ReadStore, Protocol):
    """What a writer is handed."""

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        """Replace the object if its version is `expect`, create it if that is ABSENT.

        Raises Conflict (the condition did not hold, as far as the store knows: read it back),
        Unavailable (applied or not, nobody knows), Refused (not applied).
        """
        ...

    def delete(self, key: str) -> None:
        """Delete the object if it is there. Only for markers and for whole finished runs."""
        ...
