"""What is read of a history to its end is not kept: a journal may be longer than memory."""

from typing import ClassVar
from weakref import WeakSet

import pytest
from fold.growing import RUN, Growing

from journal import log
from journal.stores import ABSENT, Found, connect
from readers import tail

SEGMENTS = 40


class Batch(log.Batch):
    """A batch of which it is known how many others there are."""

    __slots__ = ("__weakref__",)
    alive: ClassVar = WeakSet()
    most = 0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        Batch.alive.add(self)
        Batch.most = max(Batch.most, len(Batch.alive))

    __hash__ = object.__hash__


@pytest.fixture
def long_run(local_root, monkeypatch):
    """A run of two streams, each of many segments."""
    grown = Growing()
    for minute in range(SEGMENTS):
        said = [(minute, "file_done"), (minute, "error")]
        grown.write([(name, said, "roll", False) for name in ("main", "a")])
    store = connect(local_root)
    for entry in grown.store.list(""):
        found = grown.store.get(entry.key)
        assert isinstance(found, Found)
        store.put(entry.key, found.body, expect=ABSENT)
    monkeypatch.setattr(tail, "_TOGETHER", 4)  # events, of one segment or two
    monkeypatch.setattr(log, "Batch", Batch)
    monkeypatch.setattr(Batch, "most", 0)
    return RUN


@pytest.mark.parametrize(
    "command",
    [
        ("replay",),
        ("replay", "-o", "json"),
        ("replay", "--explain"),
        ("replay", "--at", "2025-08-05T23:00Z"),
        ("replay", "--verify"),
        ("status", "--at", "2025-08-05T23:00Z"),
        ("errors",),
        ("export",),
        ("export", "-o", "csv"),
        ("bundle", "--to", "run.zip"),
        ("tail", "-n", "all"),
        ("tail", "-n", "all", "-o", "json"),
    ],
    ids=" ".join,
)
def test_a_command_keeps_a_few_segments_of_many(call, long_run, command, tmp_path, monkeypatch):
    """Two for each stream: one that is handed out, and one that comes next."""
    monkeypatch.chdir(tmp_path)

    answer = call(*command, long_run)

    assert answer.code == 0, answer.err
    assert 0 < Batch.most <= 8
