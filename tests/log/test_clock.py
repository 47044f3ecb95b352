"""Times to text and back."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from journal import clock
from journal.clock import NS, Stamp, StampReader, StoreClock

AT = 1754422500  # 2025-08-05T19:35:00Z

# From 1970 to the year 9999: what a clock can say.
instants_ns = st.integers(0, 253_402_300_799 * NS)


def test_a_stamp_has_microseconds_and_a_z():
    """Fixed width, UTC, so that stamps sort as texts."""
    assert Stamp()(AT * NS + 123_456_789) == "2025-08-05T19:35:00.123456Z"


def test_a_stamp_in_seconds_is_cut_to_the_second():
    """The old monitor's Python reads no more than that."""
    assert clock.stamp_seconds(AT + 0.999) == "2025-08-05T19:35:00Z"


@given(st.lists(instants_ns, min_size=1, max_size=5))
def test_a_stamp_does_not_depend_on_those_before(instants):
    """The second that is kept is only a shortcut."""
    stamp = Stamp()

    assert [stamp(at) for at in instants] == [Stamp()(at) for at in instants]


@given(instants_ns)
def test_a_stamp_is_read_back_to_the_microsecond(at_ns):
    """Writing and reading agree."""
    assert clock.parse_stamp(Stamp()(at_ns)) == pytest.approx(at_ns // 1000 / 1e6, abs=2e-5)


@given(st.lists(instants_ns.map(Stamp()) | st.datetimes().map(str), min_size=1, max_size=5))
def test_reading_does_not_depend_on_what_was_read_before(texts):
    """The same of the reader's shortcut."""
    reader = StampReader()

    assert [reader(text) for text in texts] == pytest.approx(list(map(clock.parse_stamp, texts)))


@given(instants_ns, instants_ns)
def test_stamps_sort_like_their_times(one, other):
    """Text order is time order."""
    assert (Stamp()(one) <= Stamp()(other)) or one > other


@pytest.mark.parametrize(
    "text",
    [
        "2025-08-05T19:35:00Z",
        "2025-08-05T19:35:00+00:00",
        "2025-08-05T21:35:00+02:00",
        "2025-08-05T19:35:00.000Z",
        "2025-08-05T19:35:00.000000Z",
        "2025-08-05 19:35:00",
        "2025-08-05T19:35:00",
        "20250805T193500Z",
    ],
)
def test_an_iso_time_is_read(text):
    """Any ISO 8601 form; a naive one counts as UTC."""
    assert clock.parse_stamp(text) == AT
    assert StampReader()(text) == AT


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-05T19:35:00Z", "2025-08-05T19:35:00.12345xZ"]
)
def test_any_other_text_is_a_value_error(text):
    """No guessing."""
    with pytest.raises(ValueError):
        clock.parse_stamp(text)
    with pytest.raises(ValueError):
        StampReader()(text)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(text):
    """Nothing else comes of reading."""
    try:
        StampReader()(text)
    except ValueError:
        return


def test_the_store_s_clock_is_kept_as_an_offset(monkeypatch):
    """Store minus host, from the last reply."""
    monkeypatch.setattr(clock.time, "time", lambda: 1000.0)
    monkeypatch.setattr(clock, "_since_boot", lambda: 50.0)
    store_clock = StoreClock()

    store_clock.saw(1002.5)

    assert store_clock.offset == 2.5


def test_a_host_s_clock_that_is_set_has_another_offset_at_once(monkeypatch):
    """Nobody has to hear of the store for that."""
    monkeypatch.setattr(clock, "_since_boot", lambda: 50.0)
    monkeypatch.setattr(clock.time, "time", lambda: 1000.0)
    store_clock = StoreClock()
    store_clock.saw(1000.0)

    monkeypatch.setattr(clock.time, "time", lambda: 4600.0)

    assert store_clock.offset == -3600.0


def test_without_a_reply_the_host_s_clock_counts(monkeypatch):
    """No offset, and the host's time."""
    monkeypatch.setattr(clock.time, "time", lambda: 1000.0)
    store_clock = StoreClock()

    assert (store_clock.offset, store_clock.now()) == (0.0, 1000.0)


def test_the_store_s_time_goes_on_with_the_monotonic_clock(monkeypatch):
    """A host clock that jumps does not move it."""
    monotonic = iter([50.0, 53.0])
    monkeypatch.setattr(clock, "_since_boot", lambda: next(monotonic))
    store_clock = StoreClock()
    store_clock.saw(2000.0)
    monkeypatch.setattr(clock.time, "time", lambda: 9e9)

    assert store_clock.now() == 2003.0


def test_an_http_date_is_read():
    """Whole seconds, in GMT."""
    assert clock.parse_http_date("Tue, 05 Aug 2025 19:35:00 GMT") == AT
