"""What is fuzzed: each target draws an input and puts it through the product.

An input is bytes, so that it can be kept in a file. `run` returns if all is well, and raises
anything but the documented errors, or AssertionError, if it is not.
"""

import re
from contextlib import suppress
from dataclasses import fields
from itertools import chain
from random import Random
from typing import Any

import orjson

from journal import events, health, layout, log, segments, snapshot
from journal.cli.document import encoded
from journal.cli.explain_lines import explain_lines
from journal.cli.lines import Style, form_of
from journal.cli.replay import verified_as_json
from journal.cli.status import as_json
from journal.cli.status_lines import StatusLines
from journal.cli.terminal import PIPE, Terminal
from journal.cli.when import time_form
from journal.compactor import Compactor, read_run
from journal.errors import Corrupt, JournalError, Missing
from journal.fold import fold
from journal.limits import LINE_BYTES, MIB, TIME_MAX
from journal.redaction import STANDARD
from journal.segments import START
from journal.snapshot import Folded
from journal.state import StreamState
from journal.stores import ABSENT
from journal.stores.memory import MemoryStore
from readers.event import Event
from readers.faults import faults
from readers.postmortem import postmortem
from readers.status import status
from readers.tail import Tail
from readers.text import printable, printable_bytes, printable_json
from readers.then import status_at
from readers.verify import verify
from tests.hostile import mutation

RUN = "mistral-20250805-142652"
STORE_TIME = 1_754_422_500.0
DOCUMENT_BYTES = 4 * MIB  # more than any run's document
SEPARATOR = b"\n\x00\xfe\x00\n"  # between the objects of one input
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069]")


class Lines:
    """One line: decoded, shown, and encoded again."""

    def draw(self, chance: Random) -> bytes:
        return mutation.line(chance, chance.choice((0, 1, 2**53 - 1, 2**64 - 1))).rstrip(b"\n")

    def run(self, data: bytes) -> None:
        try:
            record = events.decode(data)
        except ValueError:
            return
        if b"\n" not in data:
            check_shown(Event("run-1", "main", record, data))
        if len(record["ts"]) + len(record["type"]) > MIB // 1024:
            return  # nobody encodes what has no place
        line = events.encode({name: record[name] for name in events.PLACE} | record)
        assert len(line) <= LINE_BYTES
        again = events.decode(line)
        assert again["seq"] == record["seq"]
        assert events.encode(again) == line


class Segments:
    """A stream of one to three segments: read, followed from its end, folded, compacted."""

    def draw(self, chance: Random) -> bytes:
        return SEPARATOR.join(mutation.segment(chance) for _ in range(chance.randint(1, 3)))

    def run(self, data: bytes) -> None:
        store = MemoryStore(lambda: STORE_TIME)
        for number, body in enumerate(data.split(SEPARATOR)):
            store.put(layout.segment_key(RUN, "main", number), body, expect=ABSENT)
            with suppress(Corrupt):
                segments.tail_of(body, "segment")
        with suppress(JournalError):
            for batch in log.StreamReader(store, RUN, "main").read():
                assert len(batch.damages) < 64
        complaints: list[str] = []
        for ask in (lambda tail: tail.everything(), lambda tail: tail.last(10)):
            with suppress(JournalError):
                for event in ask(Tail(store, RUN, complaints.append)):
                    check_shown(event)
        assert all(len(complaint) < 1000 for complaint in complaints)
        with suppress(JournalError):
            Compactor(store, RUN).compact()
            check_status(store)
            assert read_run(store, RUN).stored is not None


class Histories(Segments):
    """The same, read by those who tell what was: its story, its state then, whether it is sound."""

    def run(self, data: bytes) -> None:
        store = MemoryStore(lambda: STORE_TIME)
        for number, body in enumerate(data.split(SEPARATOR)):
            store.put(layout.segment_key(RUN, "main", number), body, expect=ABSENT)
        history: list[Event] = []
        with suppress(JournalError):
            history += Tail(store, RUN).everything()
        told = postmortem(RUN, history, STORE_TIME)
        for line in explain_lines(told, time_form(utc=True)):
            assert not ACTING.search(printable(line))
        encoded({one.name: getattr(told, one.name) for one in fields(told)})
        for at in (0.0, STORE_TIME, TIME_MAX):
            with suppress(Missing):
                encoded(as_json(status_at(RUN, history, at)))
        errors = [event for event in history if event.record["type"] == events.ERROR]
        assert sum(fault.count for fault in faults(errors)) == len(errors)
        with suppress(JournalError):
            encoded(verified_as_json(verify(store, RUN)))


class Snapshots:
    """A stored document: taken apart, judged, folded on from, rendered, written."""

    def draw(self, chance: Random) -> bytes:
        return mutation.document(chance)

    def run(self, data: bytes) -> None:
        stored = snapshot.decode(data)
        assert stored.complaint is None or len(stored.complaint) < 400
        health.verdict(stored.document, STORE_TIME)
        printable_bytes(data)
        run = dict(stored.streams or {"main": Folded(START, StreamState())})
        run = {
            name: Folded(folded.cursor, fold(folded.state, mutation.RECORDS))
            for name, folded in run.items()
        }
        body = snapshot.encode(snapshot.render(RUN, run, stored.document))
        again = snapshot.decode(body)
        assert again.complaint is None, again.complaint
        # What others wrote is carried over once, not changed and not lost.
        rendered = snapshot.encode(snapshot.render(RUN, again.streams or {}, again.document))
        assert rendered == body
        store = MemoryStore(lambda: STORE_TIME)
        store.put(layout.snapshot_key(RUN), data, expect=ABSENT)
        with suppress(JournalError):
            check_status(store)
        for number, segment in enumerate(mutation.SEGMENTS):
            store.put(layout.segment_key(RUN, "main", number), segment, expect=ABSENT)
        with suppress(JournalError):
            Compactor(store, RUN).compact()
            check_status(store)


class Fold:
    """Records of any hand, folded: the state stays small, and its document can be read again."""

    def draw(self, chance: Random) -> bytes:
        drawn = [mutation.record(chance, seq) for seq in range(chance.choice((3, 30, 300)))]
        return b"\n".join(map(mutation.written, drawn))

    def run(self, data: bytes) -> None:
        records = []
        for line in data.split(b"\n"):
            with suppress(ValueError):
                records.append(events.decode(line))
        state = fold(StreamState(), records)
        body = snapshot.encode(snapshot.render(RUN, {"main": Folded(START, state)}, {}))
        assert len(body) < DOCUMENT_BYTES
        again = snapshot.decode(body)
        assert again.complaint is None, again.complaint
        health.verdict(again.document, STORE_TIME)


class Redact:
    """A text of up to a megabyte: no secret passes the quick look, and time is in proportion."""

    def draw(self, chance: Random) -> bytes:
        most_chars = chance.choice(
            (50, 500, 5_000, 5_000, 50_000, MIB if chance.random() < 0.2 else 500)
        )
        return mutation.text(chance, most_chars).encode("utf-8", "surrogatepass")

    def run(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        hidden = STANDARD.text(text)
        assert hidden == text or not STANDARD.is_plain(text)
        assert text == text.lower() or hidden == text or not STANDARD.are_plain(text)


class Printable:
    """Any text for a terminal."""

    def draw(self, chance: Random) -> bytes:
        return mutation.damaged(
            chance, chance.choice([*mutation.TEXTS[1:], "a"]).encode("utf-8", "replace")
        )

    def run(self, data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        assert not ACTING.search(printable(text))
        assert not ACTING.search(printable_bytes(data).decode())
        shown = printable_json(orjson.dumps(data.decode("utf-8", "replace")))
        assert not ACTING.search(shown.decode())
        assert orjson.loads(shown) == data.decode("utf-8", "replace")


TARGETS: dict[str, Any] = {
    "lines": Lines(),
    "segments": Segments(),
    "snapshot": Snapshots(),
    "fold": Fold(),
    "redact": Redact(),
    "printable": Printable(),
    "histories": Histories(),
}


def check_shown(event: Event) -> None:
    """Check that an event's lines are lines, and do nothing to a terminal."""
    forms = (form_of(output, lambda _event: True, Style()) for output in ("human", "json"))
    for shown in (form([event]) for form in forms):
        assert not ACTING.search(shown.decode())
        assert shown.count(b"\n") == 1


def check_status(store: MemoryStore) -> None:
    found = status(store, RUN)
    shown = (StatusLines(on).of(found) for on in (PIPE, Terminal(60, has_colour=False)))
    for line in chain.from_iterable(shown):
        printable(line)
    orjson.dumps(as_json(found))
