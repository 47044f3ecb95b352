"""Durations and rates as a caller writes them."""

from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from journal.quantities import rate_of, seconds_of


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90.0),
        (0.5, 0.5),
        (timedelta(minutes=20), 1200.0),
        ("90s", 90.0),
        ("20m", 1200.0),
        ("20 min", 1200.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("1.5h", 5400.0),
        ("2d", 172_800.0),
        ("250ms", 0.25),
        (" 5s ", 5.0),
    ],
)
def test_a_duration_is_read(value, seconds):
    """Numbers are seconds; text has units."""
    assert seconds_of("stall_after", value) == seconds


@pytest.mark.parametrize(
    "value", ["", "20", "m", "20 apples", "-5m", "5m!", "5m5", 0, -1, True, None, [], "inf", "1e9s"]
)
def test_what_is_no_duration_is_told(value):
    """With the name of what it was for."""
    with pytest.raises(ValueError, match=r"stall_after .* is no duration"):
        seconds_of("stall_after", value)


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        ("64KiB/60s", (65_536, 60.0)),
        ("1 MB / 1 s", (1_000_000, 1.0)),
        ("1.5MiB/5m", (1_572_864, 300.0)),
        ("100/1m", (100, 60.0)),
    ],
)
def test_a_rate_is_bytes_and_a_time(value, rate):
    """Both of them are said."""
    assert rate_of("min_rate", value) == rate


@pytest.mark.parametrize("value", ["1MB/s", "64KiB", "/60s", "64KX/60s", "", 5, None])
def test_what_is_no_rate_is_told(value):
    """With the name of what it was for."""
    with pytest.raises(ValueError, match=r"min_rate .* is no"):
        rate_of("min_rate", value)


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_value_error(text):
    """Nothing else comes of reading."""
    try:
        assert seconds_of("by", text) > 0
    except ValueError:
        return
