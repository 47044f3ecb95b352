"""Tables on screens of any width: what goes first, and what stays of a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.cli.terminal import cut_inside, table
from readers.text import cells

_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z")), min_size=1)


@given(_NAMES, st.integers(3, 40))
def test_a_name_keeps_its_beginning_and_its_end(name, columns):
    shown = cut_inside(name, columns)

    assert cells(shown) <= columns
    begin, sign, end = shown.partition("…") if shown != name else (name, "", "")
    assert name.startswith(begin)
    assert name.endswith(end)
    assert bool(sign) == (cells(name) > columns)


_RUNS = [(f"mistral-20261124-0{hour}0000", "running", "data_prep", "1 of 8") for hour in range(3)]


@pytest.mark.parametrize(
    ("columns", "head"),
    [
        (None, "RUN STATE PHASE DONE"),
        (60, "RUN STATE PHASE DONE"),
        (45, "RUN STATE DONE"),
        (34, "RUN STATE DONE"),
        (24, "RUN STATE"),
    ],
)
def test_what_can_be_spared_goes_first_and_the_last_columns_then(columns, head):
    lines = table(("RUN", "STATE", "PHASE", "DONE"), _RUNS, left=3, columns=columns, spare=2)

    assert lines[0].split() == head.split()
    assert max(map(cells, lines)) <= (columns or 60)
    assert len(set(lines)) == len(lines)
