"""Files folded many at a time leave the state that they leave one by one, to the bit."""

import hypothesis.strategies as st
import orjson
import pytest
from fold.test_fold_laws import json_values, nonsense, realistic, stamps
from hypothesis import given

from journal import fold as folding
from journal.clock import stamp
from journal.fold import fold
from journal.state import StreamState

BEGAN = 1754422500.0
PLACE = {"seq": 0, "type": "file_done"}
PREFACE = [
    {**PLACE, "type": "segment_opened", "ts": stamp(BEGAN), "clock_offset": 0.25, "epoch": 1},
    {**PLACE, "type": "started", "ts": stamp(BEGAN), "attempt": 1},
    {**PLACE, "type": "source_started", "ts": stamp(BEGAN), "source": "a", "files": 90},
    {**PLACE, "type": "source_started", "ts": stamp(BEGAN), "source": "b" * 600},
    # A pause that later ones are shorter than.
    {**PLACE, "ts": stamp(BEGAN + 60), "source": "a", "path": "first", "bytes": 7},
    {
        **PLACE,
        "type": "progress",
        "ts": stamp(BEGAN + 60),
        "source": "a",
        "in_flight": [{"path": "x"}, {"path": "p" * 600}, {"bytes": 1}],
    },
]


def after(seconds, fields):
    return {**PLACE, "ts": stamp(BEGAN + 60 + seconds), **fields}


# Nearly all within a minute and plain; some with a field that asks for more, or is none.
files = st.builds(
    after,
    st.floats(0, 40) | st.floats(-3, 2000),
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["a", "a", "a", "b" * 600, "b" * 700, "unknown"]),
            "path": st.sampled_from(["x", "y", "p" * 600, "p" * 700]),
            "bytes": st.sampled_from([0, 5, 10**9, 2**53 - 1]),
        },
        optional={"seconds": st.sampled_from([0.0, 0.5, 3, 300.0, 2**60]) | st.none()},
    ),
)
odd_files = st.builds(
    lambda file, more, ts: {**file, **more, **ts},
    files,
    st.dictionaries(
        st.sampled_from(["source", "path", "bytes", "seconds", "by"]), json_values, max_size=2
    ),
    st.fixed_dictionaries({}, optional={"ts": stamps}),
)
in_order = st.lists(files, max_size=60).map(lambda row: sorted(row, key=lambda one: one["ts"]))
mixed = st.lists(files | odd_files | realistic | nonsense, max_size=30)


def one_by_one(records):
    """The state of folding the records without the short way for rows."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(folding.Row, "of", lambda *_: None)
        return orjson.dumps(fold(StreamState(), records))


@given(st.lists(in_order | mixed, max_size=4))
def test_a_row_of_files_folds_as_each_of_them(parts):
    """Whatever stands between them, and whatever their fields hold."""
    records = [*PREFACE, *(record for part in parts for record in part)]

    assert orjson.dumps(fold(StreamState(), records)) == one_by_one(records)


def test_most_files_of_a_run_are_folded_in_rows(monkeypatch):
    """Otherwise the law above would compare the fold with itself."""
    alone = []
    monkeypatch.setitem(folding._FOLDS, "file_done", lambda *given: alone.append(given))
    row = [after(second / 10, {"source": "a", "path": f"{second}"}) for second in range(250)]

    fold(StreamState(), [*PREFACE, *row])

    assert len(alone) < 10
