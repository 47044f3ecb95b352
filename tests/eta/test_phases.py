"""Sub-phases, history and several streams: what is known of one tells of another."""

import pytest
from eta.runs import Run, even, minutes

from journal.eta import forecast
from journal.fold import fold
from journal.state import StreamState


def said_ahead(run, sub_phase, *names):
    return run.say("planned", sub_phase=sub_phase, sources=[{"source": name} for name in names])


def told(*runs, at=None):
    return forecast([run.state for run in runs], at)


def history(run, **wall_minutes):
    """Say what sources took the last time, of twenty files each."""
    return run.say(
        "history",
        run_id="earlier",
        by="journal",
        sources=[
            {
                "source": name,
                "sub_phase": "downloading_policy",
                "files": 20,
                "bytes": 2000,
                "seconds": wall * 60,
                "wall_seconds": wall * 60,
            }
            for name, wall in wall_minutes.items()
        ],
    )


def test_a_later_sub_phase_is_part_of_the_run():
    """What was said ahead of it takes time as well."""
    alone = even(sources="a").work("a", 10)
    with_more = said_ahead(even(sources="a"), "extracting", "a").work("a", 10)

    assert alone.left == pytest.approx(10, rel=0.01)
    assert with_more.left > 11


def test_each_sub_phase_has_its_own_estimate():
    """Downloading ends before extracting begins."""
    run = said_ahead(even(sources="a"), "extracting", "a").work("a", 10)

    phases = told(run).phases

    assert list(phases) == ["downloading_policy", "extracting"]
    assert minutes(phases["downloading_policy"]) == pytest.approx(10, rel=0.01)


def test_a_sub_phase_is_reckoned_by_its_own_sources_once_there_are_some():
    """Extracting is ten times as fast; the second source is like the first in that."""
    run = said_ahead(even(), "extracting", "a", "b").work("a", 20).done("a")
    run.source("b", files=20, bytes=2000).work("b", 20).done("b")
    run.source("a", sub_phase="extracting", files=20, bytes=2000).work("a", 20, minutes=0.1)

    assert run.done("a").left == pytest.approx(2, rel=0.05)


def test_a_source_at_work_has_its_own_estimate():
    """Five of its twenty files are left."""
    run = even().work("a", 15)

    (estimate,) = told(run).sources.values()

    assert minutes(estimate) == pytest.approx(5, rel=0.01)
    assert run.document()["sources"][0]["eta"]["remaining_seconds"] == pytest.approx(300, abs=3)


def test_history_tells_before_anything_is_done():
    """The whole run, by what the last one took."""
    run = history(even(), a=20.0, b=40.0)

    assert told(run).run.basis == "history"
    assert 20 < run.left < 70


def test_history_tells_of_sources_that_differ():
    """A second source that took ten times as long will do so again."""
    plain = even().work("a", 15)
    knowing = history(even(), a=20.0, b=200.0).work("a", 15)

    assert plain.left < 30
    assert knowing.left > 120


def test_history_goes_by_the_speed_of_today():
    """Two sources took four times as long as they did, so the other two take longer too."""
    run = history(even(sources="abcd"), a=5.0, b=5.0, c=5.0, d=5.0)

    run.work("a", 20).done("a").source("b", files=20, bytes=2000).work("b", 20).done("b")

    assert run.left > 15


def test_sources_of_several_streams_go_side_by_side():
    """Two workers, a source each: the run is over when they are."""
    one, other = (
        Run().started().source(name, files=20, bytes=2000).work(name, 10) for name in "ab"
    )

    assert minutes(told(one, other).run) == pytest.approx(10, rel=0.05)


def test_one_source_of_two_streams_is_done_twice_as_fast():
    """Each of the two has done a quarter of it."""
    one, other = (Run().started().source("a", files=40, bytes=4000).work("a", 10) for _ in range(2))

    assert minutes(told(one, other).run) == pytest.approx(10, rel=0.1)


def test_a_state_taken_from_json_tells_the_same():
    """What an estimate is made of survives in the document."""
    import orjson  # noqa: PLC0415

    state = history(even(), a=30.0).work("a", 15).state

    again = StreamState.from_json(orjson.loads(orjson.dumps(state)))

    assert forecast([again]) == forecast([state])


def test_folding_in_pieces_tells_the_same():
    """Cut anywhere, through JSON or not."""
    run = even().work("a", 15)

    halves = fold(fold(StreamState(), run.records[:9]), run.records[9:])

    assert halves == run.state


def test_the_score_is_there_at_the_end():
    """What was said at a tenth, a quarter, half of the run, beside what came true."""
    run = even(sources="a", files=40, bytes=4000).work("a", 40).done("a").finished()

    score = run.document()["eta_score"]

    assert [one["fraction"] for one in score] == pytest.approx(
        [0.1, 0.25, 0.5, 0.75, 0.9], rel=0.15
    )
    assert {one["real"] for one in score} == {"2025-08-05T20:15:00Z"}
    assert score[2]["predicted"][:15] == "2025-08-05T20:1"


def test_there_is_no_score_before_the_end():
    """Nothing has come true yet."""
    assert even().work("a", 15).document()["eta_score"] == []


def test_predictions_kept_stay_few():
    """However many files a run has."""
    run = even(sources="a", files=2000, bytes=200_000).work("a", 1500)

    assert 20 < len(run.state.predictions) <= 40
