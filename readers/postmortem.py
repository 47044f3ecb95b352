"""The story of a run, told from its events: where the time went, and how the end came. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappush, heapreplace
from typing import Any, Final

from journal import events, foreign
from journal.clock import StampReader, stamp
from journal.events import CONTROL, Record
from journal.fold import fold
from journal.segments import Cursor
from journal.snapshot import Folded
from journal.state import StreamState
from readers.event import Event
from readers.then import status_of
from readers.tuning import LIMITS, Rehearsal

_LONGEST: Final = 5  # shown of silences, files and sources
_SILENCE_SECONDS: Final = 60.0  # a shorter one is none
_CLUSTER_SECONDS: Final = 120.0  # errors so near to each other belong together
_BINS: Final = 40  # of the run's time, for rates and estimates; none is shorter than this:
_BIN_SECONDS: Final = 60.0  # bytes come in portions, in less it is chance whether one is there
_SLOW_SECONDS: Final = 1.0  # what took less was not slow
_RATE_TIMES: Final = 2.0  # so much faster or slower is a change
_ETA_SHARE: Final = 0.1  # of the time left: a smaller move is none
_WORK: Final = frozenset(
    (events.FILE_DONE, events.FILE_SKIPPED, events.SOURCE_STARTED, events.SOURCE_DONE)
)


@dataclass(slots=True)
class Span:
    """A part of the run: a phase, a source, a file or a silence; times in epoch seconds."""

    name: str
    begin: float
    seconds: float
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Cluster:
    """Errors that came close together; `retried` of them were tried again."""

    begin: float
    end: float
    count: int = 0
    retried: int = 0
    classes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Move:
    """A change between two instants: of the rate (bytes per second) or of the expected end."""

    at: float
    before: float
    after: float
    because: str


@dataclass(slots=True)
class Postmortem:
    """What a run's events tell; `limits` are pairs of seconds (None: adapts) and alarms by kind."""

    run_id: str
    begin: float = 0.0
    end: float = 0.0
    ended: str = ""
    message: str | None = None
    phases: list[Span] = field(default_factory=list)
    silences: list[Span] = field(default_factory=list)
    files: list[Span] = field(default_factory=list)
    sources: list[Span] = field(default_factory=list)
    rates: list[Move] = field(default_factory=list)
    errors: list[Cluster] = field(default_factory=list)
    etas: list[Move] = field(default_factory=list)
    limits: list[tuple[float | None, dict[str, int]]] = field(default_factory=list)
    last_work: float | None = None
    first_sign: str | None = None  # of the end: the first error behind which no file was done


def postmortem(run_id: str, history: Iterable[Event], store_time: float) -> Postmortem:
    """Tell the story of a run; `history` is all of it, merged by time, and is held in memory.

    `store_time` (epoch seconds) is behind the last record. An empty history tells nothing.
    """
    told = Postmortem(run_id)
    timed = _timed(history)
    if not timed:
        return told
    told.begin, told.end = timed[0][0], max(at for at, _ in timed)
    rehearsal = Rehearsal()
    for _, event in timed:
        rehearsal.take(event.stream, event.record)
    told.ended = rehearsal.end(store_time)
    told.limits = [(limit, _alarms(rehearsal, number)) for number, limit in enumerate(LIMITS)]
    _tell_spans(told, timed)
    _tell_errors(told, timed)
    _tell_moves(told, timed)
    return told


def _timed(history: Iterable[Event]) -> list[tuple[float, Event]]:
    """Give each event its time on the store's clock; one without a time has that before it."""
    read, offsets, at = StampReader(), dict[str, float](), 0.0
    timed = []
    for event in history:
        record = event.record
        if "clock_offset" in record:
            before = offsets.get(event.stream, 0.0)
            offsets[event.stream] = foreign.offset(record["clock_offset"], before)
        said = foreign.instant(record["ts"], read)
        at = at if said is None else said + offsets.get(event.stream, 0.0)
        timed.append((at, event))
    return timed


def _alarms(rehearsal: Rehearsal, number: int) -> dict[str, int]:
    tallies = [findings.tallies[number] for findings in rehearsal.places.values()]
    return {
        "false": sum(tally.false_alarms for tally in tallies),
        "true": sum(tally.true_alarms for tally in tallies),
        "open": sum(tally.open_alarms for tally in tallies),
    }


class _Longest:
    """Keeps the longest of many spans, none that was short."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, Span]] = []
        self._number = 0

    def take(self, span: Span) -> None:
        if span.seconds < _SLOW_SECONDS:
            return
        self._number += 1
        one = (span.seconds, -self._number, span)
        if len(self._kept) < _LONGEST:
            heappush(self._kept, one)
        elif one > self._kept[0]:
            heapreplace(self._kept, one)

    def spans(self) -> list[Span]:
        return [span for *_, span in sorted(self._kept, reverse=True)]


def _tell_spans(told: Postmortem, timed: list[tuple[float, Event]]) -> None:
    silences, files, sources = _Longest(), _Longest(), _Longest()
    flying: dict[str, list[str]] = {}
    worked = told.begin
    for at, (_, stream, record, _) in timed:
        kind = record["type"]
        if kind == events.PHASE:
            _close(told.phases, at)
            names = [record.get("phase"), record.get("sub_phase")]
            told.phases.append(Span(" / ".join(str(name) for name in names if name), at, 0.0))
        if kind in _WORK or kind == events.PROGRESS:
            if at - worked >= _SILENCE_SECONDS:
                silences.take(_silence(worked, at, flying))
            worked = told.last_work = max(worked, at)
        if isinstance(record.get("in_flight"), list):
            flying[stream] = _paths(record)
        if kind in (events.FILE_DONE, events.SOURCE_DONE):
            seconds = foreign.measured(record.get("seconds")) or 0.0
            name = f"{record.get('path' if kind == events.FILE_DONE else 'source')}"
            more = {"source": record.get("source"), "bytes": foreign.count(record.get("bytes"))}
            kept = files if kind == events.FILE_DONE else sources
            kept.take(Span(name, at - seconds, seconds, more))
        if kind in (events.FILE_DONE, events.FILE_SKIPPED) and stream in flying:
            flying[stream] = [path for path in flying[stream] if path != record.get("path")]
        if kind == events.FINISHED:
            told.message = foreign.text(record.get("message"))
    if told.end - worked >= _SILENCE_SECONDS:
        silences.take(_silence(worked, told.end, flying))
    _close(told.phases, told.end)
    told.silences, told.files, told.sources = silences.spans(), files.spans(), sources.spans()


def _close(phases: list[Span], at: float) -> None:
    if phases:
        phases[-1].seconds = max(0.0, at - phases[-1].begin)


def _silence(begin: float, end: float, flying: dict[str, list[str]]) -> Span:
    paths = [path for some in flying.values() for path in some]
    return Span("silence", begin, end - begin, {"in_flight": paths[:_LONGEST]})


def _paths(record: Record) -> list[str]:
    files = [file for file in record["in_flight"] if isinstance(file, dict)]
    return [f"{file.get('path')}" for file in files[:_LONGEST]]


def _tell_errors(told: Postmortem, timed: list[tuple[float, Event]]) -> None:
    sign: str | None = None
    for at, event in timed:
        record = event.record
        if record["type"] in _WORK:
            sign = None
        if record["type"] != events.ERROR:
            continue
        if not told.errors or at - told.errors[-1].end > _CLUSTER_SECONDS:
            told.errors.append(Cluster(at, at))
        cluster = told.errors[-1]
        cluster.end = max(cluster.end, at)
        cluster.count += 1
        cluster.retried += bool(record.get("retry"))
        cluster.classes[f"{record.get('error')}"] += 1
        words = f"{record.get('error')}: {foreign.text(record.get('message'))}"
        sign = sign or f"{stamp(at)} {words}"
    told.first_sign = sign if told.ended != "completed" else None


def _tell_moves(told: Postmortem, timed: list[tuple[float, Event]]) -> None:
    """Look at the run at the ends of equal parts of its time: its rate, and when it would end."""
    step = max((told.end - told.begin) / _BINS, _BIN_SECONDS)
    streams: dict[str, StreamState] = {}
    waiting: dict[str, list[Record]] = {}
    seen: Counter[str] = Counter()
    moved, rate, ends, due = 0, None, None, told.begin + step
    for at, event in [*timed, (told.end + step, None)]:
        while at > due and due <= told.end + step / 2:
            for stream, records in waiting.items():
                streams[stream] = fold(streams.get(stream, StreamState()), records)
            waiting.clear()
            total = sum(state.moved for state in streams.values())
            now_rate, moved = (total - moved) / step, total
            because = _because(seen)
            if rate is not None and _differs(rate, now_rate):
                told.rates.append(Move(due, rate, now_rate, because))
            rate = now_rate
            end = _expected(told.run_id, streams, due)
            if end is not None:
                if ends is not None and abs(end - ends) > _ETA_SHARE * max(ends - due, step):
                    _add(told.etas, Move(due, ends, end, because))
                ends = end
            seen.clear()
            due += step
        if event is not None:
            waiting.setdefault(event.stream, []).append(event.record)
            if event.record["type"] not in CONTROL:
                seen[event.record["type"]] += 1


def _add(moves: list[Move], move: Move) -> None:
    """Add a move; one that goes on as the last one did, for the same reason, is one with it."""
    last = moves[-1] if moves else None
    is_later = move.after > move.before
    if last is not None and last.because == move.because and (last.after > last.before) == is_later:
        moves[-1] = Move(last.at, last.before, move.after, last.because)
    else:
        moves.append(move)


def _differs(before: float, after: float) -> bool:
    low, high = sorted((before, after))
    return high > 0 and high >= _RATE_TIMES * low


def _expected(run_id: str, streams: dict[str, StreamState], at: float) -> float | None:
    run = {name: Folded(Cursor(), state) for name, state in streams.items()}
    if not run or any(state.finish is not None for state in streams.values()):
        return None
    eta = status_of(run_id, run, at).document.get("eta")
    return foreign.instant(eta.get("at"), StampReader()) if isinstance(eta, dict) else None


def _because(seen: Counter[str]) -> str:
    """Return what was said meanwhile that explains most: what is rare before what is usual."""
    telling = (
        (events.PHASE, "another phase"),
        (events.WAITING, "a declared wait"),
        (events.PLANNED, "more was planned"),
        (events.SOURCE_STARTED, "another source"),
        (events.ERROR, "errors"),
        (events.FILE_SKIPPED, "files left out"),
        (events.SOURCE_DONE, "a source ended"),
    )
    found = [f"{words} ({seen[kind]})" for kind, words in telling if seen[kind]]
    files = seen[events.FILE_DONE]
    done = f"{files or 'no'} file{'' if files < 2 else 's'} done"
    return ", ".join(found) or done
