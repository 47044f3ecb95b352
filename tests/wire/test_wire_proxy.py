"""Each fault is what it says, and what the store makes of it is never more than is known."""

import pytest
from recorder.processes import wait_until
from wire.faults import Blow, Fault, Script

from journal.errors import Conflict, JournalError, Unavailable
from journal.stores import ABSENT, Absent, Found, connect

KEY = "trial-PROXY-0/object"
BODY = b"a line\n" * 300
SHARES = [number / 25 for number in range(25)]


@pytest.fixture
def strike(wire):
    """Let the next requests of a verb meet faults."""

    def strike(verb, *blows):
        wire.fates.fates["trial-PROXY-0"] = Script(verb, blows)

    wire.past.delete(KEY)
    return strike


def told(call):
    """What a call was told: the kind of error, or its answer."""
    try:
        return call()
    except JournalError as error:
        return type(error)


@pytest.mark.parametrize(
    ("fault", "expected", "applied"),
    [
        (Fault.RESET_BEFORE, Unavailable, False),
        (Fault.RESET_AFTER, Unavailable, True),
        (Fault.UPLOAD_CUT, Unavailable, False),
        (Blow(Fault.ANSWER_CUT, 0.1), Unavailable, True),
        (Blow(Fault.HEAD_CUT, 0.1), Unavailable, True),
        (Fault.ERROR, Unavailable, False),
        (Fault.SLOW_DOWN, Unavailable, False),
        (Fault.SLOW_DOWN_AFTER, Unavailable, True),
        (Fault.TOO_MANY, Unavailable, False),
        (Fault.BUSY, Unavailable, False),
        (Fault.BUSY_AFTER, Unavailable, True),
        (Fault.STRAY, Unavailable, False),
        (Fault.BLACK_HOLE, Unavailable, False),
        (Fault.DOUBLED, Conflict, True),
    ],
)
def test_a_create_that_meets_a_fault_is_told(wire, strike, fault, expected, applied):
    """Applied or not, nobody is told more than that it is unknown, or to look."""
    strike("PUT", fault)

    assert told(lambda: connect(wire.root).put(KEY, BODY, expect=ABSENT)) is expected
    assert isinstance(wire.past.get(KEY), Found) is applied


@pytest.mark.parametrize("fault", [Fault.LATENCY, Fault.TRICKLE])
def test_a_create_that_is_slow_is_applied(wire, strike, fault):
    """Slowness alone is no fault."""
    strike("PUT", fault)

    put = connect(wire.root).put(KEY, BODY, expect=ABSENT)
    assert wire.past.get(KEY).version == put.version


def test_what_is_late_comes(wire, strike):
    """A request may be applied long after its sender gave it up."""
    strike("PUT", Blow(Fault.LATE, 0.6))

    assert told(lambda: connect(wire.root).put(KEY, BODY, expect=ABSENT)) is Unavailable
    assert isinstance(wire.past.get(KEY), Absent)
    wait_until(lambda: isinstance(wire.past.get(KEY), Found))


@pytest.mark.parametrize("fault", [Fault.ANSWER_CUT, Fault.HEAD_CUT])
def test_an_object_that_is_cut_anywhere_is_none(wire, strike, fault):
    """Not an empty one, not its beginning, not absent."""
    wire.past.put(KEY, BODY, expect=ABSENT)
    strike("GET", *[Blow(fault, share) for share in SHARES])
    store = connect(wire.root)

    assert {told(lambda: store.get(KEY)) for _ in SHARES} == {Unavailable}
    assert store.get(KEY).body == BODY


@pytest.mark.parametrize("fault", [Fault.ANSWER_CUT, Fault.HEAD_CUT])
def test_a_listing_that_is_cut_anywhere_is_none(wire, strike, fault):
    """Not an empty one, not its beginning."""
    wire.past.put(KEY, BODY, expect=ABSENT)
    strike("GET", *[Blow(fault, share) for share in SHARES])
    store = connect(wire.root)

    assert {told(lambda: store.list("trial-PROXY-0/").__next__()) for _ in SHARES} == {Unavailable}
    assert [entry.key for entry in store.list("trial-PROXY-0/")] == [KEY]


def test_a_version_is_never_half_a_version(wire, strike):
    """Of a put whose answer is cut anywhere, the version is the right one, or nobody knows it."""
    strike("PUT", *[Blow(Fault.HEAD_CUT, share) for share in SHARES])
    store = connect(wire.root)

    assert list(wrong_versions(wire, store)) == []


def wrong_versions(wire, store):
    """The versions that puts were told and that what lies there does not have."""
    for _ in SHARES:
        wire.past.delete(KEY)
        put = told(lambda: store.put(KEY, BODY, expect=ABSENT))
        if put is not Unavailable and put.version != wire.past.get(KEY).version:
            yield put
