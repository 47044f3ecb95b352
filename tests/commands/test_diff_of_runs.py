"""`journal diff`: two runs side by side, what made most difference first."""

import json

import pytest
from fold.stories import Story

PHASE = "downloading_policy"


def prepared(*, minutes, files=2, error=None, sources=("a", "b")):
    """The story of a run whose last source takes so many minutes."""
    story = Story().started()
    story.say("phase", phase="data_prep", sub_phase=PHASE, after=1)
    for name in sources:
        took = minutes if name == sources[-1] else 10
        story.source(name, files=files, bytes=1000 * files, after=1)
        for number in range(files):
            story.say("file_done", source=name, path=f"{number}", bytes=1000, after=took / files)
        story.say("source_done", source=name, files=files, bytes=1000 * files)
    if error is not None:
        story.say("error", error=error, message="no", source=sources[0])
    return story.finished()


@pytest.fixture
def two_runs(told):
    """The ids of a run, and of one that took longer in its last source, and met an error."""
    return told("one", main=prepared(minutes=100)), told(
        "two", main=prepared(minutes=300, error="OSError")
    )


def test_what_took_longer_comes_first(two_runs, call):
    """Whole runs, then sources by their difference, then what differs besides."""
    answer = call("diff", *two_runs)

    assert answer.code == 0
    assert "B took 3 h 20 min longer than A (2.77 times)" in answer.lines
    rows = [line.split()[0] for line in answer.lines[5:8]]
    assert rows == ["run", f"{PHASE}/b", f"{PHASE}/a"]
    assert any(line.split() == ["OSError", "0", "1"] for line in answer.lines)


def test_as_json_both_sides_are_there(two_runs, call):
    """Seconds, files and bytes of each source on both sides."""
    document = json.loads(call("diff", *two_runs, "-o", "json").out)

    assert (document["v"], document["a"], document["b"]) == (1, "one", "two")
    assert document["sources"][0]["name"] == f"{PHASE}/b"
    assert document["sources"][0]["seconds"] == 12_000.0
    assert document["sources"][0]["a"]["files"] == 2
    assert document["errors"] == {"OSError": {"a": 0, "b": 1}}
    assert document["whole"]["b"]["errors"] == 1


def test_a_source_that_only_one_has_is_shown(told, call):
    """It counts whole."""
    told("one", main=prepared(minutes=50))
    told("two", main=prepared(minutes=50, sources=("a", "b", "c")))

    document = json.loads(call("diff", "one", "two", "-o", "json").out)
    (lone,) = [one for one in document["sources"] if one["name"] == f"{PHASE}/c"]

    assert lone["a"] is None
    assert lone["seconds"] > 0
    assert call("diff", "one", "nothing").code == 10
