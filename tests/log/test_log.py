"""Reading a stream: what is sound stays readable, and what is not is named with its place."""

import fakes
import pytest
from fakes import claimed, overwrite, say

from journal import events, layout, log
from journal.errors import Corrupt
from journal.log import StreamReader
from journal.segments import START, Cursor


class Tape:
    """A stream to be written, damaged and read: the little language of these tests."""

    def __init__(self):
        self.store = fakes.FaultyStore()
        self.writer = claimed(self.store)

    def write(self, *texts, seal=None):
        """Flush a record of each text; `seal` ends the segment with them."""
        say(self.writer, *texts)
        self.writer.flush(seal)

    def key(self, segment):
        return layout.segment_key(fakes.RUN, "main", segment)

    def body(self, segment):
        return self.store.get(self.key(segment)).body

    def put(self, segment, body):
        overwrite(self.store, self.key(segment), body)

    def flip(self, segment, word):
        """Flip a bit in the middle of the first occurrence of a word."""
        body = bytearray(self.body(segment))
        body[body.index(word) + len(word) // 2] ^= 1
        self.put(segment, bytes(body))

    def cut(self, segment, count):
        """Take the last bytes off a segment."""
        self.put(segment, self.body(segment)[:-count])

    def remove(self, segment):
        self.store.delete(self.key(segment))

    def reader(self, cursor=START):
        exists = log.listing(self.store, fakes.RUN).streams.get("main", 0)
        return StreamReader(self.store, fakes.RUN, "main", cursor, exists=exists)

    def read(self, cursor=START):
        """What a fresh reader reads: the texts, and the complaints without the folder's name."""
        return what_is_new(self.reader(cursor))


def what_is_new(reader):
    batches = list(reader.read())
    folder = layout.stream_prefix(fakes.RUN, "main")
    return (
        [record["text"] for batch in batches for record in batch.records if "text" in record],
        [str(damage).replace(folder, "") for batch in batches for damage in batch.damages],
    )


@pytest.fixture
def tape():
    return Tape()


@pytest.fixture
def three(tape):
    """Three segments of two records, the last one open."""
    tape.write("one", "two", seal="roll")
    tape.write("three", "four", seal="roll")
    tape.write("five", "six")
    return tape


# Reading


def test_a_stream_is_read_from_its_start(three):
    """All records of all segments, in their order, and nothing to complain of."""
    assert three.read() == (["one", "two", "three", "four", "five", "six"], [])


def test_what_was_read_is_not_read_again(three):
    """A second reading finds nothing new, by one request for each poll."""
    reader = three.reader()
    what_is_new(reader)
    three.store.requests.clear()

    assert what_is_new(reader) == ([], [])
    assert three.store.requests == [("get", three.key(2))]


def test_what_is_new_is_read(three):
    """A reading goes on where the last one ended, over a roll too."""
    reader = three.reader()
    what_is_new(reader)
    three.write("seven", seal="roll")
    three.write("eight")

    assert what_is_new(reader) == (["seven", "eight"], [])


def test_a_batch_says_where_it_ended(three):
    """The cursor of a batch is the place behind it: behind a seal the next segment's start."""
    cursors = [batch.cursor for batch in three.reader().read()]

    assert cursors == [Cursor(1, 0, 2), Cursor(2, 0, 4), Cursor(2, len(three.body(2)), 6)]


def test_reading_resumes_exactly_at_a_cursor(three):
    """From each batch's cursor on, another reader reads what is behind it and no more."""
    first, second, third = three.reader().read()

    assert three.read(first.cursor) == (["three", "four", "five", "six"], [])
    assert three.read(second.cursor) == (["five", "six"], [])
    assert three.read(third.cursor) == ([], [])


def test_lines_come_as_they_lie_there(three):
    """A batch has each line's exact bytes beside its record."""
    first = next(three.reader().read())

    assert b"\n".join(first.lines) + b"\n" == three.body(0)


def test_the_end_of_a_stream_is_known(tape):
    """A reader says with which seal a stream ended."""
    reader = tape.reader()
    tape.write("one", seal="finish")

    list(reader.read())

    assert reader.sealed == "finish"


def test_a_takeover_is_no_damage(three):
    """Another writer's segments are read like any."""
    three.writer = claimed(three.store, pid=2)
    three.write("seven")

    assert three.read() == (["one", "two", "three", "four", "five", "six", "seven"], [])


def test_a_stream_that_does_not_exist_yet_is_empty(tape):
    """Nothing there is nothing new, and no complaint."""
    reader = StreamReader(tape.store, fakes.RUN, "other")

    assert list(reader.read()) == []
    assert not reader.misplaced


# Torn and flipped


def test_a_torn_end_is_named_and_what_is_before_it_read(three):
    """No put leaves half a line; a file copied half does."""
    size = len(three.body(2))
    three.cut(2, 3)

    texts, complaints = three.read()

    start = size - len(fakes.note(5, "six"))
    assert texts == ["one", "two", "three", "four", "five"]
    assert complaints == [f"0000000002.jsonl: the line at byte {start} has no end"]


def test_a_torn_end_that_is_mended_is_read(three):
    """Once the rest is there it is read from the start of its line."""
    whole = three.body(2)
    three.cut(2, 3)
    reader = three.reader()
    what_is_new(reader)
    three.put(2, whole)

    assert what_is_new(reader) == (["six"], [])


def test_a_torn_segment_in_the_middle_is_gone_past(three):
    """Behind a segment without a seal, the next is read if it is known to be there."""
    three.cut(1, 3)

    texts, complaints = three.read()

    at = three.body(1).rindex(b"\n") + 1
    assert texts == ["one", "two", "three", "four", "five", "six"]
    assert complaints == [f"0000000001.jsonl: the line at byte {at} has no end"]


def test_a_segment_cut_to_nothing_is_gone_past(three):
    """An empty object in the chain is damage, not an end."""
    three.put(1, b"")

    texts, complaints = three.read()

    assert texts == ["one", "two", "five", "six"]
    assert complaints == ["0000000001.jsonl: it has no seal, though a segment follows it"]


def test_a_segment_that_lost_its_seal_is_named_and_gone_past(three):
    """An open segment is the last one; another behind it says that this one was damaged."""
    three.cut(1, len(three.body(1).splitlines(keepends=True)[-1]))

    assert three.read() == (
        ["one", "two", "three", "four", "five", "six"],
        ["0000000001.jsonl: it has no seal, though a segment follows it"],
    )


def test_a_line_that_is_no_json_is_named_and_passed_over(three):
    """A flipped brace costs its own line and no other."""
    at = three.body(1).index(fakes.note(2, "three"))
    three.put(1, three.body(1).replace(fakes.note(2, "three"), b"#" + fakes.note(2, "three")[1:]))

    texts, complaints = three.read()

    assert texts == ["one", "two", "four", "five", "six"]
    assert complaints[0].startswith(f"0000000001.jsonl: the line at byte {at} is damaged: ")


def test_a_flipped_byte_in_a_text_is_caught_by_the_seal(three):
    """The line still reads, so only the hash can tell."""
    three.flip(1, b"three")

    texts, complaints = three.read()

    assert texts[2:] == ["thsee", "four", "five", "six"]
    assert complaints == ["0000000001.jsonl: its content does not match the hash in its seal"]


def test_a_flipped_byte_is_caught_by_an_incremental_reader_too(tape):
    """The hash is carried from reading to reading."""
    tape.write("one")
    sound = tape.body(0)
    tape.flip(0, b"one")
    reader = tape.reader()
    what_is_new(reader)
    seal = fakes.seal(sound, reason="roll", epoch=1, seq=1, ts="x")
    tape.put(0, tape.body(0) + seal)

    assert what_is_new(reader)[1] == [
        "0000000000.jsonl: its content does not match the hash in its seal"
    ]


def test_a_flipped_byte_in_a_seal_is_caught_by_itself(three):
    """A seal that no longer matches is as bad as content that does not."""
    digest = events.decode(three.body(1).splitlines()[-1])["sha256"].encode()
    three.put(1, three.body(1).replace(digest, digest[::-1]))

    texts, complaints = three.read()

    assert texts == ["one", "two", "three", "four", "five", "six"]
    assert complaints == ["0000000001.jsonl: its content does not match the hash in its seal"]


def test_a_seal_that_is_no_json_leaves_its_segment_open(three):
    """The next segment is read all the same."""
    three.put(1, three.body(1).replace(b'"type":"segment_sealed"', b'"type":"segment_sealed'))

    texts, complaints = three.read()

    assert texts == ["one", "two", "three", "four", "five", "six"]
    assert len(complaints) == 1
    assert complaints[0].startswith("0000000001.jsonl: the line at byte ")


def test_a_flipped_byte_in_an_opening_is_caught_by_the_seal(three):
    """An opening is a line like the others."""
    three.flip(1, b"host-1")

    assert three.read()[1] == ["0000000001.jsonl: its content does not match the hash in its seal"]


def test_an_opening_that_is_no_json_is_named(three):
    """The records behind it are read."""
    three.put(1, b"#" + three.body(1)[1:])

    texts, complaints = three.read()

    assert texts == ["one", "two", "three", "four", "five", "six"]
    assert complaints[0].startswith("0000000001.jsonl: the line at byte 0 is damaged: ")


def test_a_segment_of_another_place_is_named(three):
    """A segment copied to another number says where it belongs."""
    three.put(2, three.body(1))

    _, complaints = three.read()

    assert "0000000002.jsonl: it says it is a segment of another place" in complaints


def test_a_segment_rewritten_with_a_right_seal_breaks_the_chain(three):
    """Who rewrites a segment and its hash is found out by the next one's link."""
    content = three.body(0)[: three.body(0).rindex(b'{"seq":2')].replace(b"two", b"owt")
    three.put(0, content + fakes.seal(content, reason="roll", epoch=1, seq=2, ts="x"))

    assert three.read()[1] == [
        "0000000001.jsonl: the segment before it is not the one it was chained to"
    ]


def test_lines_behind_a_seal_are_damage(three):
    """After a seal nothing is added; what is there all the same is named and not read."""
    size = len(three.body(2))
    three.write("seven", seal="finish")
    sealed = three.body(2)
    three.put(2, sealed + fakes.note(7, "eight"))

    texts, complaints = three.read()

    assert size < len(sealed)
    assert texts[-1] == "seven"
    assert complaints == [f"0000000002.jsonl: {len(fakes.note(7, 'eight'))} bytes behind its seal"]


def test_a_skipped_number_is_named(tape):
    """Numbers have no gaps: a record that is missing shows."""
    tape.write("one", "two", "three")
    tape.put(0, tape.body(0).replace(fakes.note(1, "two"), b""))

    texts, complaints = tape.read()

    at = tape.body(0).index(fakes.note(2, "three"))
    assert texts == ["one", "three"]
    assert complaints == [f"0000000000.jsonl: the line at byte {at} has seq 2 where 1 is next"]


def test_a_doubled_line_is_named(tape):
    """A record that is there twice shows, too."""
    tape.write("one")
    tape.put(0, tape.body(0) + fakes.note(0, "one"))

    complaints = tape.read()[1]

    assert len(complaints) == 1
    assert complaints[0].endswith("has seq 0 where 1 is next")


# Missing and foreign


def test_a_missing_segment_is_named_and_gone_past(three):
    """What is behind the hole is read."""
    three.remove(1)

    assert three.read() == (
        ["one", "two", "five", "six"],
        ["0000000001.jsonl: the segment is missing"],
    )


def test_a_missing_first_segment_is_named_and_gone_past(three):
    """A chain without its head is read from the second segment on."""
    three.remove(0)

    assert three.read() == (
        ["three", "four", "five", "six"],
        ["0000000000.jsonl: the segment is missing"],
    )


def test_a_foreign_file_in_place_of_a_segment_is_named(three):
    """Somebody's notes under a segment's name: a few complaints, not one for each line."""
    three.put(1, b"not a journal\n" * 1000)

    texts, complaints = three.read()

    assert texts == ["one", "two", "five", "six"]
    assert 1 <= len(complaints) <= log.DAMAGES_KEPT
    assert all(complaint.startswith("0000000001.jsonl: ") for complaint in complaints)


def test_a_foreign_file_of_records_is_named(three):
    """JSON lines that look like records, without an opening, are no segment."""
    three.put(1, fakes.note(2, "mine") + fakes.note(3, "mine"))

    complaints = three.read()[1]

    assert complaints == ["0000000001.jsonl: it does not begin with segment_opened"]


def test_a_foreign_object_in_the_folder_is_listed_as_such(three):
    """A listing tells segments from what else lies there."""
    foreign = layout.stream_prefix(fakes.RUN, "main") + "notes.txt"
    overwrite(three.store, foreign, b"mine")

    listing = log.listing(three.store, fakes.RUN)

    assert (listing.streams, listing.foreign) == ({"main": 2}, [foreign])


def test_streams_are_listed_by_their_names(three):
    """Every stream of a run, and nothing that is none."""
    claimed(three.store, name="worker-2")
    overwrite(three.store, f"{fakes.RUN}/journal/notes/x", b"mine")

    assert log.stream_names(three.store, fakes.RUN) == ["main", "worker-2"]


# Later formats


def test_a_later_format_is_corrupt_and_says_what_to_do(three):
    """What a newer program wrote is not guessed at; what lies before it was read."""
    three.put(1, three.body(1).replace(b'"v":1', b'"v":2'))
    batches = three.reader().read()

    first = next(batches)

    assert [record.get("text") for record in first.records[1:3]] == ["one", "two"]
    with pytest.raises(Corrupt, match=r"main/0000000001\.jsonl: journal format 2 .* newer"):
        next(batches)


# Cursors that lead nowhere


def test_a_cursor_past_the_end_is_misplaced(three):
    """A segment shorter than what was read of it was replaced: the reader says so and stays."""
    reader = three.reader(Cursor(2, 10_000, 6))

    texts, complaints = what_is_new(reader)

    size = len(three.body(2))
    assert (texts, reader.misplaced) == ([], True)
    assert complaints == [f"0000000002.jsonl: {size} bytes, fewer than the 10000 read before"]


def test_a_cursor_in_a_vanished_segment_is_misplaced(three):
    """A segment that was read from and is gone is missing, and the next ones are read."""
    cursor = Cursor(1, 300, 3)
    three.remove(1)
    reader = three.reader(cursor)

    texts, complaints = what_is_new(reader)

    assert texts == ["five", "six"]
    assert complaints == ["0000000001.jsonl: the segment is missing"]


def test_a_cursor_in_a_vanished_last_segment_is_misplaced(three):
    """The same where nothing is behind it: the reader says so and stays."""
    cursor = Cursor(2, 300, 5)
    three.remove(2)
    reader = three.reader(cursor)

    texts, complaints = what_is_new(reader)

    assert (texts, reader.misplaced, reader.cursor) == ([], True, cursor)
    assert complaints == ["0000000002.jsonl: the segment is missing"]


def test_a_cursor_in_the_middle_of_a_line_costs_that_line(three):
    """A cursor that nobody gave: the half line is named, the rest read."""
    texts, complaints = three.read(Cursor(2, three.body(2).index(b"five"), 4))

    assert texts == ["six"]
    assert len(complaints) == 1
