"""Laws of the fold: however the records are cut up and mixed, the document is the same.

And whatever the records say, it never raises, and the state stays small.
"""

import hypothesis.strategies as st
import orjson
import pytest
from fold.stories import BEGAN, RUN, Story
from hypothesis import given

from journal import events, snapshot
from journal.clock import stamp
from journal.events import STATUSES
from journal.fold import fold
from journal.limits import LINE_BYTES, PHASES_KEPT, SOURCES_KEPT
from journal.segments import START, Cursor
from journal.snapshot import Folded
from journal.state import StreamState

STREAMS = ("main", "worker", "zeta")

# Few names, so that records meet; values as a job says them.
names = st.sampled_from(["corpus", "laws", "x" * 600])
sub_phases = st.sampled_from(["downloading", "downloading_policy", "tokenizing", ""])
counts = st.integers(0, 5)
sizes = st.sampled_from([0, 1, 100_000, 2**40])
texts = st.sampled_from(["", "a", "why not"])
instants = st.integers(0, 6 * 3600).map(lambda second: stamp(BEGAN + second))

REALISTIC = {
    "segment_opened": {"epoch": counts, "host": texts, "clock_offset": st.floats(-5, 5)},
    "segment_sealed": {"reason": st.sampled_from(["roll", "close", "finish", "takeover"])},
    "started": {"job": texts, "attempt": st.integers(1, 4), "sources_total": counts},
    "phase": {"phase": texts, "sub_phase": sub_phases, "operation": texts},
    "source_started": {
        "source": names,
        "sub_phase": sub_phases,
        "files": counts,
        "bytes": sizes,
        "done": st.fixed_dictionaries({"files": counts, "bytes": sizes}),
    },
    "progress": {"source": names, "bytes": sizes, "in_flight": st.just([{"path": "a"}])},
    "file_done": {"source": names, "path": texts, "bytes": sizes},
    "file_skipped": {"source": names, "path": texts, "reason": texts},
    "source_done": {"source": names, "bytes": sizes},
    "waiting": {"reason": texts, "until": instants},
    "error": {"error": texts, "message": texts, "source": names, "fatal": st.booleans()},
    "heartbeat": {
        "files": counts,
        "bytes": sizes,
        "cpu_seconds": st.floats(0, 10),
        "clock_offset": st.floats(-5, 5),
    },
    "dropped": {"count": counts, "reason": texts},
    "finished": {"status": st.sampled_from(STATUSES), "message": texts},
    "of_another_kind": {"anything": texts},
}
FIELDS = sorted({field for fields in REALISTIC.values() for field in fields})


def record(kind, ts, fields):
    return {"seq": 0, "ts": ts, "type": kind, **fields}


realistic = st.sampled_from(sorted(REALISTIC)).flatmap(
    lambda kind: st.builds(
        record,
        st.just(kind),
        instants,
        st.fixed_dictionaries({}, optional=REALISTIC[kind]),
    )
)


def deep(value, depth):
    for _ in range(depth):
        value = {"deeper": [value]}
    return value


# Anything that JSON can hold, in fields that mean something.
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | instants
    | st.sampled_from([2**64 - 1, -(2**63), 1e308, -1e308, "9999-12-31T23:59:59-23:00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["files", "bytes", "path", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
) | st.builds(deep, st.just(1), st.sampled_from([20, 120, 500]))
stamps = (
    instants
    | st.text(max_size=5)
    | st.sampled_from(
        ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z"]
    )
)
nonsense = st.builds(
    record,
    st.sampled_from(sorted(REALISTIC)) | st.text(max_size=5),
    stamps,
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8),
)


def told(records):
    return st.lists(st.tuples(st.sampled_from(STREAMS), records), max_size=40)


def at_once(story):
    """The document of folding each stream from start to end."""
    run = {}
    for name in sorted({name for name, _ in story}):
        records = [record for stream, record in story if stream == name]
        run[name] = Folded(Cursor(0, 0, len(records)), fold(StreamState(), records))
    return snapshot.render(RUN, run, {})


def after(folded, records):
    seq = folded.cursor.seq + len(records)
    return Folded(Cursor(0, 0, seq), fold(folded.state, records))


@given(st.data(), told(realistic))
def test_any_cut_and_any_mixture_gives_the_same_document(data, story):
    """Records one by one, streams mixed, through bytes and back anywhere: as all at once."""
    queues = {name: [r for stream, r in story if stream == name] for name in STREAMS}
    run, stored = {}, {}
    while any(queues.values()):
        name = data.draw(st.sampled_from([name for name in STREAMS if queues[name]]))
        count = data.draw(st.integers(1, len(queues[name])))
        piece, queues[name] = queues[name][:count], queues[name][count:]
        run[name] = after(run.get(name, Folded(START, StreamState())), piece)
        if data.draw(st.booleans()):
            body = snapshot.encode(snapshot.render(RUN, run, stored))
            decoded = snapshot.decode(body)
            run, stored = dict(decoded.streams), decoded.document

    assert snapshot.encode(snapshot.render(RUN, run, {})) == snapshot.encode(at_once(story))
    if stored:
        assert snapshot.encode(snapshot.render(RUN, run, stored)) == snapshot.encode(at_once(story))


@given(told(realistic | nonsense))
def test_no_record_stops_the_fold(story):
    """Wrong types everywhere: there is a document all the same, and it can be stored and read."""
    body = snapshot.encode(at_once(story))

    decoded = snapshot.decode(body)
    assert decoded.complaint is None
    assert snapshot.encode(snapshot.render(RUN, decoded.streams, decoded.document)) == body


@given(st.lists(realistic, min_size=2, max_size=30))
def test_a_sign_of_life_never_goes_back(records):
    """`last_update` follows the records up, never down, whatever their clock does."""
    state, seen = StreamState(), []
    for each in records:
        state = fold(state, [each])
        seen += [state.alive] if state.alive is not None else []

    assert seen == sorted(seen)


@given(st.lists(realistic, max_size=30))
def test_lines_and_records_fold_alike(records):
    """What went through a line and back says the same."""
    lines = [events.decode(events.encode(each)) for each in records]

    assert fold(StreamState(), lines) == fold(StreamState(), records)


# Bounds


def size_of(story):
    return len(orjson.dumps(story.state))


@pytest.fixture(scope="module")
def many_sources():
    """A run with 20,000 sources, all with files, each in one of 10,000 sub-phases."""
    story = Story().started()
    for number in range(20_000):
        sub_phase = f"downloading_{number % 10_000}" if number % 2 else "downloading_policy"
        story.source(f"source-{number}", sub_phase=sub_phase)
        story.files(f"source-{number}", 1).done(f"source-{number}")
    return story.folded


def test_twenty_thousand_sources_leave_a_small_state(many_sources):
    """The newest sources are named, the others summed up."""
    state = many_sources.state

    assert len(state.sources) == SOURCES_KEPT
    assert len(state.others) <= PHASES_KEPT + 3
    assert len(orjson.dumps(state)) < 200_000


def test_twenty_thousand_sources_are_all_counted(many_sources):
    """Summing up loses no source and no file, and keeps apart what is counted apart."""
    progress = snapshot.render(RUN, {"main": many_sources}, {})["progress"]

    assert progress["sources_seen"] == progress["sources_completed"] == 20_000
    assert progress["policy_sources_completed"] == progress["policy_sources_total"] == 10_000
    assert progress["files_done"] == progress["files_downloaded"] == 20_000


def test_ten_thousand_error_classes_leave_a_small_state():
    """The first classes are named, the others counted together; none is lost from the count."""
    story = Story().started()
    for number in range(10_000):
        story.say("error", error=f"Error{number}", message="m" * 5_000)

    errors = story.document()["errors"]

    assert size_of(story) < 50_000
    assert errors["count"] == sum(one["count"] for one in errors["classes"]) == 10_000


def test_ten_thousand_phases_leave_a_small_state():
    """Only the newest are kept."""
    story = Story().started()
    for number in range(10_000):
        story.say("phase", phase="p" * 5_000, sub_phase=f"{number}")

    assert size_of(story) < 50_000
    assert story.document()["sub_phase"] == "9999"


def test_long_texts_leave_a_small_state():
    """A name as long as a line is kept by its beginning, and still means its source."""
    name = "n" * (LINE_BYTES - 1000)
    story = Story().started().source(name, sub_phase=name).files(name, 2)

    assert size_of(story) < 10_000
    assert story.document()["progress"]["files_done"] == 2


def test_sizes_that_are_none_are_not_counted():
    """-1 as an unsigned number is what some say when they do not know a size."""
    story = Story().started().source("a").files("a", 3, bytes=2**64 - 1).files("a", 1, bytes=7)

    assert story.document()["progress"]["bytes_done"] == 7


def test_sums_stay_numbers_that_json_can_hold():
    """However many of the largest sizes are summed up."""
    story = Story().started().source("a").files("a", 5_000, bytes=2**53 - 1)

    assert snapshot.decode(snapshot.encode(story.document())).complaint is None
