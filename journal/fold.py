"""State + record → state. Pure: no clock, no store; times come from the records.

A run's state is a map from stream to `StreamState`; each stream is folded on its own, left to
right, so how streams were interleaved cannot matter.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from journal import events, foreign, signs
from journal.clock import StampReader
from journal.eta import score
from journal.events import Record
from journal.limits import (
    CLOCK_SLACK_SECONDS,
    COUNT_MAX,
    ERROR_CLASSES_KEPT,
    PHASES_KEPT,
    SOURCES_KEPT,
    STATE_TEXT_CHARS,
    WAIT_MAX_SECONDS,
)
from journal.state import (
    ErrorClass,
    Finish,
    Former,
    PhaseState,
    Planned,
    Sources,
    SourceState,
    StreamState,
    Wait,
)
from journal.work import Work

# Where sub-phases are summed up when there are too many: what counts apart is kept apart.
_FAMILIES: Final = ("", "downloading", "downloading_policy")


def fold(state: StreamState, records: Iterable[Record]) -> StreamState:
    """Fold records into a state, in their order; the state given is used up."""
    read_ts = StampReader()
    latest = _Latest(state)
    for record in records:
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
            _record(state, kind, record, latest)
    return state


class _Latest:
    """Finds the latest source of a name without searching the list for every file.

    The list is in the order of starting, so this map can be made again from it at any time.
    """

    def __init__(self, state: StreamState) -> None:
        self._sources = state.sources
        self._by_name = {source.source: source for source in state.sources}

    def get(self, record: Record) -> SourceState | None:
        name = record.get("source")
        return self._by_name.get(name[:STATE_TEXT_CHARS]) if type(name) is str else None

    def add(self, source: SourceState) -> None:
        self._by_name[source.source] = source

    def forget(self, source: SourceState) -> None:
        if self._by_name.get(source.source) is source:
            del self._by_name[source.source]
            for other in self._sources:
                if other.source == source.source:
                    self._by_name[source.source] = other


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


def _record(state: StreamState, kind: str, record: Record, latest: _Latest) -> None:
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
    source = latest.get(record)
    if source is not None:
        source.spoke = at
    take = _FOLDS.get(kind)
    if take is not None:
        take(state, record, at, source, latest)
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
    state: StreamState, record: Record, at: float, _source: SourceState | None, _latest: _Latest
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
    _plan(state, planned, None)


def _planned(
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _latest: _Latest
) -> None:
    _plan(state, record.get("sources"), foreign.text(record.get("sub_phase")))


def _plan(state: StreamState, items: Any, sub_phase: str | None) -> None:
    """Take in what is to come of a sub-phase; the later word about a source holds."""
    known = {(plan.sub_phase, plan.source): plan for plan in state.planned}
    for item in foreign.mappings(items):
        name = foreign.text(item.get("source")) or ""
        plan = known.get((sub_phase, name))
        if plan is None:
            if len(known) >= SOURCES_KEPT:
                return
            plan = known[sub_phase, name] = Planned(name, sub_phase)
            state.planned.append(plan)
        plan.files = foreign.count(item.get("files"))
        plan.bytes = foreign.count(item.get("bytes"))


def _history(
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _latest: _Latest
) -> None:
    """Take in what the last finished run of the job took; several records of it add up."""
    known = {(former.sub_phase, former.source): former for former in state.former}
    for item in foreign.mappings(record.get("sources")):
        former = Former(
            source=foreign.text(item.get("source")) or "",
            sub_phase=foreign.text(item.get("sub_phase")) or "",
            files=foreign.count(item.get("files")) or 0,
            bytes=foreign.count(item.get("bytes")) or 0,
            seconds=foreign.seconds(item.get("seconds")),
            wall_seconds=foreign.seconds(item.get("wall_seconds")),
        )
        if len(known) < SOURCES_KEPT or (former.sub_phase, former.source) in known:
            known[former.sub_phase, former.source] = former
    state.former = list(known.values())


def _phase(
    state: StreamState, record: Record, at: float, _source: SourceState | None, _latest: _Latest
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
    state: StreamState, record: Record, at: float, _source: SourceState | None, latest: _Latest
) -> None:
    name = foreign.text(record.get("source")) or ""
    current = state.phase.sub_phase if state.phase else ""
    said = foreign.text(record.get("sub_phase"))
    sub_phase = current if said is None else said
    work = Work(last=at)
    for known in state.sources:
        if known.source == name and known.sub_phase == sub_phase:
            if known.attempt == state.attempt:
                # The same attempt goes on with it.
                _raise_totals(known, record)
                known.ended = None
                known.failed = False
                known.spoke = at
                state.sources.remove(known)
                state.sources.append(known)
                latest.add(known)
                return
            state.sources.remove(known)
            work = known.work  # what its files cost then, they cost now
            work.last = at
            break
    done = record.get("done")
    found = done if isinstance(done, dict) else {}
    source = SourceState(
        source=name,
        sub_phase=sub_phase,
        attempt=state.attempt,
        started=at,
        spoke=at,
        files_total=foreign.count(record.get("files")),
        bytes_total=foreign.count(record.get("bytes")),
        found_files=foreign.count(found.get("files")) or 0,
        found_bytes=foreign.count(found.get("bytes")) or 0,
        work=work,
    )
    state.sources.append(source)
    latest.add(source)
    if len(state.sources) > SOURCES_KEPT:
        _forget_one(state, latest)


def _raise_totals(known: SourceState, record: Record) -> None:
    files = foreign.count(record.get("files")) or known.files_total
    size = foreign.count(record.get("bytes")) or known.bytes_total
    for before, now in ((known.files_total, files), (known.bytes_total, size)):
        known.has_grown = known.has_grown or (before is not None and now != before)
    known.files_total = files
    known.bytes_total = size


def _forget_one(state: StreamState, latest: _Latest) -> None:
    """Sum up the oldest finished source, or the oldest of all if none is finished."""
    ended = (source for source in state.sources if source.ended is not None)
    oldest = next(ended, state.sources[0])
    state.sources.remove(oldest)
    latest.forget(oldest)
    _sum_up(state.others, oldest.sub_phase, oldest.summed)
    if len(state.others) > PHASES_KEPT:
        merged = next(sub_phase for sub_phase in state.others if sub_phase not in _FAMILIES)
        family = _FAMILIES[1] if merged.startswith(_FAMILIES[1]) else _FAMILIES[0]
        _sum_up(state.others, family, state.others.pop(merged))


def _sum_up(others: dict[str, Sources], sub_phase: str, more: Sources) -> None:
    known = others.setdefault(sub_phase, Sources())
    known.sources += more.sources
    known.completed += more.completed
    known.files = foreign.total(known.files, more.files)
    known.bytes = foreign.total(known.bytes, more.bytes)


def _progress(
    state: StreamState, record: Record, _at: float, source: SourceState | None, _latest: _Latest
) -> None:
    state.in_flight = foreign.in_flight(record)
    if source is not None:
        _move(state, source, foreign.count(record.get("bytes")) or 0)


def _move(state: StreamState, source: SourceState, done: int) -> None:
    """Take in how many bytes of a source are done, parts of unfinished files included."""
    if done > source.bytes:
        state.moved = foreign.total(state.moved, done - source.bytes)
        source.bytes = done


def _file_done(
    state: StreamState, record: Record, at: float, source: SourceState | None, _latest: _Latest
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
    state: StreamState, _record: Record, at: float, source: SourceState | None, _latest: _Latest
) -> None:
    state.filed = at
    state.skipped += 1
    if source is not None:
        source.skipped += 1


def _source_done(
    state: StreamState, record: Record, at: float, source: SourceState | None, _latest: _Latest
) -> None:
    if source is not None:
        if source.ended is None:
            source.work.end(at)
        source.ended = at
        source.bytes = max(source.file_bytes, foreign.count(record.get("bytes")) or 0)


def _waiting(
    state: StreamState, record: Record, at: float, _source: SourceState | None, _latest: _Latest
) -> None:
    # An unreadable end is no end; the hour holds.
    said = foreign.instant(record.get("until"), StampReader())
    until = at + WAIT_MAX_SECONDS if said is None else said + state.clock_offset
    if state.wait is not None:
        _rest(state, state.wait, at)
    reason = foreign.text(record.get("reason")) or ""
    state.wait = Wait(reason, at, until, is_bounded=said is not None)


def _extended(
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _latest: _Latest
) -> None:
    until = foreign.instant(record.get("until"), StampReader())
    if until is not None:
        signs.extend(state, until + state.clock_offset)


def _error(
    state: StreamState, record: Record, at: float, source: SourceState | None, _latest: _Latest
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
    state: StreamState, record: Record, _at: float, _source: SourceState | None, _latest: _Latest
) -> None:
    state.dropped = foreign.total(state.dropped, foreign.count(record.get("count")) or 0)
    state.drop_reason = foreign.text(record.get("reason"))


def _finished(
    state: StreamState, record: Record, at: float, _source: SourceState | None, _latest: _Latest
) -> None:
    if state.finish is not None:
        return
    score.select(state, at)
    status = record.get("status")
    state.finish = Finish(
        status if status in events.STATUSES else "failed", foreign.text(record.get("message")), at
    )
    state.in_flight = []


_Fold = Callable[[StreamState, Record, float, SourceState | None, _Latest], None]

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
