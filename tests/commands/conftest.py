"""The fixtures of these tests: commands called in this process, and runs of a known history."""

import io
import sys
import time
from dataclasses import dataclass

import pytest
from fold.stories import BEGAN, Story
from recorder.fixtures import hasty, local_root, root, start

from journal import layout
from journal.cli.commands import run
from journal.clock import stamp
from journal.compactor import Compactor
from journal.events import encode
from journal.stores import ABSENT, connect

__all__ = ["hasty", "local_root", "root", "start"]


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()


class _Stream(io.TextIOWrapper):
    """Standard output as a pipe of some encoding."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    @property
    def said(self):
        self.flush()
        return self.buffer.getvalue()


@pytest.fixture
def call(monkeypatch, local_root):
    """Call a command over the local root, with its output on a pipe."""
    monkeypatch.setenv("JOURNAL_ROOT", local_root)

    def call(*arguments, encoding="utf-8"):
        out, err = _Stream(encoding), _Stream()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = run(list(arguments))
        return Answer(code, out.said.decode(encoding), err.said.decode())

    return call


@pytest.fixture
def told(local_root):
    """Write a run of streams that were told as stories; the epoch they begin at is BEGAN."""

    def told(run_id="run-1", **streams):
        store = connect(local_root)
        for name, story in streams.items():
            opened, *said = story.records
            place = {"run_id": run_id, "stream": name, "segment": 0}
            lines = [{**opened, **place}, *[{**one, "seq": one["seq"] - 1} for one in said]]
            body = b"".join(map(encode, lines))
            store.put(layout.segment_key(run_id, name, 0), body, expect=ABSENT)
        Compactor(store, run_id).compact(everything=True)
        return run_id

    return told


@pytest.fixture
def run_of_an_hour(told):
    """The id of a run of an hour: three files of a source, an error, a silence, its end."""
    main = Story().started(sources_total=1)
    main.say("phase", phase="data_prep", sub_phase="downloading_policy", after=1)
    main.source("federal", files=3, bytes=3_000_000, after=1)
    main.say("file_done", source="federal", path="a.pdf", bytes=1_000_000, seconds=60, after=1)
    main.say("heartbeat", files=0, bytes=0, in_flight=[], after=3)
    main.say("file_done", source="federal", path="b.pdf", bytes=1_000_000, seconds=60, after=30)
    main.say("error", error="OSError", message="no space left", source="federal", path="c.pdf")
    main.say("file_done", source="federal", path="c.pdf", bytes=1_000_000, seconds=900, after=15)
    main.say("source_done", source="federal", files=3, bytes=3_000_000, seconds=3000)
    main.finished(after=10)
    return told(main=main)


@pytest.fixture
def at():
    """An instant so many seconds after a run of these tests began, as people give it."""
    return lambda seconds: stamp(BEGAN + seconds)


@pytest.fixture
def time_zone(monkeypatch):
    """Live in a time zone."""

    def live_in(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield live_in
    monkeypatch.undo()
    time.tzset()
