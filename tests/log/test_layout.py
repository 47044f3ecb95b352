"""Names and keys: what may be a name, and that no name leads anywhere else."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from journal import layout
from journal.stores.keys import check_key

FINE = ["mistral-20250805-142652", "a", "9", "A.b_c-d", "x" * 128, "con", "a..b"]
BAD = [
    *(
        "",
        ".",
        "..",
        "../x",
        "..%2f",
        "a/b",
        "/a",
        "a/",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\n",
        "\na",
        " a",
    ),
    *("a b", "-a", "_a", ".a", "~", "é", "٣", "a:b", "a*", "a?", "x" * 129, "stream=main"),
]

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True)


@pytest.mark.parametrize("name", FINE)
def test_a_well_formed_name_is_taken_as_it_is(name):
    """Letters, digits, dots, underscores and hyphens, beginning with a letter or digit."""
    assert layout.check_name("run id", name) == name


@pytest.mark.parametrize("name", [*BAD, None, 5, b"bytes", ["a"]])
def test_any_other_name_is_a_value_error(name):
    """What could leave the root, or needs quoting anywhere, is no name."""
    with pytest.raises(ValueError, match=r"run id .* is not allowed"):
        layout.check_name("run id", name)


def test_a_long_wrong_name_is_shown_cut():
    """A message has room for the beginning of a name."""
    with pytest.raises(ValueError) as caught:
        layout.check_name("run id", "/" * 10_000)

    assert len(str(caught.value)) < 400


@given(st.text(max_size=200))
def test_any_text_makes_a_name(text):
    """A script's name, whatever it is, gives a name or the default."""
    assert layout.is_name(layout.as_name(text, "run"))


@given(names, names, st.integers(0, 10**10 - 1))
def test_every_key_lies_under_its_run(run_id, stream, segment):
    """Keys of well-formed names are well-formed, below their run, and say what they are of."""
    key = check_key(layout.segment_key(run_id, stream, segment))

    assert key.startswith(layout.stream_prefix(run_id, stream))
    assert layout.stream_prefix(run_id, stream).startswith(layout.streams_prefix(run_id))
    assert layout.streams_prefix(run_id).startswith(layout.run_prefix(run_id))
    assert layout.parse_segment_key(key) == (run_id, stream, segment)
    assert layout.parse_stream_prefix(layout.stream_prefix(run_id, stream)) == stream


@given(names, names)
def test_the_other_keys_are_well_formed_too(run_id, job):
    """Snapshot, markers and index entries."""
    keys = [
        layout.snapshot_key(run_id),
        layout.marker_key(run_id, layout.ERROR_MARKER),
        layout.marker_key(run_id, layout.COMPLETE_MARKER),
        layout.job_index(job) + layout.index_name(run_id, 1754422500.0),
        layout.RUN_INDEX + layout.index_name(run_id, 1754422500.0),
    ]

    assert [check_key(key) for key in keys] == keys


@pytest.mark.parametrize(
    "key",
    [
        "r/journal/stream=main/1.jsonl",
        "r/journal/stream=main/00000000001.jsonl",
        "r/journal/stream=main/000000000a.jsonl",
        "r/journal/stream=main/" + "\N{ARABIC-INDIC DIGIT ZERO}" * 10 + ".jsonl",
        "r/journal/stream=main/0000000000.json",
        "r/journal/stream=main/0000000000.jsonl.tmp",
        "r/journal/stream=main/0000000000.jsonl\n",
        "r/journal/stream=main/x/0000000000.jsonl",
        "r/journal/stream=../0000000000.jsonl",
        "r/journal/stream=/0000000000.jsonl",
        "r/journal/main/0000000000.jsonl",
        "../journal/stream=main/0000000000.jsonl",
        "r/metadata.json",
        "",
    ],
)
def test_any_other_key_is_no_segment(key):
    """Only what is written exactly so is a segment."""
    assert layout.parse_segment_key(key) is None


@pytest.mark.parametrize("prefix", ["r/journal/x/", "r/stream=a/", "r/journal/stream=/", "", "/"])
def test_any_other_prefix_is_no_stream(prefix):
    """Only a folder of that form is a stream's."""
    assert layout.parse_stream_prefix(prefix) is None


def test_a_newer_run_sorts_before_an_older_one():
    """One page of a listing shows the newest runs."""
    older, newer = layout.index_name("a", 1754422500.0), layout.index_name("b", 1754422500.001)

    assert newer < older


@given(names, st.integers(0, 9_000_000_000_000))
def test_an_index_name_says_its_run_and_start(run_id, start_ms):
    """Both come back, the start to the millisecond."""
    name = layout.index_name(run_id, start_ms / 1000)

    assert layout.parse_index_name(name) == (run_id, pytest.approx(start_ms / 1000, abs=0.0011))


@pytest.mark.parametrize("name", ["", "8", ".run", "123.run", "8245577499999.", "8245577499999./x"])
def test_a_foreign_name_in_the_index_is_passed_over(name):
    """The index is advisory; what it does not understand it leaves."""
    assert layout.parse_index_name(name) is None
