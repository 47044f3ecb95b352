"""What a job says of sources to come is in the journal whole, however much it is."""

import pytest
from recorder.stored import document, lines, of_type, records

from journal.limits import LINE_BYTES


def plans(root):
    """The `planned` records, each as its sub-phase and its sources."""
    told = [record for record in records(root) if record["type"] == "planned"]
    return [(record.get("sub_phase"), record["sources"]) for record in told]


def names(root):
    """The names in `started` and in all `planned` records, in their order."""
    told = [record.get("sources", []) for record in records(root)]
    return [plan["source"] for sources in told for plan in sources]


def test_a_plan_says_what_is_known_of_each_source(local_root, start):
    """Names alone, and names with `files` and `bytes`, of the sub-phase that was given."""
    with start(local_root) as run:
        run.plan(["a", {"source": "b", "files": 2, "bytes": 10}], sub_phase="processing")

    sources = [{"source": "a"}, {"source": "b", "files": 2, "bytes": 10}]
    assert plans(local_root) == [("processing", sources)]


def test_a_plan_is_of_the_present_sub_phase(local_root, start):
    """Without a sub-phase it is of the one said last; before any, of the run's first."""
    with start(local_root) as run:
        run.plan(["a"])
        run.phase("data_prep", "downloading")
        run.plan(["b"])

    assert plans(local_root) == [(None, [{"source": "a"}]), ("downloading", [{"source": "b"}])]


def test_a_plan_of_nothing_says_nothing(local_root, start):
    """An empty list leaves no record."""
    with start(local_root) as run:
        run.plan([])

    assert plans(local_root) == []


def test_a_plan_stays_as_it_was_said(local_root, start):
    """What the job changes later, or what is no JSON, does not reach the journal."""
    plan = {"source": "a", "files": 1, "weird": object}
    with start(local_root) as run:
        run.plan([plan])
        plan["source"] = "changed"

    ((_, [told]),) = plans(local_root)
    assert (told["source"], told["files"]) == ("a", 1)


@pytest.mark.parametrize("width", [3, 300, 5000])
def test_a_long_plan_is_divided_and_nothing_of_it_is_cut(width, local_root, start):
    """A thousand sources are in the journal, in lines that are short enough to be left whole."""
    wanted = [f"{number:0{width}d}" for number in range(1000)]
    with start(local_root) as run:
        run.plan(wanted)

    assert names(local_root) == wanted
    assert not any("truncated" in line for line in lines(local_root))


def test_what_started_has_no_room_for_follows_it(local_root, start):
    """Of a long list given to `start_run` nothing is lost, whatever `params` are."""
    wanted = [f"{number:0300d}" for number in range(1000)]
    start(local_root, sources=wanted, params={"text": "x" * LINE_BYTES}).finish()

    assert of_type(local_root, "started")["sources_total"] == 1000
    assert names(local_root) == wanted


def test_a_plan_is_in_the_snapshot(local_root, start):
    """The fold keeps what was planned, of the sub-phase it is for."""
    with start(local_root, sources=["a"]) as run:
        run.plan([{"source": "a", "files": 2, "bytes": 10}], sub_phase="processing")

    state = document(local_root)["journal"]["streams"]["main"]["state"]
    assert [(plan["sub_phase"], plan["source"], plan["files"]) for plan in state["planned"]] == [
        (None, "a", None),
        ("processing", "a", 2),
    ]
