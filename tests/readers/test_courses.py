"""The rate of a run and its expected end over hours, of which nobody knows beforehand how many."""

from weakref import WeakSet

import pytest
from fold.stories import BEGAN, Story

from readers import course
from readers.event import Event
from readers.postmortem import postmortem
from readers.then import status_of

HOUR = 60  # in a story's minutes


def told_of(story):
    return postmortem("run", history(story), BEGAN + 60 * story.minute + 1)


def history(story):
    return (Event("run", "main", record, b"") for record in story.records)


def at_work(story, minutes, megabytes):
    """Let a source deliver so many megabytes with each minute."""
    for _ in range(minutes):
        path = f"f-{len(story.records)}"
        size = megabytes * 1_000_000
        story.say("file_done", source="federal", path=path, bytes=size, seconds=60, after=1)


@pytest.mark.parametrize("hours", [1, 3, 24, 100])
def test_one_change_of_the_rate_is_told_once(hours):
    """However long the run was, and near to where it was. At the end there is no other."""
    story = Story().started().source("federal")
    at_work(story, hours * HOUR // 2, 2)
    at_work(story, hours * HOUR // 2, 20)

    rates = told_of(story).rates

    assert 1 <= len(rates) <= 2  # it need not fall between two parts
    assert rates[0].before == pytest.approx(2e6 / 60, rel=0.1)
    assert all(rate.after > 2 * rate.before for rate in rates)
    assert rates[-1].at == pytest.approx(BEGAN + hours * 1800, abs=hours * 3600 * 0.1 + 120)


def test_a_time_in_the_far_future_is_come_to_soon(monkeypatch):
    """Which a foreign hand may have written: the parts of the time grow with it."""
    looks = []
    monkeypatch.setattr(course, "status_of", lambda *at: looks.append(at) or status_of(*at))
    story = Story().started().source("federal")
    at_work(story, HOUR, 2)
    story.records[-1]["ts"] = "9999-12-31T23:59:59.000000Z"

    told_of(story)

    assert 40 < len(looks) < 1000


def test_a_history_is_not_kept():
    """It may be longer than memory."""

    class Record(dict):
        __slots__ = ("__weakref__",)

        def __hash__(self):
            return id(self)

    story = Story().started().source("federal")
    at_work(story, 12_000, 2)
    alive, most = WeakSet(), 0

    def each():
        nonlocal most
        while story.records:
            record = Record(story.records.pop(0))
            alive.add(record)
            most = max(most, len(alive))
            yield Event("run", "main", record, b"")

    told = postmortem("run", each(), BEGAN + 3e6)

    assert told.last_work is not None
    assert most < 8_000
