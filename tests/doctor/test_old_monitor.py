"""The old monitor's rules, rule by rule, and against an imitation that shares no code with them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import legacy_monitor

from journal.stores.contract import ABSENT
from journal.stores.memory import MemoryStore
from readers.legacy import Document, Objects, beat, look, opinion, parse

NOW = datetime(2025, 8, 5, 19, 35, tzinfo=UTC)
AT = NOW.timestamp()


def document(minutes_old, **fields):
    """A document that was written so long ago, with these fields."""
    return Document(json.dumps(fields).encode(), AT - minutes_old * 60)


def stamp(minutes_old):
    return (NOW - timedelta(minutes=minutes_old)).strftime("%Y-%m-%dT%H:%M:%SZ")


FRESH, STALE = document(0), document(11)


@pytest.mark.parametrize(
    ("objects", "state", "detail"),
    [
        (Objects(b"no disk", b"done", FRESH), "FAILED", "Error: no disk"),
        (Objects(b"", None, FRESH), "FAILED", "Error: "),
        (Objects(None, b"done", STALE), "SUCCEEDED", "done"),
        (Objects(None, b"", None), "SUCCEEDED", ""),
        (Objects(), "TIMED_OUT", "No heartbeat files found"),
        (Objects(metadata=FRESH), "RUNNING", ""),
        (Objects(progress=FRESH), "RUNNING", ""),
        (Objects(metadata=STALE), "TIMED_OUT", "Both heartbeats stale"),
        (Objects(metadata=STALE, progress=STALE), "TIMED_OUT", "Both heartbeats stale"),
        (Objects(metadata=STALE, progress=FRESH), "RUNNING", ""),
        (Objects(metadata=document(10)), "RUNNING", ""),
        (Objects(metadata=document(99, last_update=stamp(1))), "RUNNING", ""),
        (
            Objects(metadata=document(0, last_update=stamp(11))),
            "TIMED_OUT",
            "Both heartbeats stale",
        ),
        (Objects(metadata=document(99, last_update=stamp(-60))), "RUNNING", ""),
    ],
)
def test_a_rule(objects, state, detail):
    """The first rule that applies decides."""
    judged = opinion(objects, AT)

    assert (judged.state, judged.detail) == (state, detail)


@pytest.mark.parametrize(
    ("body", "source"),
    [
        (b'{"last_update": "2025-08-05T19:00:00Z", "timestamp": "1999-01-01"}', "last_update"),
        (b'{"last_updated": "2025-08-05T19:00:00Z", "timestamp": "1999-01-01"}', "last_updated"),
        (b'{"timestamp": "2025-08-05T19:00:00"}', "timestamp"),
        (b'{"last_update": null, "timestamp": "1999-01-01"}', "LastModified, for its last_update"),
        (b'{"last_update": "soon"}', "LastModified, for its last_update is no time"),
        (b'{"last_update": 7}', "LastModified, for its last_update is no time"),
        (b"{}", "LastModified, for it holds no time"),
        (b'["last_update"]', "LastModified, for it holds no time"),
        (b"", "LastModified, for it is no JSON"),
        (b"\xff", "LastModified, for it is no JSON"),
        (b"[" * 100_000, "LastModified, for it is no JSON"),
    ],
)
def test_which_time_counts(body, source):
    """The first of the fields that is there; if it is no time, when the object was written."""
    at, where = beat(Document(body, AT))

    assert where.startswith(source)
    assert at == (AT if where.startswith("LastModified") else AT - 35 * 60)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2025-08-05T19:35:00Z", 0),
        ("2025-08-05T19:35:00", 0),
        ("2025-08-05 19:35:00+00:00", 0),
        ("2025-08-05x19:35", 0),
        ("2025-08-05T19", -35 * 60),
        ("2025-08-05", -(19 * 60 + 35) * 60),
        ("2025-08-05T19:35:00.123Z", 0.123),
        ("2025-08-05T19:35:00.123456Z", 0.123456),
        ("2025-08-05T19:35:00-05:30", 5.5 * 3600),
        ("2025-08-05T19:35:00+23:59:59.999999", -(86400 - 1e-6)),
    ],
)
def test_times_that_python_39_takes(text, seconds):
    """As Python 3.9.18 answered."""
    assert parse(text) == pytest.approx(AT + seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        *("2025-08-05T", "2025-08-05T19:", "2025-08-05T19:35:60", "2025-08-05T24:00:00"),
        *("2025-08-05T19:35:00.", "2025-08-05T19:35:00.1Z", "2025-08-05T19:35:00.12Z"),
        *("2025-08-05T19:35:00.1234567Z", "2025-08-05T19:35:00,123Z", "2025-08-05T19:35:00+00"),
        *("2025-08-05T19:35:00+0000", "2025-08-05T19:35:00+24:00", "2025-08-05T19:35:00+"),
        *("20250805T193500", "2025-W32-2", "2025-217", "0000-01-01", "2025-13-01", "", "Z"),
        *("\u0662025-08-05", "2025-08-05T+00:00", "2025-08-05T19:35:00+00:00:00.123"),
    ],
)
def test_times_that_python_39_refuses(text):
    """Later versions take some of them; 3.9.18 did not."""
    with pytest.raises(ValueError, match=r"no time|must be|invalid|out of range|between|Invalid"):
        parse(text)


beats = st.builds(
    lambda minutes, body: (body, NOW - timedelta(minutes=minutes)),
    st.integers(-20, 20),
    st.one_of(
        st.sampled_from([b"", b"[]", b"{}", b'{"last_update": "soon"}', b'{"last_update": null}']),
        st.builds(
            lambda name, minutes: json.dumps({name: stamp(minutes)}).encode(),
            st.sampled_from(["last_update", "last_updated", "timestamp", "at"]),
            st.integers(-20, 20),
        ),
    ),
)
runs = st.fixed_dictionaries(
    {},
    optional={
        "run-1/_error": beats,
        "run-1/_complete": beats,
        "run-1/metadata.json": beats,
        "run-1/progress.json": beats,
    },
)


@given(runs)
def test_two_who_read_the_same_page_agree(objects):
    """The tests' own imitation of the monitor says the same of whatever lies there."""

    def body(name):
        return objects[f"run-1/{name}"][0] if f"run-1/{name}" in objects else None

    def dated(name):
        if f"run-1/{name}" not in objects:
            return None
        content, modified = objects[f"run-1/{name}"]
        return Document(content, modified.timestamp())

    judged = opinion(
        Objects(body("_error"), body("_complete"), dated("metadata.json"), dated("progress.json")),
        AT,
    )

    assert (judged.state, judged.detail) == legacy_monitor.verdict(objects, "run-1", NOW)


def test_what_it_looks_at():
    """Both markers and both documents, with the times at which these were written."""
    store = MemoryStore(lambda: AT)
    for name in ("_error", "_complete", "metadata.json", "progress.json", "logs/x"):
        store.put(f"run-1/{name}", name.encode(), expect=ABSENT)

    assert look(store, "run-1") == Objects(
        b"_error", b"_complete", Document(b"metadata.json", AT), Document(b"progress.json", AT)
    )


def test_a_run_of_which_nothing_is_there():
    """Nor is that an error."""
    assert look(MemoryStore(), "run-1") == Objects()
