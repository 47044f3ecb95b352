"""What the doctor finds of a store that each time lacks one thing."""

import time

import pytest

from journal.doctor import rights
from journal.errors import Denied, Refused, Unavailable
from journal.stores.contract import ABSENT, Absent, Found
from journal.stores.memory import MemoryStore

FINE = {
    "list": "ok",
    "put": "ok",
    "get": "ok",
    "read_after_write": "ok",
    "conditions": "ok",
    "delete": "ok",
}


class NoList(MemoryStore):
    def list(self, prefix, *, after="", delimiter=""):
        raise Denied("LIST: 403; give these credentials s3:ListBucket")


class NoGet(MemoryStore):
    def get(self, key, *, start=0, unless=None):
        raise Denied("GET: 403; give these credentials s3:GetObject")


class NoPut(MemoryStore):
    def put(self, key, body, *, expect):
        raise Denied("PUT: 403; give these credentials s3:PutObject")


class NoDelete(MemoryStore):
    def delete(self, key):
        raise Denied("DELETE: 403; give these credentials s3:DeleteObject")


class DeniesAbsence(NoList):
    """What S3 is to those who may not list."""

    def get(self, key, *, start=0, unless=None):
        answer = super().get(key, start=start, unless=unless)
        if isinstance(answer, Absent):
            raise Denied("GET: 403; give these credentials s3:GetObject")
        return answer


class KeepsDeleted(MemoryStore):
    def delete(self, key):
        """Say nothing and do nothing."""


class ReadsStale(MemoryStore):
    """Answers with the object as it was when first put."""

    def get(self, key, *, start=0, unless=None):
        answer = super().get(key, start=start, unless=unless)
        return Found(b"first\n", answer.version, 6, 0.0) if isinstance(answer, Found) else answer


class ReadsLate(MemoryStore):
    """Does not show a new object to the first who looks."""

    seen = False

    def get(self, key, *, start=0, unless=None):
        answer = super().get(key, start=start, unless=unless)
        if isinstance(answer, Found) and not self.seen:
            self.seen = True
            return Absent(answer.store_time)
        return answer


class ListsStale(MemoryStore):
    """Does not list what is there."""

    def list(self, prefix, *, after="", delimiter=""):
        return iter(())


class CreatesTwice(MemoryStore):
    """Ignores that something is there already."""

    def put(self, key, body, *, expect):
        found = self.get(key)
        there = expect is ABSENT and isinstance(found, Found)
        return super().put(key, body, expect=found.version if there else expect)


class Foreign(MemoryStore):
    """Takes the credentials for nobody's."""

    def list(self, prefix, *, after="", delimiter=""):
        raise Refused("LIST: 403 InvalidAccessKeyId; check the credentials")


class Dies(MemoryStore):
    """Answers until something is put, which it keeps, and then nothing but deletes."""

    def put(self, key, body, *, expect):
        super().put(key, body, expect=expect)
        raise Unavailable("PUT: no answer; it may pass")


def found(store, *, is_reader=False):
    return list(rights.examine(store, is_reader=is_reader))


def levels(store, *, is_reader=False):
    return {finding.check: finding.level for finding in found(store, is_reader=is_reader)}


def test_nothing_is_wrong_with_a_sound_store():
    """Everything is tried and found well, and nothing stays behind."""
    store = MemoryStore()

    assert levels(store) == FINE
    assert list(store.list("")) == []


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        (NoList(), {"list": "bad"}),
        (NoGet(), {"get": "bad", "conditions": "unknown", "read_after_write": None}),
        (NoPut(), {"put": "bad", "conditions": "unknown", "read_after_write": None}),
        (NoDelete(), {"delete": "bad", "leftovers": "note"}),
        (DeniesAbsence(), {"list": "bad", "absent": "bad"}),
        (KeepsDeleted(), {"delete": "bad", "leftovers": "note"}),
        (ReadsStale(), {"read_after_write": "bad", "conditions": "bad"}),
        (ReadsLate(), {"read_after_write": "bad"}),
        (ListsStale(), {"read_after_write": "bad"}),
        (CreatesTwice(), {"conditions": "bad"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MemoryStore) else "",
)
def test_what_is_missing_is_named(store, expected):
    """Each thing that is missing has its finding; the others are as they are."""
    everything = {**FINE, **expected}

    assert levels(store) == {check: level for check, level in everything.items() if level}


@pytest.mark.parametrize(
    ("store", "right"),
    [
        (NoList(), "s3:ListBucket"),
        (NoGet(), "s3:GetObject"),
        (NoPut(), "s3:PutObject"),
        (NoDelete(), "s3:DeleteObject"),
        (DeniesAbsence(), "s3:ListBucket"),
    ],
)
def test_the_remedy_is_the_right(store, right):
    """Whoever gives out rights reads in the remedy which one."""
    (remedy, *_) = [one.remedy for one in found(store) if one.level == "bad"]

    assert right in remedy


def test_a_reader_puts_nothing():
    """Of a reader no right to write is asked for, and none is used."""
    store = NoPut()

    assert levels(store, is_reader=True) == {"list": "ok", "get": "ok"}


def test_wrong_credentials_end_the_examination():
    """They are one finding, not one for each right."""
    with pytest.raises(Refused, match="InvalidAccessKeyId"):
        found(Foreign())


def test_a_store_that_dies_is_left_clean():
    """What may have been put before the answer was lost is deleted."""
    store = Dies()

    with pytest.raises(Unavailable):
        found(store)

    assert list(store.list("")) == []


def test_a_store_that_hangs_does_not_take_the_probe_for_ever(monkeypatch):
    """After a while all its requests fail at once: what would wait in turn waits no more."""
    monkeypatch.setattr(rights, "_PROBE_SECONDS", 0.0)

    with pytest.raises(Unavailable, match="took longer than 0 s"):
        found(MemoryStore())


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (0.0, "ok", "differ by"),
        (-3.0, "ok", "differ by"),
        (30.0, "note", "clock is 3"),
        (100.0, "warn", "± 1 s behind the store's"),
        (-1000.0, "warn", "± 1 s ahead of the store's"),
    ],
)
def test_clocks_that_differ(ahead, level, words):
    """The further apart the clocks, the graver; the sentence says by how much and which way."""
    (finding,) = rights.skew(MemoryStore(lambda: float(int(time.time() + ahead))))

    assert finding.level == level
    assert words in finding.says


def test_a_clock_that_may_not_be_asked():
    """Whoever may not read learns nothing of the clock."""
    assert list(rights.skew(NoGet())) == []
