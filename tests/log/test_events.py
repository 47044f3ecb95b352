"""One line and back: encoding never raises, always fits, and tells no secrets."""

import dataclasses
import datetime as dt
import enum
import math
import uuid

import hypothesis.strategies as st
import pytest
from hypothesis import given

from journal import events
from journal.limits import LINE_BYTES

PLACE = {"seq": 7, "ts": "2025-08-05T19:35:00.000000Z", "type": "note"}


class Broken:
    """An object that raises when it is asked for its text."""

    def __str__(self):
        raise RuntimeError("no text")


class Fraction(float):
    """A float that the serialiser does not know."""


def cyclic(width):
    """A list that holds itself `width` times."""
    items = []
    items.extend([items] * width)
    return items


def deep(depth):
    value = "bottom"
    for _ in range(depth):
        value = [value]
    return value


texts = st.text(st.characters(codec=None), max_size=40)  # lone surrogates too
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**63),
    st.floats(),
    texts,
    st.binary(max_size=40),
    st.just(Broken()),
    st.just(object()),
    st.builds(Fraction, st.floats()),
    st.dates(),
    st.datetimes(),
    st.uuids(),
    st.complex_numbers(),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(texts, inner, max_size=5),
        st.dictionaries(st.integers() | st.just(Broken()), inner, max_size=3),
    ),
    max_leaves=20,
)
names = texts.filter(lambda name: name not in events.PLACE)


def round_trip(**fields):
    return events.decode(events.encode({**PLACE, **fields}))


MONSTERS = {
    "huge": {"n": 10**5000},
    "deep": {"n": deep(5000)},
    "surrogate key": {"\ud800": 1},
    "cyclic": {"n": cyclic(100)},
    "long": {"text": "x" * 10**6},
    "wide": {"n": [1] * 10**5},
    "crowd": {f"field {number}": number for number in range(10_000)},
    "long key": {"k" * 10**5: "v" * 300},
    "long inner key": {"key": {"k" * 10**5: 1}},
    "controls": {"text": "\0" * LINE_BYTES},
    "wide characters": {"text": "𝄞" * LINE_BYTES, "more": "\ud800" * LINE_BYTES},
    "hostile": {"text": "://" * 20_000 + "=" * 1000 + "@" * 20_000 + "key" * 5_000},
}


def check_line(fields):
    line = events.encode({**PLACE, **fields})
    record = events.decode(line)
    assert len(line) <= LINE_BYTES
    assert line.index(b"\n") == len(line) - 1
    assert {name: record[name] for name in PLACE} == PLACE
    assert list(record)[:3] == list(PLACE)


@given(st.dictionaries(names, values, max_size=6))
def test_anything_makes_a_line(fields):
    """Whatever the job hands over, a line comes of it: one, short enough, in its place."""
    check_line(fields)


@pytest.mark.parametrize("monster", MONSTERS)
def test_a_monster_makes_a_line(monster):
    """The same of what is too big, too deep, without end, or made to keep a pattern busy."""
    check_line(MONSTERS[monster])


@given(
    st.dictionaries(
        st.text("abcdefg_", min_size=1, max_size=5),
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.text('a \n\\"é', max_size=9),
        max_size=6,
    )
)
def test_what_json_knows_comes_back(fields):
    """Numbers, texts, truths and nothing survive the way to a line and back."""
    assert round_trip(**fields) == {**PLACE, **fields}


def test_keys_stand_in_the_order_of_the_format():
    """The place comes first, then the fields as they were given."""
    line = events.encode({**PLACE, "path": "a", "bytes": 1})

    assert line == (
        b'{"seq":7,"ts":"2025-08-05T19:35:00.000000Z","type":"note","path":"a","bytes":1}\n'
    )


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (math.nan, None),
        (math.inf, None),
        (Fraction(1.5), 1.5),
        (2**64, "18446744073709551616"),
        (b"bytes\xff", "bytes\\xff"),
        ("\ud800", "\\ud800"),
        ({1}, [1]),
        ((1, 2), [1, 2]),
        ({1: {None: 2}}, {"1": {"null": 2}}),
        (dt.date(2025, 8, 5), "2025-08-05"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (enum.Enum("Colour", "RED").RED, 1),
        (dataclasses.make_dataclass("Point", ["x"])(3), {"x": 3}),
        (Broken(), "<Broken: RuntimeError>"),
        ({"a": Broken(), "b": 1}, {"a": "<Broken: RuntimeError>", "b": 1}),
    ],
)
def test_what_json_does_not_know_becomes(value, stored):
    """Values of other kinds become the nearest thing that JSON has."""
    assert round_trip(value=value)["value"] == stored


def test_a_number_of_thousands_of_digits_is_named():
    """Python refuses to write such a number; the line says so in its place."""
    assert round_trip(value=10**5000)["value"] == "<int: ValueError>"


# Cutting


def test_a_long_text_is_cut_and_marked():
    """The longest field gives way, as little as need be; the others stay whole."""
    record = round_trip(message="x" * 100_000, path="a/b")

    assert (record["truncated"], record["path"]) == (True, "a/b")
    assert LINE_BYTES / 2 < len(record["message"]) < LINE_BYTES


def test_the_longest_field_is_cut_first():
    """Of two long fields the longer gives way first."""
    record = round_trip(message="x" * 100_000, traceback="y" * 1_000)

    assert record["traceback"] == "y" * 1_000


def test_a_big_object_is_replaced_whole():
    """What is no text cannot be cut in the middle."""
    record = round_trip(params={str(number): number for number in range(20_000)}, job="a")

    assert (record["params"], record["job"], record["truncated"]) == ("<dict cut>", "a", True)


def test_a_crowd_of_fields_loses_the_last():
    """With nothing long to cut, the last fields go and the first stay."""
    record = round_trip(**{f"field_{number}": number for number in range(10_000)})

    assert (record["field_0"], record["truncated"]) == (0, True)
    assert "field_9999" not in record


def test_a_line_of_the_most_bytes_is_not_cut():
    """The limit is inclusive."""
    room = LINE_BYTES - len(events.encode({**PLACE, "text": ""}))

    line = events.encode({**PLACE, "text": "x" * room})

    assert (len(line), b"truncated" in line) == (LINE_BYTES, False)


# Secrets


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=abc&x=1",
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***&x=1",
        ),
        (
            "https://h/k?AWSAccessKeyId=A&Signature=b%3D",
            "https://h/k?AWSAccessKeyId=***&Signature=***",
        ),
        ("https://h/k?X-Goog-Signature=abc", "https://h/k?X-Goog-Signature=***"),
        ("https://a.blob/c?sv=1&sig=abc%3D&se=2", "https://a.blob/c?sv=1&sig=***&se=2"),
        ("AccountName=a;AccountKey=abc==;Suffix", "AccountName=a;AccountKey=***;Suffix"),
        ("https://h/k?token=abc#x", "https://h/k?token=***"),
        ("access_token=abc refresh_token=def", "access_token=*** refresh_token=***"),
        ("AWS_SECRET_ACCESS_KEY=abc\nnext", "AWS_SECRET_ACCESS_KEY=***\nnext"),
        ("api_key='abc'", "api_key='***'"),
        ("postgres://user:pass@host/db", "postgres://***@host/db"),
        ("https://user:p@ss@host/x", "https://***@host/x"),
        ("https://token@host/x", "https://***@host/x"),
        ("s3://AKIA:wJal/K7MD+ENG/b@bucket/key", "s3://***@bucket/key"),
        ("two http://a:b@c http://d:e@f", "two http://***@c http://***@f"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("https://host/a:b@c", "https://host/a:b@c"),
        ("mail someone@host about x=1", "mail someone@host about x=1"),
        ("monkey=1 sort_key=2", "monkey=1 sort_key=2"),
    ],
)
def test_what_authorises_is_hidden(text, hidden):
    """User information and the values of signing parameters are hidden; the rest is kept."""
    assert round_trip(url=text)["url"] == hidden


def test_a_secret_is_hidden_wherever_it_stands():
    """In nested values, in keys, in bytes and in what an object says of itself."""
    secret = "http://user:hunter2@host"

    line = events.encode(
        {
            **PLACE,
            "a": [{"b": secret}],
            secret: 1,
            "c": {secret: secret.encode()},
            "d": ValueError(secret),
        }
    )

    assert b"hunter2" not in line
    assert line.count(b"***") == 5


# Decoding


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"seq":"1","ts":"x","type":"note"}',
        b'{"seq":1.0,"ts":"x","type":"note"}',
        b'{"seq":true,"ts":"x","type":"note"}',
        b'{"seq":1,"ts":5,"type":"note"}',
        b'{"seq":1,"ts":"x"}',
        b'{"seq":1,"ts":"x","type":null}',
        b'{"seq":1,"ts":"x","type":"note","x":NaN}',
        b'{"seq":1,"ts":"x","type":"note"}{"seq":1,"ts":"x","type":"note"}',
        b'{"seq":1,"ts":"x","type":"note","x":"\xff"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_record_is_a_value_error(line):
    """A line without a proper place is no record."""
    with pytest.raises(ValueError):
        events.decode(line)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_record_or_a_value_error(line):
    """Nothing else comes of decoding."""
    try:
        record = events.decode(line)
    except ValueError:
        return
    assert {"seq", "ts", "type"} <= record.keys()


# Renumbering


@given(st.lists(st.dictionaries(names, values, max_size=3), max_size=4), st.integers(0, 10**12))
def test_renumbering_changes_the_number_and_no_other_byte(events_fields, first):
    """New places, the very same events."""
    lines = [
        events.encode({**PLACE, "seq": seq, **fields}) for seq, fields in enumerate(events_fields)
    ]

    renumbered = events.renumber(b"".join(lines), first).splitlines(keepends=True)

    tails = [line.partition(b",")[2] for line in lines]
    assert [line.partition(b",")[2] for line in renumbered] == tails
    numbers = [events.decode(line)["seq"] for line in renumbered]
    assert numbers == list(range(first, first + len(lines)))


def test_renumbering_something_else_is_a_value_error():
    """A line that does not begin with its number is left to no one's guess."""
    with pytest.raises(ValueError, match="does not begin with its sequence number"):
        events.renumber(b'{"ts":"x","seq":1}\n', 5)


# What a caller may say


@pytest.mark.parametrize(
    "name", ["", "Upper", "9lives", "a b", "a-b", "a" * 65, "é", "note\n", 5, None]
)
def test_an_ill_formed_type_is_a_value_error(name):
    """Types are short words of a to z, digits and underscores."""
    with pytest.raises(ValueError, match="is not allowed"):
        events.check_type(name)


@pytest.mark.parametrize("name", sorted(events.CONTROL))
def test_a_control_type_is_the_journal_s_own(name):
    """A caller cannot open or seal a segment."""
    with pytest.raises(ValueError, match="belongs to the journal itself"):
        events.check_type(name)


@pytest.mark.parametrize("name", events.PLACE)
def test_a_place_is_the_journal_s_own(name):
    """A caller's field cannot hide where and when a record is."""
    with pytest.raises(ValueError, match="belongs to the journal itself"):
        events.check_fields({name: 1})
