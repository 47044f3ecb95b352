"""A run's status as lines for people: verdict and why first, then all that they rest on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Final

from journal.cli.terminal import LEAST_COLUMNS, Terminal, table
from journal.cli.when import time_form
from journal.clock import parse_stamp
from journal.limits import CLOCK_SLACK_SECONDS, COUNT_MAX
from journal.words import duration, size
from readers.status import Status
from readers.text import printable

_SIGNS: Final = {"ok": "✓", "done": "✓", "warn": "!", "critical": "✗"}
_SOURCES_SHOWN: Final = 30
_FLYING_SHOWN: Final = 8
_BAR_COLUMNS: Final = 12
_BAR_LEAST: Final = 6  # on a narrow screen
_WRAP_LEAST: Final = 20  # columns


def signed(health: object, terminal: Terminal) -> str:
    """Return a health as a sign and a word, in its colour."""
    word = printable(health)
    if word not in _SIGNS:
        return word
    return terminal.styled(f"{_SIGNS[word]} {word}", word)


@dataclass(slots=True)
class StatusLines:
    """Makes the lines of a status for a terminal, its times in the local time zone or in UTC."""

    terminal: Terminal
    utc: bool = False
    time: Callable[[Any], str] = field(init=False)
    minute: Callable[[Any], str] = field(init=False)

    def __post_init__(self) -> None:
        self.time = time_form(utc=self.utc)
        self.minute = time_form(utc=self.utc, to="minutes")

    def of(self, status: Status) -> Iterator[str]:
        """Yield the lines, each whole and fit for a terminal."""
        document, verdict = status.document, status.verdict
        strong = self.terminal.styled(printable(status.run_id), "strong")
        yield f"{strong}  {verdict.state}  {signed(verdict.health, self.terminal)}"
        yield from self._wrapped("  ", printable(verdict.why))
        yield ""
        for name, words in self._facts(status):
            yield from self._wrapped(f"{name:<9} ", printable(words))
        yield from self._phases(document.get("phases"))
        yield from self._sources(document.get("sources"))
        yield from self._flying(document)

    def _wrapped(self, head: str, text: str) -> Iterator[str]:
        """Break a text at the width there is: what a verdict rests on is not cut off."""
        columns = self.terminal.columns
        lines = [text] if columns is None else wrap(text, max(columns - len(head), _WRAP_LEAST))
        for line in lines or [""]:
            yield f"{head}{line}".rstrip()
            head = " " * len(head)

    def _facts(self, status: Status) -> Iterator[tuple[str, str]]:
        document = status.document
        where = [document.get(key) for key in ("phase", "sub_phase", "current_operation")]
        yield "phase", " / ".join(str(name) for name in where if name)
        yield "details", f"{document.get('details')}"
        if status.is_pruned:
            yield "events", "pruned; this summary is what is left"
        yield from self._times(document, status.store_time)
        yield from self._watched(document, is_over=status.verdict.liveness is None)
        yield from self._errors(document.get("errors"))
        if document.get("dropped"):
            yield "dropped", f"{document['dropped']} records could not be kept"
        yield from self._journal(document)
        yield from self._score(document.get("eta_score"))

    def _times(self, document: dict[str, Any], store_time: float) -> Iterator[tuple[str, str]]:
        if document.get("start_time"):
            attempt = document.get("attempt", 1)
            yield "started", f"{self.time(document['start_time'])}, attempt {attempt}"
        yield "seen", self.time(document.get("last_update"))
        eta = document.get("eta")
        if isinstance(eta, dict):
            between = f"between {self.time(eta.get('low'))} and {self.time(eta.get('high'))}"
            left = _instant(eta.get("at"))
            soon = "" if left is None else f" (in {duration(max(0.0, left - store_time))})"
            about = f"about {self.time(eta.get('at'))}{soon}"
            yield "ends", f"{about}, {between}, by {eta.get('basis')}"

    def _watched(self, document: dict[str, Any], *, is_over: bool) -> Iterator[tuple[str, str]]:
        """Say what a run at work is judged by: its host and clock, and when it has stalled."""
        vitals = document.get("vitals")
        if is_over or not isinstance(vitals, dict):
            return
        if vitals.get("host"):
            yield "host", f"{vitals['host']}, pid {vitals.get('pid')}{_clock(vitals)}"
        limit = _number(vitals.get("stall_after_seconds"))
        if limit is not None:
            reason = vitals.get("stall_limit")
            because = f" ({reason})" if reason else ""
            yield "stalled", f"after {duration(limit)} without work{because}"

    def _errors(self, errors: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(errors, dict) or not errors.get("count"):
            return
        yield "errors", f"{errors['count']}"
        for known in _mappings(errors.get("classes")):
            last = f"last {self.time(known.get('last'))}: {known.get('message')}"
            yield "", f"{known.get('count')} × {known.get('error')}, {last}"

    def _journal(self, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Say what the journal itself amounts to: its streams and records."""
        own = document.get("journal")
        streams = own.get("streams") if isinstance(own, dict) else None
        if not isinstance(streams, dict) or not streams:
            return
        cursors = [part.get("cursor") for part in streams.values() if isinstance(part, dict)]
        places = [place for place in cursors if isinstance(place, dict)]
        records = sum(int(_number(place.get("seq")) or 0) for place in places)
        segments = sum(int(_number(place.get("segment")) or 0) + 1 for place in places)
        where = f"{_counted(segments, 'segment')} of {_counted(len(streams), 'stream')}"
        yield "journal", f"{_counted(records, 'record')} in {where}"

    def _score(self, value: Any) -> Iterator[tuple[str, str]]:
        """Hold what was said of the end while the run went on against what came true."""
        for said in _mappings(value):
            real, predicted = _instant(said.get("real")), _instant(said.get("predicted"))
            low, high = _instant(said.get("low")), _instant(said.get("high"))
            share = _number(said.get("fraction"))
            if real is None or predicted is None or share is None:
                continue
            off = predicted - real
            told = f"{duration(abs(off))} too {'late' if off > 0 else 'early'}" if off else "exact"
            inside = low is not None and high is not None and low <= real <= high
            bounds = "within its interval" if inside else "outside its interval"
            at = self.time(said.get("predicted"))
            yield "predicted", f"{at} at {share:4.0%}: {told}, {bounds}"

    def _phases(self, value: Any) -> Iterator[str]:
        """Show the sub-phases, if there are several."""
        phases = _mappings(value)
        if len(phases) < 2:
            return
        yield ""
        head = ("SUB-PHASE", "STATE", "SOURCES DONE", "ENDS")
        rows = [self._phase_row(phase) for phase in phases[-_SOURCES_SHOWN:]]
        yield from self._table(head, rows, left=2)

    def _phase_row(self, phase: dict[str, Any]) -> tuple[str, ...]:
        done = printable(f"{phase.get('sources_completed')} of {phase.get('sources')}")
        name, state = (printable(phase.get(key)) for key in ("sub_phase", "state"))
        return name, state, done, self._ends(phase)

    def _sources(self, value: Any) -> Iterator[str]:
        sources = _mappings(value)
        if not sources:
            return
        yield ""
        hidden, shown = len(sources) - _SOURCES_SHOWN, sources[-_SOURCES_SHOWN:]
        if hidden > 0:
            yield f"({hidden} earlier sources are not shown)"
        head: tuple[str, ...]
        head = ("SOURCE", "SUB-PHASE", "STATE", "FILES", "BYTES", "ERRORS", "ENDS")
        rows = [self._row(source) for source in shown]
        if self.terminal.is_interactive:
            head = (*head[:3], "DONE", *head[3:])
            rows = [(*row[:3], self._bar(one), *row[3:]) for row, one in zip(rows, shown)]  # noqa: B905 - one each
        left = 4 if self.terminal.is_interactive else 3
        yield from table(head, rows, left=left, columns=self.terminal.columns, spare=1)
        if any(source.get("totals_grow") for source in shown):
            yield "+: more came than was said; the total is what is known so far"

    def _bar(self, source: dict[str, Any]) -> str:
        """Return a bar of what of a source is done, by bytes or else by files."""
        columns = _BAR_COLUMNS if (self.terminal.columns or 0) >= 2 * LEAST_COLUMNS else _BAR_LEAST
        for done, total in (("bytes", "bytes_total"), ("files", "files_total")):
            part, whole = _number(source.get(done)), _number(source.get(total))
            if part is not None and whole:
                share = min(1.0, part / whole)
                return f"{self.terminal.bar(share, columns)} {share:4.0%}"
        is_done = source.get("state") == "done"
        return f"{self.terminal.bar(1.0, columns)} 100%" if is_done else ""

    def _row(self, source: dict[str, Any]) -> tuple[str, ...]:
        files, total = source.get("files"), source.get("files_total")
        moved, planned = source.get("bytes") or 0, source.get("bytes_total")
        grows = "+" if source.get("totals_grow") else ""
        return (
            printable(source.get("source")),
            printable(source.get("sub_phase")),
            printable(source.get("state")),
            printable(f"{files} of {total}{grows}" if total is not None else f"{files}"),
            f"{size(moved)} of {size(planned)}{grows}" if planned is not None else size(moved),
            printable(source.get("errors", 0)),
            self._ends(source),
        )

    def _flying(self, document: dict[str, Any]) -> Iterator[str]:
        """Show the files in flight: how far each is, and for how long."""
        vitals = document.get("vitals")
        files = _mappings(vitals.get("in_flight")) if isinstance(vitals, dict) else []
        if not files:
            return
        yield ""
        rows = [_flight(file) for file in files[:_FLYING_SHOWN]]
        yield from self._table(("IN FLIGHT", "BYTES", "DONE", "FOR"), rows, left=1)
        if len(files) > _FLYING_SHOWN:
            yield f"({len(files) - _FLYING_SHOWN} more)"

    def _table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> list[str]:
        return table(head, rows, left=left, columns=self.terminal.columns)

    def _ends(self, item: dict[str, Any]) -> str:
        """Return when a source or sub-phase will be done, nothing if nobody knows."""
        eta = item.get("eta")
        at = eta.get("at") if isinstance(eta, dict) else None
        return "" if _instant(at) is None else self.minute(at)


def _flight(file: dict[str, Any]) -> tuple[str, ...]:
    done, whole = _number(file.get("bytes")), _number(file.get("size"))
    seconds = _number(file.get("seconds"))
    share = f"{min(1.0, (done or 0.0) / whole):.0%}" if whole else ""
    moved = f"{size(done or 0)} of {size(whole)}" if whole else size(done or 0)
    return (
        printable(file.get("path")),
        moved,
        share,
        "" if seconds is None else duration(max(0.0, seconds)),
    )


def _clock(vitals: dict[str, Any]) -> str:
    offset = _number(vitals.get("clock_offset"))
    if offset is None:
        return ""
    if abs(offset) <= CLOCK_SLACK_SECONDS:
        return ", its clock as the store's"
    way = "behind" if offset > 0 else "ahead of"
    return f", its clock {duration(abs(offset))} {way} the store's"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _mappings(value: Any) -> list[dict[str, Any]]:
    """Take what a list of mappings has of them; the document may be another program's."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) <= COUNT_MAX else None


def _instant(text: Any) -> float | None:
    try:
        return parse_stamp(text)
    except (ValueError, TypeError, OverflowError):
        return None
