"""`progress.json` and the copy: derived from the document, never fresher, never in the way."""

import json
import logging

import fakes
import pytest
from recorder.processes import wait_until
from recorder.stored import body, document

from journal import companions, snapshot
from journal.companions import Companions, companions_of
from journal.errors import Unavailable
from journal.segments import Cursor
from journal.snapshot import Folded
from journal.stores import ABSENT
from readers import legacy
from tests.fold.stories import BEGAN, RUN, Story


def encoded(story, **others):
    return snapshot.encode(story.document(**others))


def made(document, there=None):
    return json.loads(companions.progress(document, there))


@pytest.fixture
def story():
    story = Story().started(sources_total=8)
    story.say("phase", phase="data_prep", sub_phase="downloading_policy")
    story.source("a", files=10).files("a", 10, after=10).done("a")
    return story.source("b", files=20).files("b", 5, after=5)


# What may be asked for


def test_nothing_is_asked_for_by_default():
    """Neither by the call nor by the environment."""
    assert not companions_of(None, {})


def test_both_may_be_asked_for(tmp_path):
    """And several copies."""
    asked = companions_of(f"progress copy={tmp_path / 'a'}  copy=s3://bucket/logs", {})

    assert asked.progress
    assert [str(root) for root in asked.copies] == [str(tmp_path / "a"), "s3://bucket/logs"]


def test_the_call_has_the_say_over_the_environment():
    """An empty text asks for nothing."""
    environment = {"JOURNAL_COMPANIONS": "progress"}

    assert companions_of(None, environment) == Companions(progress=True)
    assert not companions_of("", environment)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("progress,copy=x", "'progress,copy=x' is neither `progress` nor `copy=ROOT`"),
        ("Progress", "'Progress' is neither"),
        ("copy", "'copy' is neither"),
        ("progress progress", "'progress' is there more than once"),
        ("copy=", "the root is empty"),
        ("copy=gs://bucket/x", "unknown scheme gs"),
        ("copy=s3://", "no bucket's name"),
        (5, "must be text"),
        (["progress"], "must be text"),
    ],
)
def test_anything_else_is_refused(text, says):
    """With what is wrong about it."""
    with pytest.raises(ValueError, match=f"^companions.*{says}"):
        companions_of(text, {})


def test_what_is_wrong_in_the_environment_is_said_to_be_there():
    """Nobody would look for it."""
    with pytest.raises(ValueError, match=r"^JOURNAL_COMPANIONS: 'x' is neither"):
        companions_of(None, {"JOURNAL_COMPANIONS": "x"})


def test_a_run_cannot_be_copied_over_itself(local_root, start):
    """A copy's place is another one."""
    with pytest.raises(ValueError, match="is the run's own root"):
        start(local_root, companions=f"copy={local_root}")


# progress.json


def test_progress_counts_sources(story):
    """Those that are done, of all that there will be."""
    shown = made(encoded(story))

    assert (shown["run_id"], shown["unit"]) == (RUN, "sources")
    assert (shown["current_step"], shown["total_steps"]) == (1, 8)


def test_progress_of_one_source_counts_its_files():
    """Else it would stand still until the end."""
    story = Story().started(sources_total=1).source("a", files=10).files("a", 4)

    shown = made(encoded(story))

    assert (shown["current_step"], shown["total_steps"], shown["unit"]) == (4, 10, "files")


@pytest.mark.parametrize("story", [Story(), Story().started(), Story().started(sources_total=1)])
def test_progress_is_in_numbers_from_the_first_moment(story):
    """The viewer divides by the total."""
    shown = made(encoded(story))

    assert (shown["current_step"], shown["total_steps"]) == (0, 1)


def test_more_files_than_were_said_make_the_total_greater():
    """No step is beyond the last."""
    story = Story().started(sources_total=1).source("a", files=2).files("a", 5)

    shown = made(encoded(story))

    assert (shown["current_step"], shown["total_steps"]) == (5, 5)


def test_the_end_is_told_in_hours_if_anybody_knows(story):
    """From the estimate in the document; absent, not null, while there is none."""
    hours = made(encoded(story))["eta_hours"]

    assert hours == pytest.approx(story.document()["eta"]["remaining_seconds"] / 3600, abs=1e-3)
    assert "eta_hours" not in made(encoded(Story().started()))


def test_progress_is_as_old_as_the_document(story):
    """So it keeps no dead run alive."""
    document = encoded(story)
    objects = legacy.Objects(
        metadata=legacy.Document(document, BEGAN),
        progress=legacy.Document(companions.progress(document, None), BEGAN + 9999),
    )

    assert legacy.opinion(objects, BEGAN + 15 * 60 + 599).state == "RUNNING"
    assert legacy.opinion(objects, BEGAN + 15 * 60 + 601).state == "TIMED_OUT"


@pytest.mark.parametrize(
    "there",
    [
        b'{"current_step": 3}',
        b"",
        b"{",
        b"[]",
        b'{"by": "training", "last_updated": "1"}',
        b'{"current_step": 3, "last_updated": "2020-01-01T00:00:00Z"}',
    ],
)
def test_another_program_s_progress_is_left_alone(story, there):
    """The training phase writes one."""
    assert companions.progress(encoded(story), there) is None


def test_older_progress_is_replaced_and_newer_is_not(story):
    """Somebody who compacts slowly does not put the clock back."""
    older = encoded(story)
    newer = encoded(story.beat(files=1))
    first, second = companions.progress(older, None), companions.progress(newer, None)

    assert companions.progress(newer, first) == second
    assert companions.progress(older, second) is None


# The copy


def test_a_copy_is_the_document_to_the_byte(story):
    """At first, and over an older one."""
    older, newer = encoded(story), encoded(story.files("b", 1, after=1))

    assert companions.copy(older, None) == older
    assert companions.copy(newer, older) == newer


def test_an_older_copy_is_not_put_over_a_newer_one(story):
    """By its time."""
    older, newer = encoded(story), encoded(story.files("b", 1, after=1))

    assert companions.copy(older, newer) is None


def test_a_copy_that_has_read_further_is_newer(story):
    """Within the same second, and of every stream."""
    folded = story.folded
    further = Folded(Cursor(0, folded.cursor.bytes + 1, folded.cursor.seq + 1), folded.state)
    newer = snapshot.encode(snapshot.render(RUN, {"main": further}, {}))
    wider = snapshot.encode(snapshot.render(RUN, {"main": folded, "x": folded}, {}))

    assert companions.copy(encoded(story), newer) is None
    assert companions.copy(encoded(story), wider) is None


def test_what_others_wrote_beside_the_copy_stays(story):
    """As it does beside the document."""
    there = b'{"region": "us-east-1", "status": "x", "last_update": "2020-01-01T00:00:00Z"}'

    shown = json.loads(companions.copy(encoded(story), there))

    assert (shown["region"], shown["status"]) == ("us-east-1", "running")


def test_a_newer_document_of_others_is_left_at_the_copy_s_place(story):
    """Until the run has said something newer."""
    assert companions.copy(encoded(story), b'{"last_update": "2035-01-01T00:00:00Z"}') is None


# Putting them


def test_a_lost_race_means_again(story):
    """Nobody's put is overwritten unread."""
    store = fakes.FaultyStore()
    newer = encoded(story.files("b", 1, after=1))
    store.meanwhile.append(lambda: store.inner.put("x", newer, expect=ABSENT))

    put = companions.rewrite(store, "x", lambda there: companions.copy(b"{}", there))

    assert (put, store.get("x").body) == (False, newer)


def test_races_lost_for_ever_are_given_up():
    """Until the next document."""
    store = fakes.FaultyStore()
    store.faults.extend([fakes.Fault.FALSE_412] * 9)

    with pytest.raises(Unavailable, match="too fast"):
        companions.rewrite(store, "x", lambda _: b"x")


# With a run


@pytest.mark.parametrize("asked", ["argument", "environment"])
def test_both_follow_a_run_to_its_end(root, tmp_path, start, monkeypatch, asked):
    """From its first document on; in the end they say what the document says."""
    text = f"progress copy={tmp_path / 'copies'}"
    monkeypatch.setenv("JOURNAL_COMPANIONS", text if asked == "environment" else "")
    run = start(root, companions=text if asked == "argument" else None)
    run.flush(60)
    wait_until(lambda: body(root, "run-1/progress.json") and document(str(tmp_path / "copies")))

    run.finish()

    assert body(str(tmp_path / "copies"), "run-1/metadata.json") == body(
        root, "run-1/metadata.json"
    )
    progress = json.loads(body(root, "run-1/progress.json"))
    assert progress["last_updated"] == document(root)["last_update"]


def test_without_being_asked_there_is_nothing(local_root, start):
    """Off by default."""
    start(local_root).finish()

    assert body(local_root, "run-1/progress.json") is None


def test_writing_them_is_none_of_the_job_s_work(local_root, start):
    """The thread is one of those whose traffic is taken off, or no run with a copy ever hung."""
    run = start(local_root, companions="progress")

    assert "journal-companions" in {thread.name for thread in run._carrier.threads}


def test_a_joined_stream_writes_none(local_root, tmp_path, start, monkeypatch):
    """They are main's."""
    main = start(local_root)
    main.flush(60)
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")

    start(local_root, companions="progress", job="train").finish()

    assert body(local_root, "run-1/progress.json") is None


def test_a_store_that_hangs_delays_no_flush(local_root, start, moto_gate, moto_url, monkeypatch):
    """Nor the end, by more than is said in limits.py."""
    monkeypatch.setattr("journal.stores.s3.READ_SECONDS", 3.0)
    moto_gate.mode = "silent"
    run = start(local_root, companions=f"copy={moto_url}")
    assert run.flush(60)
    wait_until(lambda: document(local_root))

    run.emit("note")
    is_durable = run.flush(2)
    run.finish()
    moto_gate.mode = "shut"

    assert is_durable
    assert document(local_root)["status"] == "completed"


def test_what_fails_is_logged_once_and_tried_again(local_root, tmp_path, start, caplog):
    """It is no reason to end anything, and may be right the next time."""
    (tmp_path / "file").write_text("no directory")
    with caplog.at_level(logging.WARNING, "journal"):
        run = start(local_root, companions=f"copy={tmp_path / 'file'}")
        run.flush(60)
        wait_until(lambda: "copy under" in caplog.text)
        (tmp_path / "file").unlink()
        run.finish()

    assert caplog.text.count("copy under") == 1
    assert document(str(tmp_path / "file"))["status"] == "completed"
