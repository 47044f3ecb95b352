"""The order of an examination: from the way to the store to what it is set to."""

from collections.abc import Iterator

from journal.doctor import bucket, directory, reach, rights
from journal.doctor.finding import Finding, of_error
from journal.errors import JournalError, Unavailable
from journal.stores import Store
from journal.stores.local import LocalStore


def examine(store: Store, *, is_reader: bool = False) -> Iterator[Finding]:
    """Yield what is found of a store, as it is found.

    With `is_reader` nothing is put or deleted, and nothing is looked for that only a writer needs.
    A store that does not answer costs one wait: nothing more is asked of it.
    """
    try:
        if isinstance(store, LocalStore):
            yield from directory.examine(store, is_reader=is_reader)
        else:
            yield from _remote(store, is_reader=is_reader)
    except Unavailable as error:
        yield of_error("answer", error)
    except JournalError as error:
        yield of_error("store", error)


def _remote(store: Store, *, is_reader: bool) -> Iterator[Finding]:
    """Examine a store that is not a directory of this host."""
    if not bucket.is_bucket(store):
        yield from rights.examine(store, is_reader=is_reader)
        yield from rights.skew(store)
        return
    for finding in reach.examine(store.identity):
        yield finding
        if finding.level == "bad":
            return
    yield from bucket.place(store)
    yield from rights.examine(store, is_reader=is_reader)
    yield from rights.skew(store)
    yield from bucket.settings(store)
