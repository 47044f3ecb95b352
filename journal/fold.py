"""State + record → state. Pure: no clock, no store; times come from the records.

A run's state is a map from stream to `StreamState`; each stream is folded on its own, left to
right, so how streams were interleaved cannot matter.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

from journal import events, foreign, plans, signs
from journal.clock import StampReader
from journal.eta import score
from journal.events import Record
from journal.files import Row
from journal.limits import (
    CLOCK_SLACK_SECONDS,
    COUNT_MAX,
    ERROR_CLASSES_KEPT,
    PHASES_KEPT,
    WAIT_MAX_SECONDS,
)
from journal.roster import Roster
from journal.state import (
    ErrorClass,
    Finish,
    PhaseState,
    SourceState,
    StreamState,
    Wait,
)

_TYPE: Final = itemgetter("type")
_ROW_FILES: Final = 256  # that are looked at together


def fold(state: StreamState, records: Iterable[Record]) -> StreamState:
    """Fold records into a state, in their order; the state given is used up."""
    read_ts = StampReader()
    roster = Roster(state)
    for kind, group in groupby(records, _TYPE):
        if kind == events.FILE_DONE:
            _files(state, group, roster, read_ts)
            continue
        for record in group:
            _one(state, record, roster, read_ts)
        if kind == events.PROGRESS:
            # Several come at once, one for each source, and each tells of all that is in flight.
            state.in_flight = foreign.in_flight(record)
    return state


def _files(
    state: StreamState, records: Iterator[Record], roster: Roster, read_ts: StampReader
) -> None:
    while some := [*islice(records, _ROW_FILES)]:
        row = Row.of(state, some, roster, read_ts)
        at = 0
        while at < len(some):
            at = at if row is None else row.fold(state, at)
            if at < len(some):
                _one(state, some[at], roster, read_ts)
                at += 1


def _one(state: StreamState, record: Record, roster: Roster, read_ts: StampReader) -> None:
    # A foreign hand may have written a `ts` that is none: the time of the record before counts.
    at = foreign.instant(record["ts"], read_ts)
    state.last_ts = state.last_ts if at is None else at
    kind = record["type"]
    if kind == events.SEGMENT_OPENED:
        _segment_opened(state, record)
    elif kind == events.SEGMENT_SEALED:
        state.sealed = foreign.text(record.get("reason"))
        state.sealed_bytes = foreign.count(record.get("bytes")) or 0
    else:
        _record(state, kind, record, roster)


def _segment_opened(state: StreamState, record: Record) -> None:
    state.sealed = None
    state.epoch = foreign.count(record.get("epoch")) or 0
    state.writer = foreign.text(record.get("writer")) or ""
    state.host = foreign.text(record.get("host")) or ""
    state.pid = foreign.count(record.get("pid")) or 0
    state.clock_offset = foreign.offset(record.get("clock_offset"), 0.0)
    state.flush_seconds = foreign.seconds(record.get("flush_seconds"))
    state.opened = max(state.opened, state.last_ts + state.clock_offset)
    state.heartbeat_seconds = foreign.seconds(record.get("heartbeat_seconds"))


def _record(state: StreamState, kind: str, record: Record, roster: Roster) -> None:
    if kind == events.HEARTBEAT:
        offset = foreign.offset(record.get("clock_offset"), state.clock_offset)
        if abs(offset - state.clock_offset) > CLOCK_SLACK_SECONDS:
            signs.set_back(state, state.last_ts + offset)
        state.clock_offset = offset
    at = state.last_ts + state.clock_offset
    wait = state.wait
    signs.take_in(state, kind, record, at)
    if wait is not None and state.wait is None:
        _rest(state, wait, at)
    source = roster.latest(record)
    if source is not None:
        source.spoke = at
    take = _FOLDS.get(kind)
    if take is not None:
        take(state, record, at, source, roster)
    signs.mark(state, at)
    if at >= state.predict_at:
        score.predict(state, at)


def _rest(state: StreamState, wait: Wait, at: float) -> None:
    """Leave a declared wait that is over out of what work costs."""
    waited = max(0.0, min(at, wait.until) - wait.since)
    state.waited = min(state.waited + waited, COUNT_MAX)
    for source in state.sources:
        if source.ended is None:
            source.work.rest(waited, at)


def _started(
    state: StreamState, record: Record, at: float, _source: SourceState | None, _roster: Roster
) -> None:
    attempt = foreign.count(record.get("attempt")) or state.attempt + 1
    if state.finish is not None and attempt <= state.attempt:
        return  # only a higher attempt leaves a final state
    state.attempt = attempt
    state.started = at if state.started is None else state.started
    state.attempt_started = at
    state.finish = None
    state.wait = None
    state.waited = 0.0
    state.predictions = []
    state.predict_at = 0.0
    state.worked = at  # nobody was there to work between two attempts
    # Who started was there when the stream was opened, as an earlier document may have said.
    state.alive = max(state.alive or at, at, state.opened)
    state.longest_gap = 0.0
    state.burned = state.erred = state.filed = state.extended_until = state.rate_since = None
    state.beaten, state.files_at_beat, state.moved_at_beat = None, state.files, state.moved
    state.marks = []
    state.in_flight = []
    state.job = foreign.text(record.get("job")) or state.job
    planned = record.get("sources")
    total = foreign.count(record.get("sources_total"))
    state.sources_total = total or (len(planned) if isinstance(planned, list) else None)
    state.planned = []
    plans.plan(state, planned, None)


def _planned(
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _roster: Roster
) -> None:
    plans.plan(state, record.get("sources"), foreign.text(record.get("sub_phase")))


def _history(
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _roster: Roster
) -> None:
    plans.look_back(state, record.get("sources"))


def _phase(
    state: StreamState, record: Record, at: float, _source: SourceState | None, _roster: Roster
) -> None:
    phase = foreign.text(record.get("phase")) or ""
    sub_phase = foreign.text(record.get("sub_phase")) or ""
    operation = foreign.text(record.get("operation"))
    limits = (
        foreign.seconds(record.get("stall_seconds")) or None,
        foreign.count(record.get("min_rate_bytes")) or 0,
        foreign.seconds(record.get("min_rate_seconds")),
    )
    state.phases.append(PhaseState(phase, sub_phase, operation, at, *limits))
    state.rate_since = None
    del state.phases[:-PHASES_KEPT]


def _source_started(
    _state: StreamState, record: Record, at: float, _source: SourceState | None, roster: Roster
) -> None:
    roster.begin(record, at)


def _progress(
    state: StreamState, record: Record, _at: float, source: SourceState | None, _roster: Roster
) -> None:
    if source is not None:
        _move(state, source, foreign.count(record.get("bytes")) or 0)


def _move(state: StreamState, source: SourceState, done: int) -> None:
    """Take in how many bytes of a source are done, parts of unfinished files included."""
    if done > source.bytes:
        state.moved = foreign.total(state.moved, done - source.bytes)
        source.bytes = done


def _file_done(
    state: StreamState, record: Record, at: float, source: SourceState | None, _roster: Roster
) -> None:
    state.filed = at
    state.files += 1
    if state.in_flight:
        path = foreign.text(record.get("path"))
        state.in_flight = [file for file in state.in_flight if file.get("path") != path]
    if source is not None:
        source.files += 1
        size = foreign.count(record.get("bytes")) or 0
        done = foreign.total(source.file_bytes, size)
        source.file_bytes = done
        source.work.file(at, size, foreign.measured(record.get("seconds")))
        _move(state, source, done)


def _file_skipped(
    state: StreamState, _record: Record, at: float, source: SourceState | None, _roster: Roster
) -> None:
    state.filed = at
    state.skipped += 1
    if source is not None:
        source.skipped += 1


def _source_done(
    state: StreamState, record: Record, at: float, source: SourceState | None, _roster: Roster
) -> None:
    if source is not None:
        if source.ended is None:
            source.work.end(at)
        source.ended = at
        source.bytes = max(source.file_bytes, foreign.count(record.get("bytes")) or 0)


def _waiting(
    state: StreamState, record: Record, at: float, _source: SourceState | None, _roster: Roster
) -> None:
    # An unreadable end is no end; the hour holds.
    said = foreign.instant(record.get("until"), StampReader())
    until = at + WAIT_MAX_SECONDS if said is None else said + state.clock_offset
    if state.wait is not None:
        _rest(state, state.wait, at)
    reason = foreign.text(record.get("reason")) or ""
    state.wait = Wait(reason, at, until, is_bounded=said is not None)


def _extended(
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _roster: Roster
) -> None:
    until = foreign.instant(record.get("until"), StampReader())
    if until is not None:
        signs.extend(state, until + state.clock_offset)


def _error(
    state: StreamState, record: Record, at: float, source: SourceState | None, _roster: Roster
) -> None:
    state.errors_total += 1
    if source is not None:
        source.errors += 1
        if record.get("fatal") is True and "path" not in record:
            source.ended = at  # fatal to what it names
            source.failed = True
    name = foreign.text(record.get("error")) or "error"
    if name not in state.errors and len(state.errors) >= ERROR_CLASSES_KEPT:
        name = "other"
    known = state.errors.setdefault(name, ErrorClass(first=at))
    known.count += 1
    known.last = at
    known.message = foreign.text(record.get("message")) or ""


def _dropped(
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _roster: Roster
) -> None:
    state.dropped = foreign.total(state.dropped, foreign.count(record.get("count")) or 0)
    state.drop_reason = foreign.text(record.get("reason"))


def _finished(
    state: StreamState, record: Record, at: float, _source: SourceState | None, _roster: Roster
) -> None:
    if state.finish is not None:
        return
    score.select(state, at)
    status = record.get("status")
    state.finish = Finish(
        status if status in events.STATUSES else "failed", foreign.text(record.get("message")), at
    )
    state.in_flight = []


_Fold = Callable[[StreamState, Record, float, SourceState | None, Roster], None]

_FOLDS: Final[dict[str, _Fold]] = {
    events.STARTED: _started,
    events.PHASE: _phase,
    events.SOURCE_STARTED: _source_started,
    events.PROGRESS: _progress,
    events.FILE_DONE: _file_done,
    events.FILE_SKIPPED: _file_skipped,
    events.SOURCE_DONE: _source_done,
    events.WAITING: _waiting,
    events.ERROR: _error,
    events.DROPPED: _dropped,
    events.FINISHED: _finished,
    events.PLANNED: _planned,
    events.HISTORY: _history,
    events.EXTENDED: _extended,
}
