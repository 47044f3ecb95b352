"""A store that remembers what it was asked, and in which order."""

from pathlib import Path
from typing import Any

import fakes
import pytest

from journal.errors import Unavailable
from journal.stores.contract import Expectation, Put
from journal.stores.local import LocalStore


class WatchedStore(fakes.FaultyStore):
    """Keeps each put with its body, each delete, in the order in which they were applied."""

    def __init__(self, root: Path) -> None:
        super().__init__(LocalStore(root))
        self.changes: list[tuple[str, str, bytes]] = []
        self.deaf_deletes = 0  # so many are not answered

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        done = super().put(key, body, expect=expect)
        self.changes.append(("put", key.partition("/")[2], bytes(body)))
        return done

    def delete(self, key: str) -> None:
        if self.deaf_deletes:
            self.deaf_deletes -= 1
            raise Unavailable(f"{key}: no answer")
        super().delete(key)
        self.changes.append(("delete", key.partition("/")[2], b""))

    def first(self, verb: str, key: str, containing: bytes = b"") -> int:
        """The place of the first change of a kind."""
        found = self._places(verb, key, containing)
        assert found, f"no {verb} of {key} with {containing!r}"
        return found[0]

    def count(self, verb: str, key: str) -> int:
        return len(self._places(verb, key, b""))

    def _places(self, verb: str, key: str, containing: bytes) -> list[int]:
        return [
            place
            for place, (did, what, body) in enumerate(self.changes)
            if did == verb and what.startswith(key) and containing in body
        ]


def watching(root: Path, monkeypatch: pytest.MonkeyPatch) -> WatchedStore:
    """Let all runs of this process go to one watched store."""
    store = WatchedStore(root)

    def connect(_url: Any = None) -> WatchedStore:
        return store

    monkeypatch.setattr("journal.recorder.start.connect", connect)
    return store
