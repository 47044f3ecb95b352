"""Each kind of damage, done to a run that the product wrote in exactly one way, is named."""

import fakes
import orjson
import pytest
from verify.written import COMPLETE, ERROR, RUN, SNAPSHOT, Journal, findings, key

from journal.errors import Missing
from journal.stores.local import LocalStore
from journal.stores.memory import MemoryStore
from readers.chain import Spoilt
from readers.verify import verify


@pytest.fixture(params=["memory", "local"])
def journal(request, tmp_path):
    """A finished run in memory, and in a directory."""
    if request.param == "memory":
        return Journal(MemoryStore(lambda: fakes.STORE_TIME))
    return Journal(LocalStore(tmp_path))


def change(segment, old, new):
    """Replace the first occurrence of some bytes in a segment of main: by one bit, mostly."""
    return lambda journal: journal.change(key(segment), old, new)


def copy(source, target):
    return lambda journal: journal.put(target, journal.body(source))


def swap(journal):
    first, second = journal.body(key(1)), journal.body(key(2))
    journal.put(key(1), second)
    journal.put(key(2), first)


def append(segment, lines):
    return lambda journal: journal.put(key(segment), journal.body(key(segment)) + lines)


def cut(name, count):
    return lambda journal: journal.put(name, journal.body(name)[:-count])


def remove(name):
    return lambda journal: journal.store.delete(name)


def edit(**fields):
    """Change fields of the document, and nothing of the journal's own part."""

    def act(journal):
        document = orjson.loads(journal.body(SNAPSHOT))
        journal.put(SNAPSHOT, orjson.dumps({**document, **fields}))

    return act


def state(**fields):
    return lambda journal: journal.state(lambda part: part["state"].update(fields))


def cursor(**fields):
    return lambda journal: journal.state(lambda part: part["cursor"].update(fields))


def seal_hash(journal):
    said = orjson.loads(journal.lines(1)[-1])["sha256"].encode()
    journal.change(key(1), said, said[:-1] + bytes([said[-1] ^ 1]))


def stream_beside(journal):
    journal.store.delete(key(0, "beside"))
    journal.store.delete(key(1, "beside"))


IN_THE_JOURNAL = {
    "a bit of an opening": (change(1, b"host-1", b"host-3"), ["seal main/1"]),
    "a bit of an opening's chain": (
        change(1, b'"bytes":727', b'"bytes":737'),
        ["chain main/1", "seal main/1"],
    ),
    "a bit of a format's version": (change(1, b'"v":1', b'"v":3'), ["format main/1"]),
    "a bit of a segment's number": (
        change(1, b'"segment":1', b'"segment":3'),
        ["opening main/1", "seal main/1"],
    ),
    "a bit of a text": (change(1, b'"path":"b"', b'"path":"c"'), ["seal main/1"]),
    "a bit of a sequence number": (
        change(1, b'"seq":3', b'"seq":7'),
        ["seq main/1", "seq main/1", "seal main/1"],
    ),
    "a bit of a time": (change(1, b"05T19:35:03", b"05T19:35:02"), ["seal main/1"]),
    "a bit of the JSON": (change(1, b'"path":', b'"path";'), ["line main/1", "seal main/1"]),
    "a bit of a line's end": (
        change(1, b'0.5}\n{"seq"', b'0.5}\x0b{"seq"'),
        ["line main/1", "seal main/1"],
    ),
    "a bit of a seal's hash": (seal_hash, ["seal main/1"]),
    "a bit of a seal's reason": (change(1, b'"roll"', b'"rolm"'), ["seal main/1", "chain main/2"]),
    "a bit of a seal's epoch": (
        change(1, b'"roll","epoch":1', b'"roll","epoch":3'),
        ["epoch main/1", "chain main/2"],
    ),
    "a bit of a seal's type": (
        change(1, b"segment_sealed", b"segment_sealee"),
        ["unsealed main/1"],
    ),
    "a bit of a seal's time": (
        change(1, b'04.000000Z","type":"segm', b'05.000000Z","type":"segm'),
        ["chain main/2"],
    ),
    "a bit of the last seal's time": (
        change(3, b'08.000000Z","type":"segm', b'09.000000Z","type":"segm'),
        ["snapshot metadata.json"],
    ),
    "a bit of the last seal's type": (
        change(3, b"segment_sealed", b"segment_sealee"),
        ["snapshot metadata.json"],
    ),
    "a bit of the last seal's length": (
        lambda journal: journal.change(key(3), b'"bytes":4', b'"bytes":5'),
        ["seal main/3"],
    ),
    "a bit of the last seal's date": (
        change(3, b'05T19:35:08.000000Z","type":"segm', b'45T19:35:08.000000Z","type":"segm'),
        ["line main/3"],
    ),
    "a number that is none": (
        lambda journal: journal.reseal(1, b'"seq":3', b'"seq":3.0'),
        ["line main/1"],
    ),
    "a first segment that is chained": (
        lambda journal: journal.reseal(0, b'"prev":null', b'"prev":{"segment":0}'),
        ["chain main/0"],
    ),
    "a line dropped": (
        lambda journal: journal.reorder(1, 0, 1, 3, 4),
        ["seq main/1", "seal main/1"],
    ),
    "a line doubled": (
        lambda journal: journal.reorder(1, 0, 1, 2, 2, 3, 4),
        ["seq main/1", "seal main/1"],
    ),
    "two lines swapped": (
        lambda journal: journal.reorder(1, 0, 1, 3, 2, 4),
        ["seq main/1", "seq main/1", "seq main/1", "seal main/1"],
    ),
    "an opening dropped": (
        lambda journal: journal.reorder(1, 1, 2, 3, 4),
        ["opening main/1", "seal main/1"],
    ),
    "an opening doubled": (
        lambda journal: journal.reorder(1, 0, 0, 1, 2, 3, 4),
        ["opening main/1", "seal main/1"],
    ),
    "a seal dropped": (lambda journal: journal.reorder(1, 0, 1, 2, 3), ["unsealed main/1"]),
    "the first segment deleted": (remove(key(0)), ["missing main/0"]),
    "a segment in the middle deleted": (remove(key(1)), ["missing main/1"]),
    "the last segment deleted": (remove(key(3)), ["snapshot metadata.json", "marker _complete"]),
    "a stream deleted": (stream_beside, ["snapshot metadata.json"]),
    "two segments swapped": (
        swap,
        [
            "opening main/1",
            "chain main/1",
            "seq main/1",
            "opening main/2",
            "seq main/2",
            "seq main/3",
        ],
    ),
    "a segment copied behind the last": (
        copy(key(3), key(4)),
        ["opening main/4", "chain main/4", "seq main/4"],
    ),
    "a segment copied far away": (
        copy(key(3), key(9_999_999_999)),
        ["missing main/4", "opening main/9999999999"],
    ),
    "a segment copied to another stream": (copy(key(0), key(0, "other")), ["opening other/0"]),
    "a segment cut within a line": (cut(key(1), 30), ["torn main/1"]),
    "the last segment cut within a line": (cut(key(3), 30), ["torn main/3"]),
    "a segment emptied": (lambda journal: journal.put(key(1), b""), ["unsealed main/1"]),
    "a segment of other content": (
        lambda journal: journal.put(key(1), b"hello\n" * 100),
        [
            "line main/1",
            "line main/1",
            "line main/1",
            "line main/1",
            "line main/1",
            "line main/1",
            "line main/1",
            "line main/1",
        ],
    ),
    "a line behind a seal": (append(1, fakes.note(5, "late")), ["behind main/1"]),
    "a line behind the last seal": (append(3, fakes.note(9, "late")), ["behind main/3"]),
    "an epoch that goes down": (
        lambda journal: journal.reseal(1, b'"epoch":1', b'"epoch":0'),
        ["epoch main/1", "epoch main/1"],
    ),
    "an epoch of two writers": (
        lambda journal: journal.reseal(1, b'"writer":"', b'"writer":"x'),
        ["epoch main/1", "chain main/2", "epoch main/2"],
    ),
    "a time that is none": (
        lambda journal: journal.reseal(1, b"05T19:35:03", b"05 19:35:03"),
        ["line main/1"],
    ),
}


BESIDE_THE_JOURNAL = {
    "a counter of the document": (
        lambda journal: journal.change(
            SNAPSHOT, b'"files_downloaded": 6', b'"files_downloaded": 7'
        ),
        ["snapshot metadata.json"],
    ),
    "a field of the document": (edit(status="running"), ["snapshot metadata.json"]),
    "a field of the document taken away": (
        lambda journal: journal.change(SNAPSHOT, b'"status"', b'"statue"'),
        ["snapshot metadata.json"],
    ),
    "a counter of the state, by a hand that knows no hash": (
        lambda journal: journal.change(SNAPSHOT, b'"file_bytes": 6000', b'"file_bytes": 6001'),
        ["snapshot metadata.json"],
    ),
    "a counter of the state, by one that does": (state(skipped=1), ["snapshot metadata.json"]),
    "a nested counter of the state": (
        lambda journal: journal.state(lambda part: part["state"]["sources"][0].update(files=5)),
        ["snapshot metadata.json"],
    ),
    "a cursor ahead": (cursor(segment=7), ["snapshot metadata.json"]),
    "a cursor far ahead": (cursor(segment=999_999_999), ["snapshot metadata.json"]),
    "a cursor within a line": (cursor(segment=2, bytes=400), ["snapshot metadata.json"]),
    "a cursor behind another line": (
        cursor(segment=2, bytes=508, seq=6),
        [
            "snapshot metadata.json",
            "snapshot metadata.json",
            "snapshot metadata.json",
            "snapshot metadata.json",
            "snapshot metadata.json",
            "snapshot metadata.json",
            "snapshot metadata.json",
            "snapshot metadata.json",
        ],
    ),
    "a cursor of another seq": (cursor(seq=7), ["snapshot metadata.json"]),
    "the snapshot of another run": (
        edit(run_id="mistral-20250806-090000"),
        ["snapshot metadata.json"],
    ),
    "a snapshot cut": (cut(SNAPSHOT, 100), ["snapshot metadata.json"]),
    "a snapshot of a later format": (
        lambda journal: journal.change(SNAPSHOT, b'"v": 1', b'"v": 2'),
        ["snapshot metadata.json"],
    ),
    "a marker of failure beside that of success": (copy(COMPLETE, ERROR), ["marker _error"]),
    "a marker of an attempt that was not": (
        lambda journal: journal.change(COMPLETE, b"attempt: 1", b"attempt: 2"),
        ["marker _complete"],
    ),
    "a marker of another end": (
        lambda journal: journal.change(COMPLETE, b"completed", b"all well"),
        ["marker _complete"],
    ),
}
DAMAGES = IN_THE_JOURNAL | BESIDE_THE_JOURNAL


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_named(name, journal):
    """The findings are these, each of its kind and at its object, and no others."""
    damage, expected = DAMAGES[name]
    assert journal.verify().is_sound

    damage(journal)

    assert findings(journal) == expected


def test_a_finding_says_where_and_what(journal):
    """Of a line that was dropped: the byte where it was, the seq that is there, and that is due."""
    damage, _ = DAMAGES["a line dropped"]
    at = journal.body(key(1)).index(b'{"seq":3')
    damage(journal)

    first = journal.verify().damages[0]

    assert (first.key, first.at, first.seq) == (key(1), at, 4)
    assert (first.expected, first.found) == (3, 4)


def test_a_hash_that_does_not_match_is_told_with_the_other(journal):
    """Length and hash of what is before the seal, as the seal has them and as they are."""
    body = journal.body(key(1))
    DAMAGES["a bit of a text"][0](journal)

    (only,) = journal.verify().damages

    seal = orjson.loads(body.splitlines()[-1])
    assert only.expected == [seal["bytes"], seal["sha256"]]
    assert only.found[0] == seal["bytes"]
    assert only.found[1] != seal["sha256"]


WORDS = {
    "a cursor ahead": "where the journal ends at segment 4, byte 0",
    "a cursor within a line": "is not behind a line",
    "the snapshot of another run": "it is the snapshot of run mistral-20250806-090000",
    "the last segment deleted": "where the journal ends at segment 3, byte 0",
    "a stream deleted": "of which there is no segment",
    "a nested counter of the state": "sources[0].files of its state of stream main",
    "a field of the document": "its field status is not what the journal gives",
    "a segment copied far away": "the segment is missing, and 9999999994 behind it",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_finding_says_it_in_words(name, journal):
    """What is wrong can be read without the code at hand."""
    DAMAGES[name][0](journal)

    assert WORDS[name] in journal.verify().damages[0].what


SPOILT = {
    "a bit of a format's version": (Spoilt(1, 1, missing=False, at=0), 2, 2),
    "a bit of the JSON": (Spoilt(1, 1, missing=False, at=390), 2, 2),
    "a bit of a text": (Spoilt(1, 1, missing=False, at=None), 2, 2),
    "a bit of a seal's time": (Spoilt(1, 1, missing=False, at=None), 2, 2),
    "a segment in the middle deleted": (Spoilt(1, 1, missing=True, at=None), 2, 2),
    "the first segment deleted": (Spoilt(0, 0, missing=True, at=None), 0, 3),
    "the last segment cut within a line": (Spoilt(3, 3, missing=False, at=489), 8, 0),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_still_sound_is_counted(name, journal):
    """The segment that is spoilt, the records before it, and the segments behind it."""
    DAMAGES[name][0](journal)

    main = journal.verify().streams[1]

    assert ((main.spoilt[0]), main.sound_records, main.sound_behind) == SPOILT[name]
    assert len(main.spoilt) == 1


def test_a_stray_object_with_a_high_number_costs_few_requests():
    """What is missing below it is looked for, not asked for one by one."""
    store = fakes.FaultyStore()
    journal = Journal(store)
    DAMAGES["a segment copied far away"][0](journal)
    store.requests.clear()

    journal.verify()

    assert len(store.requests) < 20


def test_a_later_format_is_named_and_read_around(journal):
    """What a newer program wrote is not guessed at; the finding says what to do."""
    DAMAGES["a bit of a format's version"][0](journal)

    assert "newer progress-journal" in journal.verify().damages[0].what


def test_a_run_without_a_journal_is_missing():
    """A document of another program, and nothing else, is no run of the journal's."""
    store = MemoryStore()
    fakes.overwrite(store, SNAPSHOT, b'{"status":"running"}')

    with pytest.raises(Missing, match="has no journal"):
        verify(store, RUN)


HOSTILE = {
    "a state of texts": lambda part: part["state"].update(sources="x"),
    "a cursor of texts": lambda part: part.update(cursor={"segment": "x"}),
    "a source of other kinds": lambda part: part["state"]["sources"][0].update(files=[]),
    "a finish of other kinds": lambda part: part["state"]["finish"].update(at="x"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_hostile_snapshot_is_a_finding(name, is_damaged, journal):
    """Whatever a foreign hand puts under a right hash, nothing is raised, of a damaged run too."""
    journal.state(HOSTILE[name])
    if is_damaged:
        DAMAGES["a line dropped"][0](journal)

    assert "snapshot metadata.json" in findings(journal)
