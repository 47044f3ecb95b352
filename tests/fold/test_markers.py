"""The old monitor's end markers: when, with which words, and gone again."""

import fakes
import pytest
from fakes import RUN
from fold.stories import Story

from journal import markers
from journal.errors import Unavailable
from journal.stores import Absent

ERROR, COMPLETE = f"{RUN}/_error", f"{RUN}/_complete"


@pytest.fixture
def store():
    return fakes.FaultyStore()


def ended(status, message=None):
    return Story().started(attempt=3).finished(status, message=message).state


def there(store):
    return [key for key in (ERROR, COMPLETE) if not isinstance(store.get(key), Absent)]


@pytest.mark.parametrize(
    ("status", "keys"),
    [
        ("completed", [COMPLETE]),
        ("failed", [ERROR]),
        ("aborted", [ERROR]),
        ("preempted", []),
    ],
)
def test_an_end_has_its_marker(store, status, keys):
    """Preempted has none: whoever resumes within ten minutes was never reported as failed."""
    markers.install(store, RUN, ended(status))

    assert there(store) == keys


def test_a_run_that_was_handed_over_has_none(store):
    """It closed its stream without `finished`; the run goes on elsewhere."""
    handed_over = Story().started().say("segment_sealed", reason="close")

    markers.install(store, RUN, handed_over.state)

    assert there(store) == []


@pytest.mark.parametrize(
    ("status", "message", "line"),
    [
        ("failed", "disk full", "failed: disk full"),
        ("aborted", "Ctrl-C", "aborted: Ctrl-C"),
        ("completed", None, "completed"),
        ("failed", "two\nlines  and\ttabs", "failed: two lines and tabs"),
    ],
)
def test_the_first_line_is_the_reason(store, status, message, line):
    """In one line, beginning with the status."""
    assert markers.body(ended(status, message)).decode().splitlines()[0] == line


def test_attempt_and_writer_follow():
    """So that a marker left by a writer that was taken over can be told."""
    assert markers.body(ended("failed")) == b"failed\nattempt: 3\nwriter: writer-1\n"


def test_installing_again_is_no_put(store):
    """The marker is there already."""
    markers.install(store, RUN, ended("failed"))
    store.requests.clear()

    markers.install(store, RUN, ended("failed"))

    assert store.puts == 0


def test_a_marker_of_an_earlier_attempt_is_replaced(store):
    """The newest reason is the one that counts."""
    fakes.overwrite(store, ERROR, b"failed: long ago\n")

    markers.install(store, RUN, ended("failed", "now"))

    assert store.get(ERROR).body.startswith(b"failed: now\n")


def test_a_race_for_a_marker_is_tried_again(store):
    """Somebody else put one in between."""
    store.meanwhile.append(lambda: fakes.overwrite(store.inner, ERROR, b"theirs"))

    markers.install(store, RUN, ended("failed", "ours"))

    assert store.get(ERROR).body.startswith(b"failed: ours\n")


def test_a_race_for_a_marker_that_never_ends_is_given_up(store):
    """Later, then."""
    store.faults.extend([fakes.Fault.FALSE_412] * 10)

    with pytest.raises(Unavailable, match="too fast"):
        markers.install(store, RUN, ended("failed"))


def test_removing_takes_both_whoever_wrote_them(store):
    """A resumed run is neither failed nor complete."""
    fakes.overwrite(store, ERROR, b"x")
    fakes.overwrite(store, COMPLETE, b"x")

    removed = markers.remove(store, RUN)

    assert (removed, there(store)) == (["_error", "_complete"], [])


def test_removing_nothing_deletes_nothing(store):
    """A new run asks, and that is all."""
    assert markers.remove(store, RUN) == []
    assert "delete" not in dict(store.requests)
