"""Files done one after another: nearly all of a journal, folded many at a time. Pure.

What `journal.fold` does for one record is done here for a row of them, column by column, and the
state comes out the same to the bit: what they share is looked up once, and what only the last of
them leaves behind is written once. Where a file asks for more, the row stops, and it is the fold's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import contains, itemgetter, sub
from typing import Any, Final, Self

from journal import foreign, signs
from journal.clock import StampReader
from journal.events import Record
from journal.limits import COUNT_MAX, MARK_SECONDS, STATE_TEXT_CHARS
from journal.roster import Roster
from journal.state import SourceState, StreamState
from journal.work import Done

_ROW_MIN: Final = 4  # fewer are not worth a row
_EDGE_SECONDS: Final = 1e-3  # so near to the next mark rounding may count
_STAMP: Final = b"0000-00-00T00:00:00.000000Z"
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_TS: Final = itemgetter("ts")
_SIZE: Final = itemgetter(1)  # of what is done


@dataclass(slots=True)
class Row:
    """Some files in columns, all in the usual form and of sources that have begun.

    `said` are their times as they tell them, `times` those on the store's clock.
    """

    records: Sequence[Record]
    said: list[float]
    times: list[float]
    names: list[str]
    done: list[Done]
    sources: dict[str, SourceState]

    @classmethod
    def of(
        cls, state: StreamState, records: Sequence[Record], roster: Roster, read_ts: StampReader
    ) -> Self | None:
        """Return the row of some files; None if one of them is not in the usual form."""
        if len(records) < _ROW_MIN or any(map(contains, records, repeat("by"))):
            return None
        said = _times([*map(_TS, records)], read_ts)
        names: list[Any] = [record.get("source") for record in records]
        sources = _sources(names, roster)
        if said is None or sources is None:
            return None
        offset = state.clock_offset
        times = [at + offset for at in said]
        sizes = _sizes([record.get("bytes") for record in records])
        seconds = _seconds([record.get("seconds") for record in records])
        return cls(records, said, times, names, [*zip(times, sizes, seconds, strict=True)], sources)

    def fold(self, state: StreamState, begin: int) -> int:
        """Fold the files from one on, as far as they ask for nothing more; return the next one."""
        last = _plain_from(state)
        end = begin if last is None else self._end(state, begin, last)
        if last is None or end == begin:
            return begin
        state.last_ts = self.said[end - 1]
        state.filed = self.times[end - 1]
        state.last_record = state.worked = state.alive = max(last, *self.times[begin:end])
        state.files += end - begin
        if state.in_flight:
            paths = {foreign.text(record.get("path")) for record in self.records[begin:end]}
            state.in_flight = [file for file in state.in_flight if file.get("path") not in paths]
        for name, done in self._lanes(begin, end).items():
            _keep(state, self.sources[name], done)
        return end

    def _end(self, state: StreamState, begin: int, last: float) -> int:
        """Return the first file from one on that asks for more than a row can give."""
        reach = min(signs.promise(state), state.longest_gap)  # a longer silence is told apart
        mark = state.marks[-1].at
        until = min(state.predict_at, mark + MARK_SECONDS - _EDGE_SECONDS)
        times = self.times[begin:]
        reached = accumulate(times, max, initial=last)
        gaps = [*map(sub, times, reached)]
        if max(gaps) <= reach and min(times) >= mark and max(times) < until:
            return len(self.times)
        for number, (at, gap) in enumerate(zip(times, gaps, strict=True), begin):
            if gap > reach or not mark <= at < until:
                return number
        return len(self.times)

    def _lanes(self, begin: int, end: int) -> dict[str, list[Done]]:
        """Return what was done of each source."""
        if len(self.sources) == 1:
            return {self.names[begin]: self.done[begin:end]}
        lanes: dict[str, list[Done]] = {}
        for name, done in zip(self.names[begin:end], self.done[begin:end], strict=True):
            if name in lanes:
                lanes[name].append(done)
            else:
                lanes[name] = [done]
        return lanes


def _times(stamps: list[str], read_ts: StampReader) -> list[float] | None:
    """Return the times of stamps; None if one of them is not in the usual form."""
    if "".join(stamps).encode().translate(_DIGITS) != _STAMP * len(stamps):
        return None
    minutes: dict[str, float] = {}
    for head in dict.fromkeys([stamp[:17] for stamp in stamps]):
        at = foreign.instant(f"{head}00.000000Z", read_ts)
        if at is None or foreign.instant(f"{head}59.999999Z", read_ts) is None:
            return None
        minutes[head] = at
    seconds = [float(stamp[17:26]) for stamp in stamps]
    if max(seconds) >= 60.0:
        return None
    # The same number to the bit as StampReader's, which divides whole microseconds: both are the
    # nearest one to the fraction.
    return [minutes[stamp[:17]] + second for stamp, second in zip(stamps, seconds, strict=True)]


def _sources(names: Sequence[Any], roster: Roster) -> dict[str, SourceState] | None:
    """Return the sources of some files; None if one names none that has begun."""
    if {*map(type, names)} != {str}:
        return None
    sources = {}
    for name in set(names):
        source = roster.latest({"source": name})
        # Names that differ behind the place where they are cut would be two of one source.
        if source is None or len(name) > STATE_TEXT_CHARS:
            return None
        sources[name] = source
    return sources


def _sizes(said: list[Any]) -> list[int]:
    if {*map(type, said)} == {int} and min(said) >= 0 and max(said) <= COUNT_MAX:
        return said
    return [foreign.count(size) or 0 for size in said]


def _seconds(said: list[Any]) -> list[float | None]:
    if {*map(type, said)} == {float} and min(said) >= 0.0 and max(said) <= COUNT_MAX:
        return said
    return [foreign.measured(seconds) for seconds in said]


def _plain_from(state: StreamState) -> float | None:
    """Return when the last record came if it was work: a file behind it asks for nothing more."""
    last = state.last_record
    is_plain = last and last == state.worked == state.alive and state.wait is None and state.marks
    return last if is_plain else None


def _keep(state: StreamState, source: SourceState, done: list[Done]) -> None:
    """Write down what was done of a source."""
    source.files += len(done)
    source.spoke = done[-1][0]
    size = foreign.total(source.file_bytes, sum(map(_SIZE, done)))
    source.file_bytes = size
    if size > source.bytes:
        state.moved = foreign.total(state.moved, size - source.bytes)
        source.bytes = size
    source.work.take(done)
