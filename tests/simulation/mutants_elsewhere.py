"""The other rules, each switched off: of the claim, the compactor, the recorder, the reader."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from journal import compactor, layout, snapshot
from journal.claim import Claim
from journal.compactor import Compaction, Compactor
from journal.errors import Conflict, JournalError, Unavailable
from journal.events import renumber
from journal.log import Batch, StreamReader
from journal.recorder.opening import Opening
from journal.recorder.outbox import Outbox
from journal.segments import Cursor, Link
from journal.snapshot import Folded
from journal.stores.contract import ABSENT, Found, Version
from journal.stream import StreamWriter
from tests.simulation.mutant import Replaced, mutant

# Claims.


@mutant(Claim, "_seal")
def takeover_without_seal(_: Replaced) -> Replaced:
    """The next slot is opened though the tail was not sealed."""

    def seal(self: Claim, segment: int, body: bytes, version: Version) -> bool:
        return True

    return seal


@mutant(Claim, "_seal")
def takeover_of_moved_tail(_: Replaced) -> Replaced:
    """Losing the seal does not matter: the next slot is opened."""

    def seal(self: Claim, segment: int, body: bytes, version: Version) -> bool:
        with suppress(Conflict):
            self._stream.store.put(self._stream.key(segment), body, expect=version)
        return True

    return seal


@mutant(Claim, "_create")
def opening_overwrites(create: Replaced) -> Replaced:
    """A claim's slot is put without expect=ABSENT."""

    def bold(self: Claim, opening: Any, body: bytes, seq: int) -> StreamWriter | None:
        store, key = self._stream.store, self._stream.key(opening.segment)
        found = store.get(key)
        if isinstance(found, Found):
            put = store.put(key, body, expect=found.version)
            return StreamWriter(self._stream, opening, body, put.version, seq)
        writer: StreamWriter | None = create(self, opening, body, seq)
        return writer

    return bold


@mutant(Claim, "_open")
def epoch_is_not_raised(open_: Replaced) -> Replaced:
    """A successor keeps its predecessor's epoch."""

    def open_again(
        self: Claim, *, segment: int, epoch: int, seq: int, prev: Link | None
    ) -> StreamWriter | None:
        epoch = epoch if prev is None else epoch - 1
        writer: StreamWriter | None = open_(self, segment=segment, epoch=epoch, seq=seq, prev=prev)
        return writer

    return open_again


@mutant(Claim, "attempt")
def claim_forgets_its_opening(attempt: Replaced) -> Replaced:
    """A claim's next attempt starts anew instead of settling its own opening."""

    def forgetful(self: Claim) -> StreamWriter:
        self._sent = None
        writer: StreamWriter = attempt(self)
        return writer

    return forgetful


@mutant(Claim, "_settle")
def claim_does_not_read_back(_: Replaced) -> Replaced:
    """412 on a claim's opening = another was faster."""

    def settle(self: Claim) -> StreamWriter | None:
        self._sent = None
        return None

    return settle


@mutant(Opening, "attempt")
def opening_claims_anew(attempt: Replaced) -> Replaced:
    """Each attempt to open a stream draws a new claim."""

    def forgetful(self: Opening) -> Any:
        self._claim = None
        return attempt(self)

    return forgetful


# The compactor.


@mutant(Compactor, "compact")
def compactor_overwrites(_: Replaced) -> Replaced:
    """The document is put without expecting the version that was read."""

    def compact(self: Compactor, *, everything: bool = False) -> Compaction:
        reading = compactor.read_run(self._store, self._run_id, everything=True)
        document = reading.document(self._run_id)
        key = layout.snapshot_key(self._run_id)
        if not reading.run:
            return Compaction({}, installed=False, run={}, damages=[])
        try:
            found = self._store.get(key)
            version = found.version if isinstance(found, Found) else ABSENT
            self._store.put(key, snapshot.encode(document), expect=version)
        except Conflict as error:
            raise Unavailable("again") from error
        return Compaction(document, installed=True, run=reading.run, damages=reading.damages)

    return compact


class _Stubborn(Cursor):
    """A cursor that is never earlier than another."""

    def __lt__(self, other: object) -> bool:
        return False


@mutant(compactor, "read_run")
def compactor_takes_its_own_cursor(read_run: Replaced) -> Replaced:
    """Of what is remembered and what is stored, the remembered is taken, be it the earlier."""

    def stubborn(
        store: Any, run_id: str, *, known: dict[str, Folded] | None = None, **options: Any
    ) -> Any:
        mine = {
            name: Folded(
                _Stubborn(part.cursor.segment, part.cursor.bytes, part.cursor.seq), part.state
            )
            for name, part in (known or {}).items()
        }
        reading = read_run(store, run_id, known=mine, **options)
        reading.run = {
            name: Folded(
                Cursor(part.cursor.segment, part.cursor.bytes, part.cursor.seq), part.state
            )
            for name, part in reading.run.items()
        }
        return reading

    return stubborn


@mutant(Compactor, "compact")
def compactor_keeps_used_states(compact: Replaced) -> Replaced:
    """What was folded into when a compaction failed is folded into again."""

    def thrifty(self: Compactor, *, everything: bool = False) -> Any:
        known = dict(self._known) if self._known is not None else None
        try:
            return compact(self, everything=everything)
        except JournalError:
            self._known = known
            raise

    return thrifty


@mutant(compactor, "_read_stream")
def compactor_folds_from_the_start(read_stream: Replaced) -> Replaced:
    """A state is folded into from the start of its stream."""

    def naive(
        store: Any, run_id: str, name: str, folded: Folded, *more: Any, **options: Any
    ) -> None:
        read_stream(store, run_id, name, Folded(Cursor(), folded.state), *more, **options)

    return naive


# The recorder.


@mutant(Outbox, "_numbered")
def outbox_does_not_renumber(_: Replaced) -> Replaced:
    """What waits for the claim keeps the numbers it had before."""

    def numbered(self: Outbox, seq: int, head: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        for lines in head:
            yield seq, renumber(lines, seq)
            seq += lines.count(b"\n")
        yield from ((seq, lines) for lines in self._in_order([]))

    return numbered


@mutant(Outbox, "acknowledge")
def outbox_acknowledges_what_was_said(acknowledge: Replaced) -> Replaced:
    """A waiter is settled by any flush that comes after it."""

    def hasty(self: Outbox, seq: int) -> None:
        acknowledge(self, self.next_seq)

    return hasty


@mutant(Outbox, "close")
def outbox_closes_well(close: Replaced) -> Replaced:
    """Whoever waits when the stream is lost is told that all is well."""

    def lying(self: Outbox, *, ok: bool) -> None:
        close(self, ok=True)

    return lying


# Readers.


@mutant(StreamReader, "read")
def reader_goes_to_the_newest(read: Replaced) -> Replaced:
    """A reader goes on with the newest segment it knows of."""

    def hasty(self: StreamReader) -> Iterator[Batch]:
        if self.exists > self.cursor.segment:
            self.cursor = Cursor(self.exists, 0, self.cursor.seq)
            self._version = None
        batches: Iterator[Batch] = read(self)
        return batches

    return hasty
