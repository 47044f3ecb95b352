"""No false alarm: a run of any shape that the product gives it is sound, at any moment."""

from contextlib import suppress
from pathlib import Path

import fakes
import pytest
from fakes import Fault, FaultyStore, claimed
from golden import make
from verify.written import (
    COMPLETE,
    ERROR,
    RUN,
    SNAPSHOT,
    compact,
    file,
    finish,
    key,
    say,
    start,
    write,
)

from journal import markers
from journal.claim import Claim
from journal.compactor import Compactor
from journal.errors import Unavailable
from journal.limits import SOURCES_KEPT
from journal.prune import prune
from journal.stores import ABSENT
from journal.stores.memory import MemoryStore
from readers.verify import verify

DAY = 86400.0


def begun(store, pid=1, attempt=1):
    """The writer of a run that has begun, resumed from the second attempt on."""
    writer = claimed(store, pid=pid, resume=attempt > 1)
    start(writer, attempt)
    writer.flush()
    return writer


def nothing_said(store):
    claimed(store, resume=False)


def being_written(store):
    writer = begun(store)
    file(writer, "a")
    writer.flush()


def lagging(store):
    writer = begun(store)
    compact(store)
    for path in "abc":
        file(writer, path)
        writer.flush("roll" if path == "b" else None)


def closed_and_resumed(store):
    begun(store).flush("close")
    compact(store)
    finish(begun(store, pid=2, attempt=2))
    compact(store)


def taken_over(store):
    begun(store)
    begun(store, pid=2, attempt=2)
    compact(store)
    begun(store, pid=3, attempt=3)


def taken_over_from_a_claimant(store):
    """Whoever sealed the tail died before it opened a slot of its own."""
    begun(store)
    faulty = FaultyStore(store)
    faulty.faults += [Fault.NONE, Fault.NEVER]
    with pytest.raises(Unavailable):
        Claim(fakes.stream(faulty, pid=2), resume=True).attempt()
    compact(store)


def and_taken_over_then(store):
    taken_over_from_a_claimant(store)
    begun(store, pid=3, attempt=2)
    compact(store)


def handed_over(store):
    begun(store).flush("close")
    compact(store)


def handed_over_to_another_program(store):
    handed_over(store)
    store.put(COMPLETE, b"trained\n", expect=ABSENT)


def failed(store):
    finish(begun(store), "failed")
    compact(store)


def preempted(store):
    finish(begun(store), "preempted")
    compact(store)


def marked_by_another_program(store):
    store.put(ERROR, b"out of memory\nkilled\n", expect=ABSENT)
    failed_without_marker = begun(store)
    finish(failed_without_marker, "failed")


def completed_and_resumed(store):
    write(store)
    markers.remove(store, RUN)
    begun(store, pid=2, attempt=2)


def completed_and_claimed_again(store):
    """The claimant died before it said a word; the marker names the writer before it."""
    write(store)
    claimed(store, pid=2)


def abandoned_beside(store):
    write(store)
    beside = claimed(store, pid=3, resume=False, name="abandoned")
    for text in ("one", "two"):
        say(beside, "note", text=text)
        beside.flush("roll" if text == "one" else None)
    compact(store)


def without_main(store):
    say(beside := claimed(store, resume=False, name="beside"), "note", text="one")
    beside.flush()
    Compactor(store, RUN).compact()


def with_clocks_apart(store):
    """A clock that is set back, and one of another year."""
    writer = begun(store)
    for at in (2_000_000_000.0, 0.0, 1_754_422_500.0):
        place = {"seq": writer.next_seq, "ts": fakes.stamp(at), "type": "note"}
        writer.append(fakes.events.encode(place), 1)
        writer.flush("roll")
    compact(store)


def of_many_sources(store):
    """More than a state names: the oldest are summed up."""
    writer = begun(store)
    for number in range(SOURCES_KEPT + 50):
        say(writer, "source_started", source=f"source-{number}", sub_phase="downloading")
        say(writer, "source_done", source=f"source-{number}", files=1, bytes=1, seconds=1.0)
        if number == SOURCES_KEPT + 10:
            writer.flush()
            compact(store)
    writer.flush("roll")


def overwritten_by_another_program(store):
    write(store)
    fakes.overwrite(store, SNAPSHOT, b'{"status":"running","last_update":"2025-08-05T19:35:00Z"}')


def with_fields_of_others(store):
    store.put(SNAPSHOT, b'{"base_model":"x","progress":{"step":1},"details":"!"}', expect=ABSENT)
    write(store)


def with_a_foreign_object(store):
    write(store)
    store.put(f"{RUN}/journal/stream=main/notes.txt", b"mine", expect=ABSENT)


SHAPES = (
    *(nothing_said, being_written, lagging, write, closed_and_resumed, taken_over),
    *(taken_over_from_a_claimant, and_taken_over_then, handed_over),
    *(handed_over_to_another_program, failed, preempted, marked_by_another_program),
    *(completed_and_resumed, completed_and_claimed_again, abandoned_beside, without_main),
    *(with_clocks_apart, of_many_sources, overwritten_by_another_program, with_fields_of_others),
    with_a_foreign_object,
)


@pytest.fixture
def store():
    return MemoryStore(lambda: fakes.STORE_TIME)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_run_of_any_shape_is_sound(shape, store):
    """Nothing is found where the product wrote it all."""
    shape(store)

    assert verify(store, RUN).damages == []


def test_the_golden_run_is_sound():
    """A run of the released format, document and marker too."""
    store = MemoryStore(lambda: fakes.STORE_TIME)
    folder = Path(make.__file__).parent / "v1"
    for path in (path for path in folder.rglob("*") if path.is_file()):
        store.put(path.relative_to(folder).as_posix(), path.read_bytes(), expect=ABSENT)

    assert verify(store, make.RUN).damages == []


NOTES = {
    nothing_said: ["metadata.json: there is none yet"],
    overwritten_by_another_program: ["metadata.json: another program has written it, not compared"],
    with_a_foreign_object: ["journal/stream=main/notes.txt: not the journal's, ignored"],
    marked_by_another_program: ["metadata.json: there is none yet"],
}


@pytest.mark.parametrize("shape", NOTES, ids=lambda shape: shape.__name__)
def test_what_is_worth_knowing_is_a_note(shape, store):
    """What is no damage is told all the same."""
    shape(store)

    notes = verify(store, RUN).notes

    assert [note.removeprefix(f"{RUN}/") for note in notes] == NOTES[shape]


def test_a_marker_that_is_missing_is_a_note(store):
    """A process may die between its last flush and its marker; a compaction puts it."""
    finish(begun(store))

    assert any(note.startswith(f"{COMPLETE}: it is missing") for note in verify(store, RUN).notes)


class Watched(MemoryStore):
    """A store in which something happens just before one of the requests of a reader."""

    def __init__(self):
        super().__init__(lambda: fakes.STORE_TIME)
        self.requests = 0
        self.at = None
        self.meanwhile = None

    def count(self):
        self.requests += 1
        if self.requests == self.at:
            self.at = None
            self.meanwhile(self)

    def get(self, name, **options):
        self.count()
        return super().get(name, **options)

    def list(self, prefix, **options):
        self.count()
        return super().list(prefix, **options)


def goes_on(store):
    """All that can happen to a run: it is taken over, rolls, is joined, ends, is compacted."""
    finish(begun(store, pid=2, attempt=2))
    say(beside := claimed(store, resume=False, name="late"), "note", text="one")
    beside.flush("close")
    compact(store)


def goes_on_after_its_end(store):
    markers.remove(store, RUN)
    finish(begun(store, pid=3, attempt=2), "failed")
    compact(store)


@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("before", [being_written, lagging, write, nothing_said])
def test_a_run_that_goes_on_meanwhile_is_sound(before, at):
    """Whatever is written between two requests is no damage."""
    store = Watched()
    before(store)
    store.requests, store.at = 0, at
    store.meanwhile = goes_on_after_its_end if before is write else goes_on

    assert verify(store, RUN).damages == []


def test_every_old_snapshot_is_sound(store):
    """A snapshot may lag: each that was ever installed agrees with the journal of today."""
    documents = []
    main, beside = begun(store), claimed(store, pid=2, resume=False, name="beside")
    for path in "abcdef":
        file(main, path)
        main.flush("roll" if path in "be" else None)
        say(beside, "note", text=path)
        beside.flush("roll" if path == "c" else None)
        compact(store)
        documents.append(store.get(SNAPSHOT).body)

    verdicts = []
    for document in documents:
        fakes.overwrite(store, SNAPSHOT, document)
        verdicts.append(verify(store, RUN))

    assert [found.damages for found in verdicts] == [[]] * 6
    assert [found.behind for found in verdicts] == [10, 8, 6, 4, 2, 0]


class Aging(Watched):
    """A store whose clock is set, and which can stop answering after some writes."""

    def __init__(self):
        MemoryStore.__init__(self, lambda: self.time)
        self.requests, self.at, self.meanwhile = 0, None, None
        self.time = fakes.STORE_TIME
        self.writes_left = None

    def put(self, *arguments, **options):
        self._write()
        return super().put(*arguments, **options)

    def delete(self, name):
        self._write()
        super().delete(name)

    def _write(self):
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left < 0:
                raise Unavailable("no answer")


@pytest.mark.parametrize("writes", range(20))
def test_a_run_that_is_half_pruned_is_sound(writes):
    """Wherever a prune is interrupted."""
    store = Aging()
    abandoned_beside(store)
    store.time += 30 * DAY
    store.writes_left = writes
    with suppress(Unavailable):
        prune(store, RUN, 7 * DAY)

    assert verify(store, RUN).damages == []


def test_a_pruned_run_says_so():
    """It is sound, and its streams are pruned."""
    store = Aging()
    write(store)
    store.time += 30 * DAY
    prune(store, RUN, 7 * DAY)

    found = verify(store, RUN)

    assert (found.is_sound, found.is_pruned) == (True, True)
    assert [report.pruned for report in found.streams] == [True, True]


@pytest.mark.parametrize("at", range(1, 17))
def test_a_run_that_is_pruned_meanwhile_is_sound(at):
    """What a prune removes between two requests is not missing."""
    store = Aging()
    abandoned_beside(store)
    store.time += 30 * DAY
    store.requests, store.at = 0, at
    store.meanwhile = lambda store: prune(store, RUN, 7 * DAY)

    assert verify(store, RUN).damages == []


def test_a_document_of_a_pruned_run_is_still_checked():
    """Its words have to be those of its own state."""
    store = Aging()
    write(store)
    store.time += 30 * DAY
    prune(store, RUN, 7 * DAY)
    body = store.get(SNAPSHOT).body
    fakes.overwrite(store, SNAPSHOT, body.replace(b'"files_done": 6', b'"files_done": 7'))

    assert [damage.kind for damage in verify(store, RUN).damages] == ["snapshot"]


def test_a_tombstone_is_all_that_is_read(store):
    """Behind it nothing is asked for."""
    write(store)
    body = store.get(key(0)).body
    opening = body[: body.index(b"\n") + 1]
    tombstone = opening + fakes.seal(opening, reason="pruned", epoch=1, seq=0, ts=fakes.stamp(0.0))
    fakes.overwrite(store, key(0), tombstone)

    assert [report.segments for report in verify(store, RUN).streams] == [2, 1]
