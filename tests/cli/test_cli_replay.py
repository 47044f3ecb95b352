"""`journal replay`: the whole history in the order of its times, and whether it is as written."""

import json
import re
from itertools import islice
from pathlib import Path

import fakes
import pytest
from recorder import stored

from journal.claim import Claim
from journal.clock import stamp
from journal.stores import connect
from journal.stores.memory import MemoryStore
from readers.tail import Tail

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def segment(root, number):
    return Path(root, "run-1", "journal", "stream=main", f"{number:010d}.jsonl")


def flip(path, what, by):
    path.write_bytes(path.read_bytes().replace(what, by, 1))


def tell(store, name, *seconds, flushes=False):
    """Let a stream say a note at each of these seconds."""
    writer = Claim(fakes.stream(store, name=name), resume=False).attempt()
    for at in seconds:
        place = {"seq": writer.next_seq, "ts": stamp(fakes.STORE_TIME + at), "type": "note"}
        writer.append(fakes.events.encode({**place, "at": at}), 1)
        if flushes:
            writer.flush("roll")
    writer.flush()


@pytest.mark.parametrize("form", ["human", "json", "raw"])
def test_a_replay_is_a_tail_of_everything(form, many_segments, cli):
    """The same lines in the same forms."""
    replay = cli("replay", many_segments, "-o", form)

    assert replay.code == 0
    assert replay.out == cli("tail", many_segments, "-n", "all", "-o", form).out
    assert len(replay.lines) == 6


def test_raw_is_what_is_stored(many_segments, local_root, cli):
    """Each line has the bytes that lie in the segment."""
    lines = [line.encode() for line in cli("replay", many_segments, "-o", "raw").lines]

    whole = b"".join(path.read_bytes() for path in sorted(segment(local_root, 0).parent.iterdir()))
    assert [line for line in whole.splitlines() if b'"segment_' not in line] == lines


def test_types_are_chosen_as_in_a_tail(many_segments, cli):
    """-t names what is shown, control lines too."""
    answer = cli("replay", many_segments, "-t", "segment_opened,finished", "--json")

    types = [json.loads(line)["type"] for line in answer.lines]
    assert types == ["segment_opened"] * 6 + ["finished"]


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ((0, 2, 4), (1, 3, 5), [0, 1, 2, 3, 4, 5]),
        ((0, 1, 2), (0, 1, 2), [0, 0, 1, 1, 2, 2]),
        ((5, 1, 2), (3, 4, 6), [3, 4, 5, 1, 2, 6]),
        ((9, 8, 7), (1, 2, 3), [1, 2, 3, 9, 8, 7]),
    ],
)
def test_streams_are_merged_by_time_and_keep_their_own_order(one, other, merged, local_root, cli):
    """A clock that runs backwards moves no record before one that was said earlier."""
    store = connect(local_root)
    tell(store, "main", *one)
    tell(store, "other", *other)

    lines = [json.loads(line) for line in cli("replay", fakes.RUN, "--json").lines]

    assert [line["at"] for line in lines] == merged
    assert [line["at"] for line in lines if line["stream"] == "main"] == list(one)


def test_a_replay_holds_one_segment_of_each_stream():
    """Further segments are asked for only when those before them were shown."""
    store = fakes.FaultyStore(MemoryStore())
    tell(store, "main", *range(10), flushes=True)
    tell(store, "other", *range(10), flushes=True)
    store.requests.clear()
    events = Tail(store, fakes.RUN).everything()

    list(islice(events, 4))

    gets = [key for verb, key in store.requests if verb == "get" and key.endswith(".jsonl")]
    assert len(gets) <= 4


def test_damage_is_said_and_what_is_sound_is_shown(many_segments, local_root, cli):
    """As in a tail: a line on stderr, the other events, exit code 13."""
    segment(local_root, 2).unlink()

    answer = cli("replay", many_segments)

    assert (answer.code, len(answer.lines), len(answer.err.splitlines())) == (13, 5, 1)


@pytest.mark.parametrize("options", [[], ["--verify"]])
def test_a_run_that_does_not_exist_is_ten(options, finished, cli):
    """Neither by its name nor by the beginning of one."""
    answer = cli("replay", "nobody", *options)

    assert (answer.code, answer.out, len(answer.err.splitlines())) == (10, "", 1)


@pytest.mark.parametrize("name", ["run-1", "run", "latest"])
def test_a_sound_run_is_said_to_be_sound(name, many_segments, cli):
    """What there is of each stream, and how far the snapshot is; no events."""
    answer = cli("replay", "--verify", name)

    assert (answer.code, answer.err) == (0, "")
    assert answer.lines == [
        "run-1: sound",
        "stream main: segments 0 to 5 sound, 6 records",
        "snapshot: as the journal says, 0 records behind",
    ]


def test_a_sound_run_for_machines(many_segments, cli):
    """A versioned object."""
    answer = cli("replay", "--verify", many_segments, "--json")

    found = json.loads(answer.out)
    assert (found["v"], found["run_id"], found["sound"], found["pruned"]) == (
        1,
        "run-1",
        True,
        False,
    )
    assert (found["damages"], found["notes"], found["snapshot_behind"]) == ([], [], 0)
    assert found["markers"] == ["_complete"]
    assert found["streams"][0].items() >= {"stream": "main", "segments": 6, "records": 6}.items()


def test_damage_is_told_with_its_place_and_what_is_sound(many_segments, local_root, cli):
    """Verdict first, then each stream, then each finding."""
    flip(segment(local_root, 2), b'"number":1', b'"number";1')
    at = segment(local_root, 2).read_bytes().index(b'{"seq":2,"ts"', 10)

    answer = cli("replay", "--verify", many_segments)

    key = "run-1/journal/stream=main/0000000002.jsonl"
    assert (answer.code, answer.err) == (13, "")
    sound, behind = "segments 0 to 1 sound, 2 records", "3 behind that sound in themselves"
    assert answer.lines[:2] == [
        "run-1: damaged, 2 findings",
        f"stream main: {sound}; segment 2 damaged from byte {at} on; {behind}",
    ]
    damages = [line for line in answer.lines if line.startswith("damage: ")]
    assert damages[0].startswith(f"damage: {key}: the line at byte {at} is damaged: ")
    assert damages[1].startswith(f"damage: {key}: its content does not match the hash")


def test_damage_for_machines_has_its_facts(many_segments, local_root, cli):
    """Object, kind, byte, seq, what is due and what is there, each in a field of its own."""
    flip(segment(local_root, 2), b'"seq":2,"ts"', b'"seq":6,"ts"')

    answer = cli("replay", "--verify", many_segments, "--json")

    first = json.loads(answer.out)["damages"][0]
    assert answer.code == 13
    assert first["key"] == "run-1/journal/stream=main/0000000002.jsonl"
    assert (first["kind"], first["at"], first["seq"]) == ("seq", 0, 6)
    assert (first["expected"], first["found"]) == (2, 6)


def test_many_findings_are_cut_for_people(local_root, cli):
    """A few are shown, the rest is counted; -o json has them all."""
    tell(connect(local_root), "main", *range(40), flushes=True)
    for path in Path(local_root, fakes.RUN, "journal", "stream=main").iterdir():
        flip(path, b'"at":', b'"ta":')

    answer = cli("replay", "--verify", fakes.RUN)

    shown = [line for line in answer.lines if line.startswith("damage: ")]
    assert (answer.code, len(shown)) == (13, 21)
    assert shown[-1] == "damage: 20 more, with -o json"
    assert len(json.loads(cli("replay", "--verify", fakes.RUN, "--json").out)["damages"]) == 40


@pytest.mark.parametrize("form", ["human", "json"])
def test_nothing_in_a_damaged_run_acts_on_a_terminal(form, finished, local_root, cli):
    """What a finding quotes is shown as its escapes."""
    evil = "\x1b[2J\u202e\x9b31m"
    document = stored.document(local_root)
    Path(local_root, "run-1", "metadata.json").write_text(json.dumps({**document, "status": evil}))
    Path(local_root, "run-1", "_error").write_text(f"{evil}\nattempt: {evil}\n")
    Path(local_root, "run-1", "journal", "stream=main", "x\u202e\x9b.txt").touch()

    answer = cli("replay", "--verify", finished, "-o", form)

    assert answer.code == 13
    assert "31m" in answer.out
    assert not CONTROL.search(answer.out)


@pytest.mark.parametrize("options", [["-t", "error"], ["-o", "raw"]])
def test_a_check_shows_no_events(options, finished, cli):
    """What is about events is a mistake beside --verify."""
    answer = cli("replay", "--verify", finished, *options)

    assert (answer.code, answer.out) == (2, "")


def test_a_run_in_s3_is_checked_in_the_same_way(moto_url, start, cli):
    """By the requests that every reader has."""
    start(moto_url).finish()

    answer = cli("replay", "--verify", "run-1", "--root", moto_url)

    assert (answer.code, answer.lines[0]) == (0, "run-1: sound")
