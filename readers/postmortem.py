"""The story of a run, told from its events: where the time went, and how the end came. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappush, heapreplace
from itertools import chain
from typing import Any, Final

from journal import events, foreign
from journal.clock import StampReader, stamp
from journal.events import Record
from journal.limits import ERROR_CLASSES_KEPT
from readers.course import Course, Move
from readers.event import Event
from readers.tuning import LIMITS, Rehearsal

_LONGEST: Final = 5  # shown of silences, files and sources
_SILENCE_SECONDS: Final = 60.0  # a shorter one is none
_CLUSTER_SECONDS: Final = 120.0  # errors so near to each other belong together
_SLOW_SECONDS: Final = 1.0  # what took less was not slow
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
    """Tell the story of a run; `history` is all of it, merged by time, and is read once.

    `store_time` (epoch seconds) is behind the last record. An empty history tells nothing.
    """
    told = Postmortem(run_id)
    timed = _timed(history)
    first = next(timed, None)
    if first is None:
        return told
    told.begin = told.end = first[0]
    rehearsal, course = Rehearsal(), Course(run_id, told.begin)
    spans, errors = _Spans(told), _Errors(told)
    for at, event in chain((first,), timed):
        told.end = max(told.end, at)
        rehearsal.take(event.stream, event.record)
        course.take(at, event)
        spans.take(at, event)
        errors.take(at, event.record)
    told.ended = rehearsal.end(store_time)
    told.limits = [(limit, _alarms(rehearsal, number)) for number, limit in enumerate(LIMITS)]
    course.end(told.end)
    told.rates, told.etas = course.rates(), course.etas()
    spans.end()
    told.first_sign = errors.sign if told.ended != "completed" else None
    return told


def _timed(history: Iterable[Event]) -> Iterator[tuple[float, Event]]:
    """Give each event its time on the store's clock; one without a time has that before it."""
    read, offsets, at = StampReader(), dict[str, float](), 0.0
    for event in history:
        record = event.record
        if "clock_offset" in record:
            before = offsets.get(event.stream, 0.0)
            offsets[event.stream] = foreign.offset(record["clock_offset"], before)
        said = foreign.instant(record["ts"], read)
        at = at if said is None else said + offsets.get(event.stream, 0.0)
        yield at, event


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

    def wants(self, seconds: float) -> bool:
        """Whether a span of that length would be kept."""
        is_full = len(self._kept) == _LONGEST
        return seconds >= _SLOW_SECONDS and not (is_full and seconds <= self._kept[0][0])

    def take(self, span: Span) -> None:
        if not self.wants(span.seconds):
            return
        self._number += 1
        one = (span.seconds, -self._number, span)
        if len(self._kept) < _LONGEST:
            heappush(self._kept, one)
        else:
            heapreplace(self._kept, one)

    def spans(self) -> list[Span]:
        return [span for *_, span in sorted(self._kept, reverse=True)]


@dataclass(slots=True)
class _Spans:
    """Sees phases, silences, and how long files and sources took."""

    told: Postmortem
    _silences: _Longest = field(default_factory=_Longest)
    _files: _Longest = field(default_factory=_Longest)
    _sources: _Longest = field(default_factory=_Longest)
    _flying: dict[str, list[str]] = field(default_factory=dict)

    def take(self, at: float, event: Event) -> None:
        told, stream, record = self.told, event.stream, event.record
        kind = record["type"]
        if kind == events.PHASE:
            _close(told.phases, at)
            names = [_text(record, "phase"), _text(record, "sub_phase")]
            told.phases.append(Span(" / ".join(filter(None, names)), at, 0.0))
        if kind in _WORK or kind == events.PROGRESS:
            self._pause(at)
            told.last_work = max(told.last_work or told.begin, at)
        if isinstance(record.get("in_flight"), list):
            self._flying[stream] = _paths(record)
        if kind in (events.FILE_DONE, events.SOURCE_DONE):
            seconds = foreign.measured(record.get("seconds")) or 0.0
            kept = self._files if kind == events.FILE_DONE else self._sources
            if kept.wants(seconds):
                source, size = _text(record, "source"), foreign.count(record.get("bytes"))
                name = _text(record, "path") if kind == events.FILE_DONE else source
                more = {"source": source or None, "bytes": size}
                kept.take(Span(name, at - seconds, seconds, more))
        if kind in (events.FILE_DONE, events.FILE_SKIPPED) and stream in self._flying:
            paths = self._flying[stream]
            self._flying[stream] = [path for path in paths if path != record.get("path")]
        if kind == events.FINISHED:
            told.message = foreign.text(record.get("message"))

    def end(self) -> None:
        told = self.told
        self._pause(told.end)
        _close(told.phases, told.end)
        told.silences, told.files = self._silences.spans(), self._files.spans()
        told.sources = self._sources.spans()

    def _pause(self, at: float) -> None:
        """Take down a silence that was long; `at` it is over."""
        worked = self.told.begin if self.told.last_work is None else self.told.last_work
        if at - worked >= _SILENCE_SECONDS:
            self._silences.take(_silence(worked, at, self._flying))


def _close(phases: list[Span], at: float) -> None:
    if phases:
        phases[-1].seconds = max(0.0, at - phases[-1].begin)


def _silence(begin: float, end: float, flying: dict[str, list[str]]) -> Span:
    paths = [path for some in flying.values() for path in some]
    return Span("silence", begin, end - begin, {"in_flight": paths[:_LONGEST]})


def _paths(record: Record) -> list[str]:
    files = [file for file in record["in_flight"] if isinstance(file, dict)]
    return [_text(file, "path") for file in files[:_LONGEST]]


def _text(fields: dict[str, Any], name: str, default: str = "") -> str:
    """Return a text field, as much of it as a state holds."""
    return foreign.text(fields.get(name)) or default


@dataclass(slots=True)
class _Errors:
    """Sees errors, and which was the first behind which no work was done."""

    told: Postmortem
    sign: str | None = None

    def take(self, at: float, record: Record) -> None:
        if record["type"] in _WORK:
            self.sign = None
        if record["type"] != events.ERROR:
            return
        clusters = self.told.errors
        if not clusters or at - clusters[-1].end > _CLUSTER_SECONDS:
            clusters.append(Cluster(at, at))
        cluster = clusters[-1]
        cluster.end = max(cluster.end, at)
        cluster.count += 1
        cluster.retried += bool(record.get("retry"))
        name, message = _text(record, "error", "error"), _text(record, "message")
        if name not in cluster.classes and len(cluster.classes) >= ERROR_CLASSES_KEPT:
            name = "other"
        cluster.classes[name] += 1
        if self.sign is None:
            self.sign = f"{stamp(at)} {name}: {message}" if message else f"{stamp(at)} {name}"
