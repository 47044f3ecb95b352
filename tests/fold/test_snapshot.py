"""The document: what the old monitor is owed, what is carried over, and what others made of it."""

import re

import orjson
import pytest
from fold.stories import RUN, Story, document

from journal import snapshot

# What Python 3.9 reads after `Z` was replaced by `+00:00`: no fraction, or three or six digits.
OLD_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z")


def stored(**fields):
    """A foreign document that lies there."""
    return snapshot.decode(orjson.dumps(fields)).document


def again(story, before):
    """The document of the same run, after another one was stored."""
    return story.document(snapshot.decode(snapshot.encode(before)).document)


def texts_of(value):
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def example():
    """The run of the old monitor's example: eight sources, three done, at the fourth."""
    story = Story().started(sources_total=8)
    story.say("phase", phase="data_prep", sub_phase="downloading_policy")
    for number in range(3):
        story.source(f"corpus_{number}", files=400).files(f"corpus_{number}", 400, after=1)
        story.done(f"corpus_{number}")
    return story.source("corpus_federal", files=100).files("corpus_federal", 50, after=1)


# What the old monitor is owed


def test_the_document_has_every_field_under_its_name(example):
    """Exactly these names, and in them what they say."""
    shown = example.document()

    assert shown["run_id"] == RUN
    assert (shown["status"], shown["phase"]) == ("running", "data_prep")
    assert shown["sub_phase"] == "downloading_policy"
    assert shown["current_operation"] == "corpus_federal"
    assert shown["progress"]["policy_sources_completed"] == 3
    assert shown["progress"]["policy_sources_total"] == 8
    assert shown["progress"]["files_downloaded"] == 1250
    assert shown["last_update"] == "2025-08-05T19:39:00Z"
    assert shown["heartbeat_interval"] == 200


def test_estimated_completion_is_a_time_or_null(example):
    """Present always, never a guess without ground."""
    early = Story().started().document()["progress"]

    assert early["estimated_completion"] is None
    assert OLD_TIME.fullmatch(example.document()["progress"]["estimated_completion"])


def test_every_time_reads_under_python_3_9(example):
    """No fraction, or three or six digits, and a Z."""
    example.say("waiting", reason="restore", after=0.0123).say("error", message="m", after=0.0123)
    shown = example.finished(after=0.0123).document()
    del shown["journal"]

    times = [text for text in texts_of(shown) if re.match(r"\d{4}-\d\d-\d\dT", text)]

    assert len(times) > 8
    assert [text for text in times if not OLD_TIME.fullmatch(text)] == []


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("completed", ("completed", "complete")),
        ("failed", ("failed", "error")),
        ("aborted", ("failed", "error")),
        ("preempted", ("failed", "error")),
    ],
)
def test_an_end_in_the_old_words(example, status, shown):
    """The journal's word stands beside them in `finished`."""
    ended = example.finished(status).document()

    assert (ended["status"], ended["phase"]) == shown
    assert ended["finished"]["status"] == status


def test_a_run_that_said_nothing_is_initializing():
    """Opened, and no record yet."""
    shown = Story().document()

    assert (shown["status"], shown["phase"]) == ("initializing", "setup")


def test_a_started_run_is_running_in_the_phase_it_said():
    """As said, in whatever words."""
    shown = Story().started().say("phase", phase="training").document()

    assert (shown["status"], shown["phase"], shown["sub_phase"]) == ("running", "training", "")


def test_a_phase_that_was_said_is_no_more_the_posted_one():
    """Another program's word holds only where no stream has one."""
    told = Story().started().say("phase", phase="training")

    assert told.document({"phase": "data_prep"})["phase"] == "training"


def test_what_a_program_does_in_the_phase_of_main_is_shown():
    """The shell script says the phase, the program that it calls the rest."""
    main = Story().started().say("phase", phase="data_prep", operation="prepare.py")
    prep = Story(pid=2).started(sources_total=8)
    prep.say("phase", phase="data_prep", sub_phase="downloading_policy", operation="federal")

    shown = main.document(prep=prep)

    assert (shown["phase"], shown["sub_phase"]) == ("data_prep", "downloading_policy")
    assert shown["current_operation"] == "federal"


def test_the_newest_of_several_programs_is_shown():
    """Of those at work; who has ended says no more what is done."""
    main = Story().started().say("phase", phase="data_prep")
    first = Story(pid=2).started().say("phase", phase="data_prep", sub_phase="downloading")
    second = Story(pid=3).started()
    second.say("phase", after=1, phase="data_prep", sub_phase="extracting")
    ended = Story(pid=4).started()
    ended.say("phase", after=2, phase="data_prep", sub_phase="tokenizing")
    ended.say("segment_sealed", reason="close")

    shown = main.document(first=first, second=second, ended=ended)

    assert shown["sub_phase"] == "extracting"


@pytest.mark.parametrize("phase", ["training", "setup"])
def test_another_phase_than_main_s_is_not_shown(phase):
    """The training program is up already while data prep still runs."""
    main = Story().started().say("phase", phase="data_prep")
    other = Story(pid=2).started().say("phase", after=1, phase=phase, sub_phase="warm_up")

    assert main.document(other=other)["sub_phase"] == ""


def test_main_s_own_sub_phase_is_shown_before_others():
    """Who says it speaks for the run."""
    main = Story().started().say("phase", phase="data_prep", sub_phase="extracting")
    other = Story(pid=2).started().say("phase", after=1, phase="data_prep", sub_phase="x")

    assert main.document(other=other)["sub_phase"] == "extracting"


def test_what_was_done_in_an_earlier_attempt_is_not_shown():
    """A stream that a killed program left is of no attempt that goes on."""
    main = Story().started()
    left = Story(pid=2).started().say("phase", phase="data_prep", sub_phase="downloading")
    main.started(after=30, attempt=2).say("phase", phase="data_prep")

    assert main.document(left=left)["sub_phase"] == ""


def test_progress_and_details_are_those_of_the_program():
    """It knows how many sources there are; main knows nothing of them."""
    main = Story().started().say("phase", phase="data_prep")
    prep = Story(pid=2).started(sources_total=8)
    prep.say("phase", phase="data_prep", sub_phase="downloading_policy")
    prep.source("federal").files("federal", 3, after=1)

    shown = main.document(prep=prep)

    assert shown["progress"]["policy_sources_total"] == 8
    assert shown["details"].startswith("source 1 of 8 (federal), 3 files")
    assert shown["progress"]["estimated_completion"] is None


def test_details_are_one_line_with_source_files_and_end(example):
    """The old viewer prints it."""
    details = example.document()["details"]

    assert details.startswith("source 4 of 8 (corpus_federal), 1250 files, ends about 2025-08-05T")
    assert "\n" not in details


def test_details_count_the_sources_of_the_present_sub_phase():
    """Behind the download it is not the download's sources that are at work."""
    story = Story().started(sources_total=8).source("a").done("a")
    story.say("phase", phase="data_prep", sub_phase="extracting_archives")
    story.source("a", sub_phase="extracting_archives")
    story.source("b", sub_phase="extracting_archives")

    assert story.document()["details"].startswith("source 1 of 2 (b), ")


def test_details_of_an_end_are_its_reason(example):
    """Status and message."""
    assert example.finished("failed", message="disk full").document()["details"] == (
        "failed: disk full"
    )


def test_the_promised_silence_is_beat_flush_and_slack():
    """And of several streams that are open, the longest."""
    slow = Story(host="host-2").opened(heartbeat_seconds=240.0).started()

    assert Story().started().document(slow=slow)["heartbeat_interval"] == 260


def test_a_closed_stream_promises_nothing():
    """Whoever said its last does not beat."""
    slow = Story(host="host-2").opened(heartbeat_seconds=240.0).started()
    slow.say("segment_sealed", reason="close")

    assert Story().started().document(slow=slow)["heartbeat_interval"] == 200


@pytest.mark.parametrize("heartbeat_seconds", [290.0, 1e9, 1e300, -5.0, "180", None, 0])
def test_the_promised_silence_is_between_nothing_and_300(heartbeat_seconds):
    """Whatever the opening says."""
    story = Story().opened(heartbeat_seconds=heartbeat_seconds).started()

    assert story.document()["heartbeat_interval"] in {200, 300}


# What is carried over


def test_fields_of_others_are_carried_over():
    """The training host's and the shell script's, untouched."""
    foreign = {"base_model": "mistral-7b", "region": "us-east-1", "x": {"y": [1, None, 2.5]}}

    shown = Story().started().document(stored(**foreign))

    assert {name: shown[name] for name in foreign} == foreign


def test_the_journal_s_own_fields_are_its_own():
    """A foreign value under one of these names is replaced."""
    foreign = stored(status="completed", sub_phase="x", progress=None, sources=7, last_update="x")

    shown = Story().started().document(foreign)

    assert (shown["status"], shown["sub_phase"], shown["sources"]) == ("running", "", [])
    assert shown["progress"]["files_downloaded"] == 0


def test_fields_of_others_in_progress_are_carried_over():
    """`progress` is shared: ours are set, theirs stay."""
    foreign = stored(progress={"tokens": 12, "files_downloaded": 99})

    shown = Story().started().document(foreign)["progress"]

    assert (shown["tokens"], shown["files_downloaded"]) == (12, 0)


def test_start_and_instance_are_filled_in_when_absent():
    """From the run's own records."""
    shown = Story().started().document()

    assert (shown["start_time"], shown["instance_id"]) == ("2025-08-05T19:35:00Z", "host-1")


@pytest.mark.parametrize("value", [None, ...])
def test_null_is_as_good_as_absent(value):
    """A field that says nothing is filled in, too."""
    foreign = stored(**({} if value is ... else {"start_time": value, "instance_id": value}))

    shown = Story().started().document(foreign)

    assert (shown["start_time"], shown["instance_id"]) == ("2025-08-05T19:35:00Z", "host-1")


def test_start_and_instance_of_others_stay():
    """The training host knows its instance better."""
    foreign = {"start_time": "2025-08-05T19:00:00Z", "instance_id": "i-0abc"}

    shown = Story().started().document(stored(**foreign))

    assert {name: shown[name] for name in foreign} == foreign


def test_what_was_filled_in_follows_the_run():
    """What the journal filled in itself it may change, when another host goes on."""
    story = Story().started()
    before = story.document()
    story.opened(host="host-2", epoch=2)

    assert again(story, before)["instance_id"] == "host-2"


def test_what_was_filled_in_is_not_filled_in_for_ever():
    """A foreign document in its place has the say again."""
    story = Story().started()

    shown = again(story, {**stored(instance_id="i-0abc"), "details": "x"})

    assert shown["instance_id"] == "i-0abc"


def test_before_the_start_there_is_no_start_time():
    """Absent, not null: the old monitor computes with it."""
    assert "start_time" not in Story().document()


def test_a_document_of_its_own_changes_nothing():
    """Rendered over itself, it is the same to the byte."""
    story = Story().started().source("a").files("a", 3)
    before = story.document(stored(base_model="mistral-7b"))

    assert snapshot.encode(again(story, before)) == snapshot.encode(before)


# What others made of it


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"run_id": "x"',
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"[" * 100_000,
    ],
)
def test_a_document_that_cannot_be_read_is_as_good_as_none(body):
    """Nothing in it to carry over; the complaint says what is wrong."""
    decoded = snapshot.decode(body)

    assert (decoded.document, decoded.streams) == ({}, None)
    assert decoded.complaint.startswith("it is not ")


def test_a_foreign_document_is_read_and_said_to_be_foreign():
    """Its fields are there to be carried over."""
    decoded = snapshot.decode(b'{"status": "running"}')

    assert (decoded.document, decoded.streams) == ({"status": "running"}, None)
    assert decoded.complaint == "another program has written it"


@pytest.mark.parametrize(
    "value",
    [
        b"123456789012345678901234567890",
        b"-1e308",
        b"1e-320",
        b'{"a": ' * 200 + b"1" + b"}" * 200,
        b'"\\u0000"',
    ],
)
def test_what_can_be_read_can_be_written_again(value):
    """Huge numbers and deep values of others do not stop the compactor."""
    decoded = snapshot.decode(b'{"theirs": ' + value + b"}")

    shown = snapshot.decode(snapshot.encode(Story().started().document(decoded.document)))

    assert shown.complaint is None
    assert shown.document["theirs"] == decoded.document["theirs"]


def test_what_is_too_deep_to_be_written_is_left_out():
    """The reader of JSON goes deeper than the writer; the rest is carried over."""
    bomb = b'{"theirs": ' + b"[" * 500 + b"]" * 500 + b', "region": "us-east-1"}'

    shown = Story().started().document(snapshot.decode(bomb).document)

    assert snapshot.decode(snapshot.encode(shown)).complaint is None
    assert ("theirs" in shown, shown["region"]) == (False, "us-east-1")


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"v": 1},
        {"v": 2, "streams": {}},
        {"v": "1", "streams": {}},
        {"v": [1], "streams": {}},
        {"v": 1, "streams": []},
        {"v": 1, "streams": {"main": 5}},
        {"v": 1, "streams": {"main": {"cursor": {}, "state": {}}}},
        {"v": 1, "streams": {"main": {"cursor": {"x": 1}, "state": {}}}},
        {"v": 1, "streams": {"main": {"cursor": {"segment": 0}}}},
        {"v": 1, "streams": {"../x": {"cursor": {"segment": 0}, "state": {}}}},
    ],
)
def test_a_damaged_part_of_the_journal_s_is_not_used(own):
    """The streams are folded anew; what others wrote is still carried over."""
    decoded = snapshot.decode(orjson.dumps({"region": "us-east-1", "journal": own}))

    assert decoded.streams is None
    assert decoded.document["region"] == "us-east-1"
    assert decoded.complaint.startswith("its journal part ")


@pytest.mark.parametrize("filled", [None, 5, "start_time", {"start_time": 1}, [[]], [5]])
def test_a_damaged_note_of_what_was_filled_in_is_not_used(filled):
    """It is looked at only for names."""
    foreign = stored(journal={"v": 1, "filled": filled}, start_time="2025-08-05T19:00:00Z")

    assert Story().started().document(foreign)["start_time"] == "2025-08-05T19:00:00Z"


# What readers judge by


def test_a_stream_that_said_its_last_is_no_sign_of_life():
    """But its work was the run's: main may have waited for it all the time."""
    worker = Story(host="host-2").started().beats(60).files("a", 1)
    worker.say("segment_sealed", reason="close")
    main = Story().started().files("a", 1, after=2)

    vitals = main.document(worker=worker)["vitals"]

    assert vitals["last_record"] == "2025-08-05T19:37:00.000000Z"
    assert vitals["last_work"] == "2025-08-05T20:35:00.000000Z"


def test_a_wait_is_told_with_its_end():
    """For the reader who asks why nothing moves."""
    story = Story().started().say("waiting", reason="quota", until="2025-08-05T20:00:00Z")

    assert story.document()["vitals"]["waiting"] == {
        "reason": "quota",
        "since": "2025-08-05T19:35:00.000000Z",
        "until": "2025-08-05T20:00:00.000000Z",
    }


def test_the_newest_beat_is_shown():
    """Its counters, and at most eight files in flight."""
    story = Story().started().beat(rss_bytes=7, in_flight=[{"path": str(n)} for n in range(20)])

    vitals = story.document()["vitals"]

    assert vitals["beat"] == {"clock_offset": 0.0, "rss_bytes": 7}
    assert [file["path"] for file in vitals["in_flight"]] == list("01234567")


def test_a_file_that_is_done_is_no_longer_in_flight():
    """Between two beats the list is kept up."""
    story = Story().started().source("a").beat(in_flight=[{"path": "a/0"}, {"path": "a/1"}])

    story.files("a", 1)

    assert story.document()["vitals"]["in_flight"] == [{"path": "a/1"}]


def test_nested_values_of_a_beat_are_left_out():
    """Counters are numbers; what is deep could not be written again."""
    deep = []
    for _ in range(300):
        deep = [deep]
    story = Story().started().beat(x=deep, files=1, in_flight=[{"path": "a", "x": deep}])

    vitals = document({"main": story})["vitals"]

    assert vitals["beat"] == {"clock_offset": 0.0, "files": 1}
    assert vitals["in_flight"] == [{"path": "a"}]


def test_a_state_that_another_hand_changed_is_not_folded_on():
    """The hash over the streams' part finds it, and the run is folded from its journal again."""
    changed = snapshot.encode(Story().started().document()).replace(
        b'"attempt": 1', b'"attempt": 7'
    )

    assert snapshot.decode(changed).streams is None
