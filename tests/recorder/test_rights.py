"""A right that is missing for something beside the journal costs a warning, never the journal."""

import logging
import time

import pytest
from recorder.stored import document, marker

from journal.errors import Refused
from journal.recorder import start as starting
from journal.stores import connect
from journal.stores.contract import ABSENT


class Undeletable:
    """A local store whose owner may not delete."""

    def __init__(self, root):
        self._store = connect(root)
        self.get, self.put, self.list = self._store.get, self._store.put, self._store.list

    def delete(self, key):
        raise Refused(f"DELETE {key}: access denied")


@pytest.fixture
def undeletable(local_root, monkeypatch):
    """A root with an old `_error` marker that nobody may remove."""
    connect(local_root).put("run-1/_error", b"failed: long ago\n", expect=ABSENT)
    monkeypatch.setattr(starting, "connect", lambda _: Undeletable(local_root))
    return local_root


def test_without_the_right_to_delete_a_run_still_ends(undeletable, start, caplog):
    """Old markers stay, one warning says so, and the end is in the store at once."""
    caplog.set_level(logging.WARNING, "journal")
    began = time.monotonic()
    start(undeletable).finish()

    assert time.monotonic() - began < 5
    assert document(undeletable)["status"] == "completed"
    assert marker(undeletable, "_complete") == "completed"
    assert [record.message.count("access denied") for record in caplog.records] == [1]
