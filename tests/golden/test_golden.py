"""Format 1 as it was released: its files still say what they said, to every reader."""

import json
from pathlib import Path

import make
import orjson
import pytest

from journal import events, layout, markers, segments, snapshot
from journal.compactor import Compactor, read_run
from journal.log import StreamReader
from journal.stores import ABSENT
from journal.stores.memory import MemoryStore
from readers.status import status
from readers.tail import Tail

V1 = Path(__file__).parent / "v1"
FILES = {
    path.relative_to(V1).as_posix(): path.read_bytes() for path in V1.rglob("*") if path.is_file()
}
SEGMENTS = [key for key in sorted(FILES) if key.endswith(".jsonl")]
LINES = [line for key in SEGMENTS for line in FILES[key].splitlines(keepends=True)]
SNAPSHOT = layout.snapshot_key(make.RUN)
MARKER = layout.marker_key(make.RUN, layout.COMPLETE_MARKER)


def stored(*left_out: str) -> MemoryStore:
    """A store that holds the golden files."""
    store = MemoryStore(lambda: make.BEGAN + 700)
    for key in FILES.keys() - set(left_out):
        store.put(key, FILES[key], expect=ABSENT)
    return store


def public(document):
    """A document without the journal's own part, which the fold of the day makes."""
    return {name: value for name, value in document.items() if name != "journal"}


def said_then(now, then):
    """What a document of today says in the places of one of then: it may have gained others."""
    if isinstance(then, dict):
        return {name: said_then(now.get(name, "gone"), value) for name, value in then.items()}
    if isinstance(then, list):
        return [said_then(*pair) for pair in zip(now, then, strict=True)]
    return now


def test_the_files_are_two_segments_and_a_snapshot():
    """What make.py wrote lies there, no more and no less."""
    expected = [layout.segment_key(make.RUN, "main", number) for number in (0, 1)]
    assert expected == SEGMENTS
    assert FILES.keys() - set(SEGMENTS) == {SNAPSHOT, MARKER}


def test_every_type_of_the_table_is_there():
    """Of each event type, and of both control types, at least one line."""
    types = {events.decode(line)["type"] for line in LINES}

    assert types == {*events.CONTROL, *TYPES, "tokens_counted"}


TYPES = {
    *(events.STARTED, events.PHASE, events.SOURCE_STARTED, events.PROGRESS, events.FILE_DONE),
    *(events.FILE_SKIPPED, events.SOURCE_DONE, events.WAITING, events.ERROR, events.HEARTBEAT),
    *(events.DROPPED, events.FINISHED),
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: events.decode(line)["type"])
def test_a_line_encodes_to_its_own_bytes(line):
    """Decoded and encoded again, each line is the same."""
    assert events.encode(events.decode(line)) == line


@pytest.mark.parametrize("line", LINES, ids=lambda line: events.decode(line)["type"])
def test_any_reader_of_json_reads_a_line_alike(line):
    """There is nothing of one library in the format."""
    assert json.loads(line) == events.decode(line)


def test_the_same_run_is_written_in_the_same_bytes():
    """Claim, flush, takeover and seal give the very segments that lie there."""
    built = make.build()

    assert {key: built[key] for key in SEGMENTS} == {key: FILES[key] for key in SEGMENTS}


def test_the_chain_is_sound():
    """A reader reads both segments with nothing to complain of."""
    batches = list(StreamReader(stored(), make.RUN, "main", exists=1).read())

    assert [damage for batch in batches for damage in batch.damages] == []
    assert [line + b"\n" for batch in batches for line in batch.lines] == LINES


def test_the_takeover_is_told_by_the_seals():
    """The first segment ends with the successor's seal, the second with its own end."""
    tails = [segments.tail_of(FILES[key], key) for key in SEGMENTS]

    assert [(tail.sealed, tail.epoch, tail.seq) for tail in tails] == [
        ("takeover", 2, len(make.FIRST_ATTEMPT)),
        ("finish", 2, len(make.FIRST_ATTEMPT) + len(make.SECOND_ATTEMPT)),
    ]


def test_the_fold_gives_the_stored_document():
    """From the segments alone, the document that was stored."""
    document = read_run(stored(SNAPSHOT), make.RUN).document(make.RUN)

    then = public(orjson.loads(FILES[SNAPSHOT]))
    assert said_then(orjson.loads(snapshot.encode(document)), then) == then


def test_the_end_is_marked_in_the_same_words():
    """The old monitor's marker, of the state that the segments give."""
    main = read_run(stored(SNAPSHOT), make.RUN).run["main"].state

    assert markers.body(main) == FILES[MARKER]


def test_the_stored_snapshot_is_gone_on_from():
    """Its state and cursor are understood, and say the same."""
    decoded = snapshot.decode(FILES[SNAPSHOT])

    rendered = snapshot.render(make.RUN, decoded.streams, decoded.document)
    assert (decoded.complaint, decoded.outdated) == (None, True)
    then = public(decoded.document)
    assert said_then(orjson.loads(snapshot.encode(rendered)), then) == then


def test_compacting_the_golden_run_again_says_the_same():
    """A compactor of today leaves the public document of then."""
    store = stored()

    Compactor(store, make.RUN).compact(everything=True)

    then = public(orjson.loads(FILES[SNAPSHOT]))
    assert said_then(orjson.loads(store.get(SNAPSHOT).body), then) == then


def test_the_tail_of_the_golden_run_ends():
    """Every event is told once, in order, and then the run has ended."""
    tail = Tail(stored(), make.RUN)

    told = [event.line + b"\n" for event in tail.everything()]

    assert told == LINES
    assert (tail.status, tail.damaged) == ("completed", 0)


def test_the_status_of_the_golden_run_is_done():
    """Completed is completed for good."""
    seen = status(stored(), make.RUN)

    assert (seen.verdict.state, seen.verdict.health) == ("completed", "done")
    assert seen.complaints == []
