"""The old monitor's contract, clause by clause: what it reads, how it decides, whom it tells."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from journal.stores import ABSENT
from journal.stores.memory import MemoryStore
from readers.legacy import Alert, Document, Objects, Opinion, alert, beat, look, opinion, watch
from readers.python39 import fromisoformat
from readers.viewer import view

AT = 1754422500.0  # 2025-08-05T19:35:00Z
_ANSWERS = Path(__file__).parent / "python39.jsonl"
TABLE = [json.loads(line) for line in _ANSWERS.read_text().splitlines()]


def written(minutes_old=0.0, **fields):
    """A document that was put so long ago, with these fields."""
    return Document(json.dumps(fields).encode(), AT - minutes_old * 60)


def stamped(text, name="last_update"):
    """A document that was put just now, with this time in it."""
    return written(0.0, **{name: text})


FRESH, STALE = written(0), written(11)


def state(**objects):
    return opinion(Objects(**objects), AT).state


# How it decides, in this order


def test_1_an_error_marker_is_failed_with_its_body():
    """Detail `Error: <body>`, as it stands there."""
    said = opinion(Objects(error=b"failed: disk full\nattempt: 1\n", metadata=FRESH), AT)

    assert (said.state, said.detail) == ("FAILED", "Error: failed: disk full\nattempt: 1\n")


def test_1_an_error_marker_wins_over_everything():
    """Over `_complete`, and over fresh heartbeats."""
    assert state(error=b"", complete=b"done", metadata=FRESH, progress=FRESH) == "FAILED"


def test_1_an_empty_error_marker_is_one():
    """It is there; that is what counts."""
    assert opinion(Objects(error=b""), AT).detail == "Error: "


def test_2_a_complete_marker_is_succeeded():
    """However old the heartbeats are."""
    assert state(complete=b"done", metadata=STALE) == "SUCCEEDED"


def test_3_the_first_field_that_is_present_is_the_time():
    """`last_update`, then `last_updated`, then `timestamp`."""
    document = written(
        99, timestamp="2025-08-05T01:00:00Z", last_updated="2025-08-05T02:00:00Z", last_update=TIME
    )

    assert beat(document) == (AT, "last_update")


TIME = "2025-08-05T19:35:00Z"


@pytest.mark.parametrize("name", ["last_update", "last_updated", "timestamp"])
def test_3_each_of_the_fields_is_read(name):
    """Of both documents alike."""
    assert beat(stamped(TIME, name)) == (AT, name)
    assert state(progress=stamped("2025-08-05T19:00:00Z", name)) == "TIMED_OUT"


@pytest.mark.parametrize("value", [None, 7, "", "soon", ["2025-08-05T19:00:00Z"], {}])
def test_3_a_present_field_that_is_no_time_hides_the_others(value):
    """It was chosen because it is there; then LastModified counts."""
    document = written(3, last_update=value, timestamp="2020-01-01T00:00:00Z")

    assert beat(document)[0] == AT - 180


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[]", b"{}", b"null", b'"x"', b"[" * 100_000]
)
def test_3_without_a_time_the_store_s_counts(body):
    """A document that does not parse, or has none of the fields."""
    assert beat(Document(body, AT - 60))[0] == AT - 60


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2025-08-05T19:30:00Z", 5),
        ("2025-08-05T19:30:00", 5),  # naive: UTC
        ("2025-08-05T21:30:00+02:00", 5),
        ("2025-08-05T19:30:00.000Z", 5),
        ("2025-08-05T19:30:00.000000Z", 5),
        ("2025-08-05", 19 * 60 + 35),
    ],
)
def test_3_times_that_it_takes(text, minutes):
    """With `Z`, naive, with an offset, with three digits or six."""
    assert beat(stamped(text)) == (AT - minutes * 60, "last_update")


@pytest.mark.parametrize(
    "text",
    [
        "2025-08-05T19:30:00.1Z",
        "2025-08-05T19:30:00.12345Z",
        "2025-08-05T19:30:00.123456789Z",
        "2025-08-05T19:30:00z",
        "2025-08-05T19:30:00+0000",
        "20250805T193000Z",
        "2025-08-05Z19:30:00",  # every Z is replaced, the one in the middle too
        "1754422200",
    ],
)
def test_3_times_that_it_does_not_take(text):
    """Python 3.9 knows fewer than later versions do."""
    assert beat(stamped(text))[1] == "LastModified, for its last_update is no time"


def test_3_times_are_taken_as_python_39_takes_them():
    """Some four hundred texts and what CPython 3.9.18 made of each."""
    answers = [(text, _answer(text)) for text, _ in TABLE]

    assert answers == [(text, then) for text, then in TABLE]
    assert sum(then is not None for _, then in TABLE) > 150


def _answer(text):
    try:
        return fromisoformat(text).isoformat()
    except ValueError:
        return None


def test_3_the_journal_s_own_times_are_taken_by_both():
    """By today's Python as by that one."""
    text = "2025-08-05T19:35:00+00:00"

    assert fromisoformat(text) == datetime.fromisoformat(text)


def test_4_no_document_is_timed_out():
    """Whatever else is there."""
    said = opinion(Objects(log=b"a line\n"), AT)

    assert (said.state, said.detail) == ("TIMED_OUT", "No heartbeat files found")


@pytest.mark.parametrize(
    "objects",
    [
        {"metadata": STALE},
        {"progress": STALE},
        {"metadata": STALE, "progress": STALE},
        {"metadata": written(10.01)},
        {"metadata": stamped("2025-08-05T19:24:59Z")},
    ],
)
def test_5_both_stale_is_timed_out(objects):
    """A missing one counts as stale."""
    said = opinion(Objects(**objects), AT)

    assert (said.state, said.detail) == ("TIMED_OUT", "Both heartbeats stale")


@pytest.mark.parametrize(
    "objects",
    [
        {"metadata": FRESH},
        {"progress": FRESH},
        {"metadata": FRESH, "progress": STALE},
        {"metadata": STALE, "progress": FRESH},
        {"metadata": written(10)},
        {"metadata": stamped("2025-08-05T19:25:00Z")},
        {"metadata": stamped("2025-08-06T19:35:00Z")},  # its clock is behind
    ],
)
def test_6_otherwise_it_is_running(objects):
    """One fresh heartbeat is enough, and ten minutes are not older than ten minutes."""
    assert state(**objects) == "RUNNING"


def test_5_how_old_may_be_set():
    """`--stale-minutes`."""
    assert opinion(Objects(metadata=STALE), AT, 12 * 60).state == "RUNNING"
    assert opinion(Objects(metadata=FRESH), AT + 61, 60).state == "TIMED_OUT"


# Whom it tells


def said(*states):
    return [Opinion(one, "", "") for one in states]


def test_watching_ends_with_the_first_end():
    """TIMED_OUT is one, be it false."""
    seen = list(watch(said("RUNNING", "TIMED_OUT", "RUNNING", "SUCCEEDED")))

    assert [one.state for one in seen] == ["RUNNING", "TIMED_OUT"]


@pytest.mark.parametrize(
    ("before", "now", "is_sent"),
    [
        ("RUNNING", "TIMED_OUT", True),
        ("RUNNING", "FAILED", True),
        ("TIMED_OUT", "FAILED", True),
        ("TIMED_OUT", "TIMED_OUT", False),
        ("FAILED", "FAILED", False),
        ("RUNNING", "SUCCEEDED", False),
        ("TIMED_OUT", "RUNNING", False),
    ],
)
def test_an_alert_is_sent_on_a_change_to_a_failure(before, now, is_sent):
    """And on nothing else."""
    sent = alert(Objects(metadata=FRESH), AT, *said(now), before)

    assert (sent is not None) == is_sent


def test_what_an_alert_says():
    """Instance, phase and minutes since the start from the document; the log's last line."""
    objects = Objects(
        metadata=written(
            instance_id="i-0abc", phase="data_prep", start_time="2025-08-05T19:27:00Z"
        ),
        log=b"first\nlast\n\n",
    )

    assert alert(objects, AT, Opinion("TIMED_OUT", "stale", "")) == Alert(
        "TIMED_OUT", "stale", "i-0abc", "data_prep", 8, "last"
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"instance_id": 5, "phase": [], "start_time": "x"}']
)
def test_an_alert_of_a_document_that_says_nothing(body):
    """It is sent all the same."""
    sent = alert(Objects(metadata=Document(body, AT)), AT, Opinion("FAILED", "", ""))

    assert sent == Alert("FAILED", "", None, None, None, None)


def test_what_it_looks_at():
    """Both markers, both documents, the log, and nothing else of the run."""
    store = MemoryStore(lambda: AT)
    names = (
        "_error",
        "_complete",
        "metadata.json",
        "progress.json",
        "logs/training_log_latest.txt",
    )
    for name in (*names, "logs/x", "journal/stream=main/0000000000.jsonl"):
        store.put(f"run-1/{name}", name.encode(), expect=ABSENT)

    assert look(store, "run-1") == Objects(
        b"_error",
        b"_complete",
        Document(b"metadata.json", AT),
        Document(b"progress.json", AT),
        b"logs/training_log_latest.txt",
    )


# The console viewer

SHOWN = {
    "base_model": "mistral-7b",
    "start_time": "2025-08-05T19:27:00Z",
    "instance_id": "i-0abc",
    "status": "running",
    "phase": "data_prep",
    "details": "source 1 of 8",
    "last_update": TIME,
}


def seen(document=None, copy=None, progress=None, now=AT):
    bodies = [one and json.dumps(one).encode() for one in (document, copy, progress)]
    return view((bodies[0], bodies[1]), bodies[2], now)


def test_the_viewer_looks_at_the_first_place_first():
    """Then at the copy's."""
    assert seen(SHOWN, {**SHOWN, "phase": "x"}).place == "training-runs"
    assert seen(None, SHOWN).place == "logs/training-runs"
    assert seen(None, None).place is None


def test_the_viewer_prints_seven_fields():
    """Those, as far as they are there."""
    assert seen({**SHOWN, "region": "us-east-1"}).shown == SHOWN


@pytest.mark.parametrize(("minutes", "warned"), [(30, 0), (31, 1)])
def test_the_viewer_warns_of_a_running_run_that_is_old(minutes, warned):
    """Older than half an hour."""
    assert len(seen(SHOWN, now=AT + minutes * 60).warnings) == warned


def test_the_viewer_does_not_warn_of_a_run_that_is_over():
    """It may be as old as it likes."""
    assert seen({**SHOWN, "status": "completed"}, now=AT + 99999).warnings == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "preempted"),
        ("phase", "downloading"),
        ("last_update", "2025-08-05T19:35:00"),
        ("last_update", None),
        ("last_update", "2025-08-05T19:35:00.1Z"),
    ],
)
def test_what_the_viewer_does_not_know(field, value):
    """Other words than its own, and a time without its zone."""
    (stumble,) = seen({**SHOWN, field: value}).stumbles

    assert stumble.startswith(field)


@pytest.mark.parametrize("steps", [{"current_step": None, "total_steps": 1}, {"total_steps": 1}])
def test_the_viewer_wants_numbers_of_progress(steps):
    """Never null."""
    assert seen(SHOWN, progress=steps).stumbles == ["current_step of progress.json is no number"]
    assert seen(SHOWN, progress={"current_step": 0, "total_steps": 1}).stumbles == []
