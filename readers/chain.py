"""One stream read whole: its chain of segments checked, and its records folded."""

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import orjson

from journal import events, layout
from journal.clock import StampReader
from journal.errors import Corrupt
from journal.events import Record
from journal.fold import fold
from journal.foreign import instant
from journal.limits import LINE_BYTES
from journal.log import DAMAGES_KEPT, Batch, Damage, StreamReader
from journal.segments import PRUNED, START, Cursor
from journal.snapshot import Folded
from journal.state import StreamState
from journal.stores import ReadStore

_REASONS: Final = ("roll", "close", "finish", "takeover", PRUNED)
_FORM: Final = "YYYY-MM-DDTHH:MM:SS.ffffffZ"
_STAMP: Final = b"0000-00-00T00:00:00.000000Z"
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")


@dataclass(frozen=True, slots=True)
class Spoilt:
    """Segments from `first` to `last` that are missing, or one that is damaged.

    `at` is the byte from which on it is damaged, None where that cannot be told.
    """

    first: int
    last: int
    missing: bool
    at: int | None


@dataclass(slots=True)
class Report:
    """What there is of a stream.

    `sound_records` are those before the first spoilt segment, `sound_behind` the segments behind it
    that are sound in themselves.
    """

    stream: str
    segments: int = 0
    records: int = 0
    bytes: int = 0
    sound_records: int = 0
    sound_behind: int = 0
    spoilt: list[Spoilt] = field(default_factory=list)
    pruned: bool = False


class Chain:
    """Reads a stream from its start to its end, and remembers its state at one place on the way.

    After `read`, `state` is the stream folded to its `cursor`, and `then` what it was at the place
    that was asked for; None if no line ended there.
    """

    def __init__(
        self, store: ReadStore, run_id: str, stream: str, last: int, place: Cursor | None = None
    ) -> None:
        """Prepare to read; `last` is the highest segment that a listing found."""
        self.report = Report(stream)
        self.damages: list[Damage] = []
        self.state = StreamState()
        self.cursor = START
        self.then: Folded | None = None
        self._reader = StreamReader(store, run_id, stream, exists=last)
        self._run_id = run_id
        self._place = place
        self._epochs = _Epochs()
        self._records_before = 0  # the segment that was read last

    def read(self) -> None:
        """Read and check everything. Raises Unavailable, Refused."""
        self._remember(START)
        while not self._is_read():
            # What a newer program wrote cannot be read, or it is one flipped byte in the version.
            self._reader.skip()
        if not self.report.spoilt:
            self.report.sound_records = self.report.records

    def _is_read(self) -> bool:
        """Read on to the end, or to a segment that cannot be read: False."""
        try:
            for batch in self._reader.read():
                self._take(batch)
                if self.report.pruned:
                    break  # what a prune has not deleted yet is no part of the chain any more
        except Corrupt as unknown:
            segment = self._reader.cursor.segment
            key = self._key(segment)
            damage = Damage(key, "format", str(unknown).removeprefix(f"{key}: "), at=0)
            self._spoil(segment, segment, [damage])
            return False
        return True

    def _key(self, segment: int) -> str:
        return layout.segment_key(self._run_id, self.report.stream, segment)

    def _take(self, batch: Batch) -> None:
        report, key = self.report, self._key(batch.segment)
        damages = [*batch.damages, *self._epochs.check(key, batch), *_check_lines(key, batch)]
        if damages:
            missing = damages[0].kind == "missing"
            last = batch.cursor.segment - 1 if missing else batch.segment
            self._spoil(batch.segment, last, damages)
        if report.spoilt and batch.records and {damage.kind for damage in damages} <= {"chain"}:
            report.sound_behind += 1
        self._records_before = report.records
        if batch.records:
            report.segments += 1
            report.bytes += sum(map(len, batch.lines)) + len(batch.lines)
            opened = batch.records[0]["type"] == events.SEGMENT_OPENED
            report.records += len(batch.records) - opened - (batch.sealed is not None)
        report.pruned = batch.segment == 0 and batch.sealed == PRUNED
        self._fold(batch)

    def _spoil(self, first: int, last: int, damages: list[Damage]) -> None:
        """Note what is wrong with some segments."""
        report, sound_records = self.report, self.report.records
        self.damages += damages
        missing = damages[0].kind == "missing"
        if {damage.kind for damage in damages} == {"chain"} and first > 0:
            # Its own seal vouches for what it says: the one before is not what it was.
            first, last, damages, sound_records = first - 1, last - 1, [], self._records_before
        if any(bad.first <= first <= bad.last for bad in report.spoilt[-1:]):
            return  # it is known to be damaged
        if not report.spoilt:
            report.sound_records = sound_records
        places = [damage.at for damage in damages if damage.at is not None]
        report.spoilt.append(Spoilt(first, last, missing, min(places, default=None)))

    def _fold(self, batch: Batch) -> None:
        """Fold a batch, and stop on the way at the place that was asked for."""
        records, place = batch.records, self._place
        if place is not None and place.segment == batch.segment and place.bytes > 0:
            ends = list(accumulate(len(line) + 1 for line in batch.lines))
            if place.bytes in ends:
                count = ends.index(place.bytes) + 1
                before, records = records[:count], records[count:]
                self.state = fold(self.state, before)
                seq = before[-1]["seq"] + (before[-1]["type"] not in events.CONTROL)
                self._remember(Cursor(batch.segment, place.bytes, seq))
        self.state = fold(self.state, records)
        self.cursor = batch.cursor
        self._remember(batch.cursor)

    def _remember(self, cursor: Cursor) -> None:
        place = self._place
        if place is not None and (cursor.segment, cursor.bytes) == (place.segment, place.bytes):
            state = StreamState.from_json(orjson.loads(orjson.dumps(self.state)))
            self.then = Folded(cursor, state)


class _Epochs:
    """Checks that epochs tell the writers of a stream apart, and that seals name them."""

    def __init__(self) -> None:
        self._highest = 0
        self._opened: Record | None = None  # the segment before

    def check(self, key: str, batch: Batch) -> list[Damage]:
        """Return what is wrong with the opening and the seal of a segment."""
        if not batch.records or batch.records[0]["type"] != events.SEGMENT_OPENED:
            return []  # reported with what was read
        damages = []
        opened, before = batch.records[0], self._opened
        epoch, least = _epoch_of(opened), max(self._highest, 1)
        if before is not None and before.get("writer") != opened.get("writer"):
            least = max(least, _epoch_of(before) + 1)
        if epoch < least:
            said = opened.get("epoch")
            what = f"its epoch is {said} where at least {least} is due"
            damages.append(Damage(key, "epoch", what, 0, opened["seq"], least, said))
        self._opened, self._highest = opened, max(self._highest, epoch)
        if batch.sealed is not None:
            seal = batch.records[-1]
            wrong = _check_seal(key, seal, epoch)
            self._highest = max(self._highest, 0 if wrong else _epoch_of(seal))
            damages += wrong
        return damages


def _epoch_of(control: Record) -> int:
    """Return a control line's epoch, 0 if it has none."""
    epoch = control.get("epoch")
    return epoch if type(epoch) is int else 0


def _check_seal(key: str, seal: Record, epoch: int) -> list[Damage]:
    reason, said = seal.get("reason"), seal.get("epoch")
    due = epoch + 1 if reason == "takeover" else epoch
    if reason not in _REASONS:
        what = f"its seal gives no known reason: {reason}"
        return [Damage(key, "seal", what, seq=seal["seq"], expected=_REASONS, found=reason)]
    if type(said) is not int or (said != due and reason != PRUNED):
        what = f"its seal ({reason}) has epoch {said} where {due} is due"
        return [Damage(key, "epoch", what, seq=seal["seq"], expected=due, found=said)]
    return []


def _check_lines(key: str, batch: Batch) -> list[Damage]:
    """Check what a reader lets pass: the form of times, and the length of lines."""
    records, lines = batch.records, batch.lines
    # In what a seal vouches for, nothing is wrong that was not written so; hence all at once.
    stamps = "".join([record["ts"] for record in records])
    if (
        stamps.encode().translate(_DIGITS) == _STAMP * len(records)
        and all(_is_time(record["ts"]) for record in (records[:1] + records[-1:]))
        and max(map(len, lines), default=0) < LINE_BYTES
    ):
        return []
    damages, at = [], 0
    is_placed = all(damage.kind != "line" for damage in batch.damages)
    for line, record in zip(lines, records, strict=True):
        # Where a line before it was passed over, nobody knows where this one begins.
        where, seq = at if is_placed else None, record["seq"]
        if not _is_time(record["ts"]):
            what = f"the line of seq {seq} has a ts that is no time in UTC"
            damages.append(Damage(key, "line", what, where, seq, _FORM, record["ts"]))
        if len(line) >= LINE_BYTES:
            what = f"the line of seq {seq} has {len(line) + 1} bytes where {LINE_BYTES} are allowed"
            damages.append(Damage(key, "line", what, where, seq))
        at += len(line) + 1
    return damages[:DAMAGES_KEPT]


def _is_time(ts: str) -> bool:
    return ts.encode().translate(_DIGITS) == _STAMP and instant(ts, StampReader()) is not None
