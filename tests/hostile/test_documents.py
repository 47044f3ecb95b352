"""A metadata.json of any hand: nothing stops on it, one line says what is wrong, and what can be
carried over is."""

import gzip
import json
from hashlib import sha256
from pathlib import Path

import fakes
import orjson
import pytest
from fakes import RUN, claimed, overwrite

from journal import events, layout, snapshot
from journal.clock import stamp
from journal.compactor import Compactor
from journal.limits import MIB
from readers.status import status
from tests.hostile.mutation import DOCUMENT, RECORDS

KEY = layout.snapshot_key(RUN)


@pytest.fixture
def store():
    return fakes.FaultyStore()


@pytest.fixture
def writer(store):
    writer = claimed(store)
    place = {"seq": 0, "ts": stamp(fakes.STORE_TIME), "type": "started"}
    writer.append(events.encode({**place, "job": "prepare", "attempt": 1}), 1)
    writer.flush(None)
    return writer


def compacted(store, body):
    """Put a document, compact over it, and return what it became."""
    overwrite(store, KEY, body)
    assert Compactor(store, RUN).compact().installed
    return orjson.loads(store.get(KEY).body)


def nested(depth):
    return b"[" * depth + b"]" * depth


UNREADABLE = {
    "empty": b"",
    "cut": DOCUMENT[:1000],
    "gzip": gzip.compress(DOCUMENT),
    "brackets": b"[" * 100_000,
    "objects": b'{"a":' * 100_000,
    "digits": b'{"a": ' + b"9" * 5000 + b"}",
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "zeros": bytes(1000),
    "text": b'"text"',
    "lines": b'{"a": 1}\n{"a": 2}\n',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_document_is_replaced(body, store, writer):
    """By one made of the journal alone; readers say in one line what they found."""
    overwrite(store, KEY, body)

    (complaint,) = status(store, RUN).complaints

    assert "metadata.json" in complaint
    assert len(complaint) < 400
    assert complaint.isprintable()
    assert compacted(store, body)["status"] == "running"


CARRIED = {
    "NaN": (b'{"loss": NaN, "theirs": 1}', {"loss": None, "theirs": 1}),
    "infinity": (b'{"loss": [-Infinity, 1e999], "theirs": 1}', {"loss": [None, None], "theirs": 1}),
    "mark": (b'\xef\xbb\xbf{"theirs": 1}', {"theirs": 1}),
    "UTF-16": ('{"theirs": "é"}'.encode("utf-16"), {"theirs": "é"}),
    "twice": (b'{"theirs": 1, "theirs": 2}', {"theirs": 2}),
    "large number": (
        b'{"theirs": 123456789012345678901234567890}',
        {"theirs": 1.2345678901234568e29},
    ),
    "surrogate": (b'{"bad": "\\ud800", "\\ud800": 1, "theirs": 1}', {"theirs": 1}),
    "as deep as can be": (b'{"theirs": ' + nested(253) + b"}", {"theirs": json.loads(nested(253))}),
    "too deep": (b'{"bad": ' + nested(254) + b', "theirs": 1}', {"theirs": 1}),
    "as deep in progress": (
        b'{"progress": {"bad": ' + nested(253) + b'}, "theirs": 1}',
        {"theirs": 1},
    ),
}


@pytest.mark.parametrize(("body", "fields"), CARRIED.values(), ids=CARRIED)
def test_what_can_be_carried_over_is(body, fields, store, writer):
    """In whatever way some other program writes JSON; what cannot be written again is left out."""
    made = compacted(store, body)

    assert {name: made.get(name) for name in fields} == fields
    assert "bad" not in made
    assert made["status"] == "running"


@pytest.mark.parametrize("body", [b'{"start_time": null, "a": 1}', b'{"start_time": NaN, "a": 1}'])
def test_a_field_that_says_nothing_is_filled_in_once(body, store, writer):
    """The next compaction finds nothing to change: the fuzzer found that it moved the field."""
    compacted(store, body)

    assert not Compactor(store, RUN).compact().installed


VALUES = [None, True, -1, 0.5, 10**30, 2**63, "", "x" * 10_000, "\x1b[2J", [], [1], {}, {"a": 1}]
VALUES += [[[]], [None], {"a": None}, {"": {}}, [{"source": 1}], 1e308]
FIELDS = [*orjson.loads(DOCUMENT)]


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_any_kind_stops_nobody(field, store, writer, capsys):
    """Each of the fixed fields and each of the journal's own, as anything else."""
    for value in VALUES:
        document = {**json.loads(DOCUMENT), field: value}
        body = json.dumps(document).encode()
        assert compacted(store, body)["status"] == "running"
        foreign = json.dumps({name: document[name] for name in document if name != "journal"})
        overwrite(store, KEY, foreign.encode())
        found = status(store, RUN)
        assert len(found.complaints) == 1


def places(structure, path=()):
    """Yield the path of every value in a structure."""
    yield path
    items = (
        structure.items()
        if isinstance(structure, dict)
        else enumerate(structure)
        if isinstance(structure, list)
        else ()
    )
    for name, value in items:
        yield from places(value, (*path, name))


def replaced(structure, path, value):
    """Return the structure with another value in one place."""
    if not path:
        return value
    copy = structure.copy()
    copy[path[0]] = replaced(structure[path[0]], path[1:], value)
    return copy


TOLD = [record for record in RECORDS if record["type"] not in (*events.CONTROL, "finished")]


def tell(writer, record):
    writer.append(events.encode({**record, "seq": writer.next_seq}), 1)
    writer.flush(None)


@pytest.mark.parametrize(
    "value",
    [None, -1, 2**63, 1e308, "x" * 10_000, [None], {"": {}}, [{"source": 1}]],
    ids=lambda value: repr(value)[:20],
)
def test_a_state_of_the_right_shape_and_wrong_kinds_breaks_no_fold(value, store, writer):
    """Even if its digest was made right: it is folded on from, or found damaged and left."""
    for record in TOLD:
        tell(writer, record)
    Compactor(store, RUN).compact()
    stored = orjson.loads(store.get(KEY).body)
    for path in places(stored["journal"]["streams"]):
        streams = replaced(stored["journal"]["streams"], path, value)
        digest = sha256(orjson.dumps(streams)).hexdigest()
        own = {**stored["journal"], "streams": streams, "sha256": digest}
        overwrite(store, KEY, orjson.dumps({**stored, "journal": own}))
        tell(writer, {"ts": stamp(fakes.STORE_TIME), "type": "waiting", "reason": "for more"})

        made = Compactor(store, RUN).compact().document
        status(store, RUN)

        assert snapshot.decode(snapshot.encode(made)).complaint is None


@pytest.mark.long
def test_a_document_of_a_hundred_megabytes_is_carried_over(local_root, start, cli):
    """It costs what it weighs, and nothing hangs."""
    run = start(local_root)
    assert run.flush(60)
    run.finish()
    theirs = ["x" * 1000] * 100_000
    path = Path(local_root, "run-1", "metadata.json")
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "theirs": theirs}))

    assert cli("status", "run-1").code == 0
    assert cli("compact", "run-1").code == 0
    assert path.stat().st_size > 100 * MIB * 0.9
    assert orjson.loads(path.read_bytes())["theirs"] == theirs
