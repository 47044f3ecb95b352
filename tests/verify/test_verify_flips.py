"""Whichever byte of a sealed segment is another, it is found."""

import profiles
import pytest
from fakes import STORE_TIME
from hypothesis import assume, given
from hypothesis import strategies as st
from verify.written import RUN, write

from journal.stores import ABSENT
from journal.stores.memory import MemoryStore
from readers.verify import verify

profiles.load()


@pytest.fixture(scope="module")
def written():
    """The objects of a finished run, every segment of which is sealed."""
    store = MemoryStore(lambda: STORE_TIME)
    write(store)
    return {entry.key: store.get(entry.key).body for entry in store.list(f"{RUN}/")}


def damages_of(objects):
    store = MemoryStore(lambda: STORE_TIME)
    for key, body in objects.items():
        store.put(key, body, expect=ABSENT)
    return verify(store, RUN).damages


def test_the_run_is_sound(written):
    """So it is the byte that is found."""
    assert damages_of(written) == []


@given(data=st.data())
def test_any_byte_that_is_another_is_found(data, written):
    """In an opening, a record or a seal, whatever stands there instead; and nothing is raised."""
    key = data.draw(st.sampled_from(sorted(key for key in written if key.endswith(".jsonl"))))
    body = bytearray(written[key])
    at = data.draw(st.integers(0, len(body) - 1), label="at")
    other = data.draw(st.integers(0, 255), label="byte")
    assume(body[at] != other)
    body[at] = other

    assert damages_of({**written, key: bytes(body)}) != []


@given(data=st.data())
def test_whatever_lies_in_a_segment_nothing_is_raised(data, written):
    """A part cut out, a part doubled, bytes of any kind put in."""
    key = data.draw(st.sampled_from(sorted(written)))
    body = written[key]
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    put_in = data.draw(st.one_of(st.binary(max_size=50), st.just(body[start:end] * 2)))

    assert isinstance(damages_of({**written, key: body[:start] + put_in + body[end:]}), list)
