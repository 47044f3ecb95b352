"""`journal replay --explain`: where the time of a run went, and how its end came."""

import json

import pytest
from fold.stories import BEGAN, Story


@pytest.fixture
def failed_run(told):
    """The id of a run that slowed down, fell silent, met errors and failed."""
    main = Story().started(sources_total=2)
    main.say("phase", phase="data_prep", sub_phase="downloading_policy")
    main.source("federal", files=100, bytes=100_000_000)
    for number in range(60):
        path = f"f-{number}.pdf"
        main.say("file_done", source="federal", path=path, bytes=1_000_000, seconds=6, after=0.1)
    flying = [{"path": "slow\x1b[2J.pdf", "bytes": 5}]
    main.say("heartbeat", files=0, bytes=0, in_flight=flying, after=1)
    for _ in range(13):
        main.say("heartbeat", files=0, bytes=0, in_flight=flying, after=3)
    main.say("file_done", source="federal", path="slow.pdf", bytes=1000, seconds=2400, after=1)
    main.say("phase", phase="data_prep", sub_phase="extracting", after=1)
    for _ in range(3):
        main.say("error", error="OSError", message="HTTP 503", retry=True, after=0.5)
    main.say("error", error="OSError", message="no space left", fatal=True, after=10)
    return told(main=main.finished("failed", message="no space left"))


def story(call, *arguments):
    answer = call("replay", *arguments, "--explain", "-o", "json")
    assert answer.code == 0
    return json.loads(answer.out)


def test_the_times_of_phases_silences_and_files_are_told(failed_run, call):
    """Each with when it began, and what was in flight."""
    told = story(call, failed_run)

    assert [(one["name"], one["seconds"]) for one in told["phases"]] == [
        ("data_prep / downloading_policy", pytest.approx(48 * 60)),
        ("data_prep / extracting", pytest.approx(11.5 * 60)),
    ]
    longest = told["silences"][0]
    assert longest["seconds"] == pytest.approx(41 * 60)
    assert longest["begin"] == pytest.approx(BEGAN + 6 * 60)
    assert longest["more"]["in_flight"] == ["slow\x1b[2J.pdf"]
    assert (told["files"][0]["name"], told["files"][0]["seconds"]) == ("slow.pdf", 2400)
    assert len(told["files"]) == 5


def test_errors_come_in_clusters_and_the_first_sign_is_named(failed_run, call):
    """Errors minutes apart are two; the first behind the last work is the first sign of the end."""
    told = story(call, failed_run)

    assert [(one["count"], one["retried"]) for one in told["errors"]] == [(3, 3), (1, 0)]
    assert told["first_sign"].endswith("OSError: HTTP 503")
    assert (told["ended"], told["message"]) == ("failed", "no space left")
    assert told["last_work"] == pytest.approx(BEGAN + 47 * 60)


def test_rates_estimates_and_limits_are_told(failed_run, call):
    """The rate fell with the silence; a limit of 15 minutes would have called it, one of 60 not."""
    told = story(call, failed_run)
    limits = dict(map(tuple, ((limit, alarms["false"]) for limit, alarms in told["limits"])))

    assert any(one["after"] < one["before"] / 2 for one in told["rates"])
    later = [one for one in told["etas"] if one["after"] > one["before"]]
    assert later[0]["because"] == "no file done"
    assert later[0]["after"] - later[0]["before"] > 30 * 60
    assert limits[900.0] == 1
    assert limits[3600.0] == 0


def test_people_read_it_from_the_end_on(failed_run, call):
    """With nothing that acts on a terminal."""
    answer = call("replay", failed_run, "--explain")

    assert answer.lines[0].startswith("run-1: failed after 59 min")
    assert "  no space left" in answer.lines
    assert "first sign of the end" in answer.out
    heads = [line for line in answer.lines if line.isupper()]
    assert heads[:3] == ["PHASES", "LONGEST SILENCES", "SLOWEST FILES"]
    assert heads[-1] == "STALL LIMITS"
    assert "\x1b" not in answer.out


def test_an_export_tells_the_same_story(failed_run, call, tmp_path):
    """Without its store."""
    path = str(tmp_path / "run.ndjson.gz")
    call("export", failed_run, "--to", path)

    assert story(call, path) == story(call, failed_run)


def test_a_run_that_went_well_has_no_sign_of_an_end(run_of_an_hour, call):
    """And all is told at once or not at all."""
    assert story(call, run_of_an_hour)["first_sign"] is None
    assert call("replay", run_of_an_hour, "--explain", "-t", "error").code == 2
    assert call("replay", run_of_an_hour, "--explain", "--verify").code == 2


def test_bytes_that_come_in_portions_are_an_even_rate_and_work(told, call):
    """A file of four minutes, of which the job tells every quarter of one, beside quick ones."""
    main = Story().started().source("federal", files=3, bytes=100_000_000)
    main.files("federal", 2, after=0.1)
    for number in range(1, 17):
        moved = 1_000_000 * number
        main.say("progress", source="federal", files=2, bytes=moved, in_flight=[], after=0.25)
    told(main=main.finished("aborted", after=0.05))

    told_of = story(call, "run-1")
    assert told_of["rates"] == []
    assert told_of["last_work"] == pytest.approx(BEGAN + 60 * 4.1)
    assert told_of["files"] == []
