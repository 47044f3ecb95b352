"""Whatever a journal says, an estimate is ordered numbers or none."""

from dataclasses import fields
from itertools import chain

import hypothesis.strategies as st
from fold.stories import BEGAN, Story
from hypothesis import given

from journal.clock import stamp
from journal.eta import forecast
from journal.state import Former, Planned, SourceState, StreamState
from journal.work import Work

numbers = st.sampled_from(
    [0, 1, 5, 10**6, 2**43, 2**53 - 1, 2**62, -1, 0.0, 1e-300, 1e-9, 0.5, 1e9, 1e300, None, "x"]
)
names = st.sampled_from(["a", "b"])
instants = st.sampled_from([0, 1, 60, 3600, 10**8, -(10**8)]).map(lambda s: stamp(BEGAN + s))
listed = st.lists(
    st.fixed_dictionaries(
        {
            "source": names,
            "sub_phase": names,
            **dict.fromkeys(("files", "bytes", "seconds", "wall_seconds"), numbers),
        }
    ),
    max_size=3,
)
KINDS = {
    "started": {"attempt": st.integers(1, 3), "sources": listed, "sources_total": numbers},
    "planned": {"sub_phase": names, "sources": listed},
    "history": {"sources": listed},
    "source_started": {"source": names, "sub_phase": names, "files": numbers, "bytes": numbers},
    "file_done": {"source": names, "path": names, "bytes": numbers, "seconds": numbers},
    "file_skipped": {"source": names, "path": names},
    "source_done": {"source": names, "bytes": numbers},
    "progress": {"source": names, "bytes": numbers},
    "waiting": {"reason": names, "until": instants},
}
records = st.one_of(
    st.fixed_dictionaries({"ts": instants, "type": st.just(kind), **said})
    for kind, said in KINDS.items()
)

floats = st.sampled_from([0.0, 1e-300, 1e-9, 0.5, 5.5, 1e6, 2.0**53, -1.0, -(2.0**53)])
ints = st.sampled_from([0, 1, 2, 1000, 2**40, 2**62])
works = st.builds(
    Work, **{field.name: ints if field.type is int else floats for field in fields(Work)}
)
maybe = st.none() | ints
sources = st.builds(
    SourceState,
    source=names,
    sub_phase=names,
    attempt=st.integers(1, 2),
    started=floats,
    spoke=floats,
    files_total=maybe,
    bytes_total=maybe,
    found_files=ints,
    files=ints,
    bytes=ints,
    file_bytes=ints,
    ended=st.none() | floats,
    work=works,
)
states = st.builds(
    StreamState,
    attempt=st.just(2),
    attempt_started=floats,
    last_record=floats,
    waited=floats,
    sources_total=maybe,
    sources=st.lists(sources, max_size=4),
    planned=st.lists(st.builds(Planned, names, names, maybe, maybe), max_size=3),
    former=st.lists(st.builds(Former, names, names, ints, ints, floats, floats), max_size=3),
)


def are_ordered(told):
    every = [told.run, *chain(told.phases.values(), told.sources.values())]
    return all(0 <= one.low <= one.remaining <= one.high < 1e17 for one in every if one)


@given(st.lists(records, max_size=30))
def test_whatever_is_said_an_estimate_is_ordered_numbers(said):
    """Zero, negative, huge, out of order, of another kind; and the document can be rendered."""
    story = Story().started()
    for record in said:
        story.records.append({"seq": len(story.records), **record})

    assert are_ordered(forecast([story.state]))
    assert StreamState.from_json(stored(story.document()))


def stored(document):
    import orjson  # noqa: PLC0415

    return orjson.loads(orjson.dumps(document))["journal"]["streams"]["main"]["state"]


@given(st.lists(states, min_size=1, max_size=2), floats)
def test_whatever_a_document_holds_an_estimate_is_ordered_numbers(held, at):
    """Numbers of the right kind that no file can have made."""
    assert are_ordered(forecast(held))
    assert are_ordered(forecast(held, at))


def test_an_end_that_no_calendar_has_is_the_last_that_one_has():
    """Whoever reads the document must be able to parse it."""
    story = Story().started().source("a", files=2**53 - 1, bytes=2**53 - 1)
    story.files("a", 3, after=300_000, bytes=1)

    document = story.document()

    assert document["progress"]["estimated_completion"] == "9999-12-31T23:59:59Z"
    assert document["eta"]["at"] == "9999-12-31T23:59:59Z"
