"""Counting requests: at the store's contract, by the kind of key, and where botocore sends them."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from botocore.httpsession import URLLib3Session

from journal import layout
from journal.stores import Absent, Entry, Found, Put, Store, Unchanged, Version
from journal.stores.contract import Expectation


class Counted:
    """A store that counts what is asked of it: `requests` and `bytes` by (verb, kind of key)."""

    def __init__(self, store: Store) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        self.bytes: Counter[tuple[str, str]] = Counter()
        self._store = store

    def of(self, verb: str) -> int:
        """Return how many requests of a verb there were."""
        return sum(number for (one, _), number in self.requests.items() if one == verb)

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        answer = self._store.get(key, start=start, unless=unless)
        self._count("get", key, len(answer.body) if isinstance(answer, Found) else 0)
        return answer

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        self._count("put", key, len(body))
        return self._store.put(key, body, expect=expect)

    def delete(self, key: str) -> None:
        self._count("delete", key, 0)
        self._store.delete(key)

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        self._count("list", prefix, 0)
        return self._store.list(prefix, after=after, delimiter=delimiter)

    def _count(self, verb: str, key: str, size: int) -> None:
        self.requests[verb, kind_of(key)] += 1
        self.bytes[verb, kind_of(key)] += size


@contextlib.contextmanager
def sent_requests() -> Iterator[list[str]]:
    """Yield a list that grows by the method of every HTTP request that botocore sends."""
    methods: list[str] = []
    send = URLLib3Session.send

    def counting(self: Any, request: Any) -> Any:
        methods.append(request.method)
        return send(self, request)

    with patch.object(URLLib3Session, "send", counting):
        yield methods


def kind_of(key: str) -> str:
    """Return what lies at a key: a word for a count."""
    name = key.rpartition("/")[2]
    if layout.parse_segment_key(key) is not None:
        return "segment"
    if key.startswith(layout.RUN_INDEX.partition("/")[0]):
        return "index"
    if name in (layout.ERROR_MARKER, layout.COMPLETE_MARKER):
        return "marker"
    return "snapshot" if key.endswith("/metadata.json") else name or "streams"
