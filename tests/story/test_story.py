"""The story of the false alarm, told with real processes on compressed time: before, and after."""

from recorder.stored import records
from story.minutes import HEARTBEAT, MINUTE, STALE

from journal.clock import parse_stamp


def test_the_old_pipeline_is_taken_for_dead_while_it_works(pipelines):
    """It posts its phases only, so ten minutes of downloads are TIMED_OUT: the false alarm."""
    before = pipelines["before"]

    assert before.monitor == ["RUNNING", "TIMED_OUT", "RUNNING", "SUCCEEDED"]
    alarms = [look for look in before.looks if look.monitor == "TIMED_OUT"]
    assert {look.document["phase"] for look in alarms} == {"data_prep"}
    assert before.process.returncode == 0


def test_the_pipeline_that_journals_is_running_until_it_has_succeeded(pipelines):
    """Downloads, extraction, a hand-over of eleven minutes and training: never another answer."""
    after = pipelines["after"]

    assert after.monitor == ["RUNNING", "SUCCEEDED"]
    assert after.seen("phase") == [None, "setup", "data_prep", "training", "complete"]
    assert after.looks[-1].detail.startswith("completed: trained")
    assert after.process.returncode == 0


def test_the_silence_between_data_preparation_and_training_is_longer_than_the_limit(pipelines):
    """Nothing runs but the script's own wait for longer than the old monitor waits."""
    phases = records(pipelines["after"].root, run_id="mistral-after")
    warm, begun = [
        parse_stamp(record["ts"])
        for record in phases
        if record["type"] == "phase" and record["phase"] == "training"
    ]

    assert begun - warm > STALE


def test_what_others_wrote_into_the_document_is_there_to_the_end(pipelines):
    """The launcher's fields survive every snapshot."""
    last = pipelines["after"].looks[-1].document

    assert (last["base_model"], last["instance_type"]) == ("mistral-7b", "g5.12xlarge")
    assert (last["status"], last["start_time"]) == ("completed", "2026-08-05T19:26:30Z")


def test_both_implementations_of_the_old_rules_agree_at_every_look(pipelines):
    """What these tests call the old monitor does not rest on the journal's own idea of it."""
    looks = [look for pipeline in pipelines.values() for look in pipeline.looks]

    assert [look for look in looks if look.monitor != look.again] == []


def test_the_old_script_with_a_preparation_that_journals_gives_no_alarm(pipelines):
    """The first step of a migration: the script posts its phases as ever, data prep journals."""
    mixed = pipelines["mixed"]

    assert mixed.monitor == ["RUNNING", "SUCCEEDED"]
    assert mixed.seen("phase") == [None, "setup", "data_prep", "training", "complete"]
    assert mixed.process.returncode == 0


def test_an_overwritten_document_is_back_at_the_next_record(pipelines):
    """The script posts into the middle of a download: the journal's document comes back in it."""
    mixed = pipelines["mixed"]
    after = [look for look in mixed.looks if look.at > mixed.meddled_at]
    back = next(look for look in after if look.document.get("sub_phase"))

    assert back.document["sub_phase"] == "downloading_policy"
    assert back.document["instance_ip"] == "10.0.0.7"
    assert back.document["details"] != "Still preparing"


def test_last_update_never_goes_back(pipelines):
    """Whoever writes the document, its time only advances: no reader sees a run grow older."""
    times = {
        name: [parse_stamp(at) for at in pipeline.seen("last_update") if at]
        for name, pipeline in pipelines.items()
    }

    assert times == {name: sorted(seen) for name, seen in times.items()}


def test_a_source_that_is_gone_fails_the_run_with_its_reason(pipelines):
    """The pipeline gives up: FAILED, and the alert names the source; it is RUNNING until then."""
    gone = pipelines["gone"]

    assert gone.monitor == ["RUNNING", "FAILED"]
    assert gone.looks[-1].detail.startswith("Error: failed: data preparation, line ")
    assert "dead sources: corpus_federal;" in gone.looks[-1].detail
    assert gone.looks[-1].document["phase"] == "error"
    assert gone.process.returncode == 1


def test_a_pipeline_that_is_killed_as_a_whole_times_out(pipelines):
    """SIGKILL of its process group, keeper and all: nobody says a word, so the alarm is true."""
    killed = pipelines["killed"]

    assert killed.monitor == ["RUNNING", "TIMED_OUT"]
    assert killed.looks[-1].detail == "Both heartbeats stale"
    assert killed.looks[-1].document["status"] == "running"
    assert killed.looks[-1].at > killed.meddled_at + STALE - HEARTBEAT - MINUTE
