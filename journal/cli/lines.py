"""Events as lines, for people and for machines."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import click
import orjson

from journal.cli.terminal import PIPE, Terminal
from journal.cli.when import time_form
from journal.clock import StampReader
from journal.events import HEARTBEAT, Record
from journal.foreign import instant
from journal.layout import MAIN
from journal.words import duration
from readers.event import QUIET, Event, Stretch, level_of
from readers.selection import Wanted, field_of, is_loud, text_of
from readers.text import printable, printable_json
from readers.wording import words_of

LINES: Final = ("human", "json", "raw")  # the forms of a line
GAP_SECONDS: Final = 120.0  # so long without an event, and it is shown

Form = Callable[[Sequence[Event]], bytes]
"""What makes the lines of some events, each with its end; nothing for one that is not wanted."""

_BRACE: Final = {ord("}")}
_WIDTH: Final = 15
_TO_MINUTES: Final = len("2025-08-05T13:21")
_STYLES: Final = {"debug": "dim", "warning": "warn", "error": "critical"}
_SLOT: Final = re.compile(r"\{([a-z0-9_.]+)\}|\\([nt\\])")
_ESCAPES: Final = {"n": "\n", "t": "\t", "\\": "\\"}

types_option = click.option(
    "-t", "--type", "types", metavar="TYPES", help="Only these: a,b — or all but: !a,b"
)


@dataclass(frozen=True, slots=True)
class Style:
    """How lines are to look: on what, in which time zone, with which fields.

    `fields` are the names of what is shown of an event instead of a line of words, `template` a
    text with such names in braces. `has_runs` says whether lines name their runs.
    """

    terminal: Terminal = PIPE
    utc: bool = False
    fields: tuple[str, ...] = ()
    template: str | None = None
    has_runs: bool = False
    has_gaps: bool = False


def form_of(output: str, wanted: Wanted, style: Style) -> Form:
    """Return the form that `-o` asks for, one of LINES, of the events that are wanted."""
    if output == "json" and not style.fields:
        form = _batch(_json_line(), wanted, printable_json)
        return _json_stretches(form) if wanted is is_loud else form
    if output == "json":
        return _batch(_json_fields(style.fields), wanted, printable_json)
    if output == "raw":
        # A terminal is no place for whatever bytes somebody left there.
        is_tty = sys.stdout.isatty()
        return _batch(lambda event: event.line + b"\n", wanted, printable_json if is_tty else None)
    return Human(wanted, style)


def _batch(
    line: Callable[[Event], bytes], wanted: Wanted, shown: Callable[[bytes], bytes] | None
) -> Form:
    def form(events: Sequence[Event]) -> bytes:
        lines = b"".join([line(event) for event in events if wanted(event)])
        return shown(lines) if shown is not None else lines

    return form


def _json_stretches(slow: Form) -> Form:
    """Return the form that makes of a stretch what `slow` does, for all its lines at once.

    A line that holds a field of these names, or ends in blanks, is `slow`'s.
    """

    def form(events: Sequence[Event]) -> bytes:
        if not isinstance(events, Stretch):
            return slow(events)
        place = b"," + orjson.dumps({"run_id": events.run_id, "stream": events.stream})[1:] + b"\n"
        columns = zip(events.lines, events.kinds, strict=True)
        lines = [line for line, kind in columns if kind not in QUIET]
        text = b"\n".join([*lines, b""])
        if b'"run_id"' in text or b'"stream"' in text or {line[-1] for line in lines} > _BRACE:
            return slow(events)
        return printable_json(place.join([*[line[:-1] for line in lines], b""]))

    return form


def _json_line() -> Callable[[Event], bytes]:
    """Return the form of an event for machines: its own bytes with run_id and stream behind."""
    tails: dict[tuple[str, str], bytes] = {}

    def line(event: Event) -> bytes:
        run_id, stream, record, stored = event
        if "run_id" in record or "stream" in record:
            return _dumped({**record, "run_id": run_id, "stream": stream})
        tail = tails.get((run_id, stream))
        if tail is None:
            tail = b"," + orjson.dumps({"run_id": run_id, "stream": stream})[1:] + b"\n"
            tails[run_id, stream] = tail
        if not stored.endswith(b"}"):
            stored = stored.rstrip()
        return stored[:-1] + tail

    return line


def _dumped(record: Record) -> bytes:
    """Write a record; what is nested too deep for that is left out."""
    try:
        return orjson.dumps(record) + b"\n"
    except TypeError:
        plain = {k: v for k, v in record.items() if not isinstance(v, dict | list)}
        return orjson.dumps({**plain, "truncated": True}) + b"\n"


def _json_fields(names: Iterable[str]) -> Callable[[Event], bytes]:
    paths = [(name, name.split(".")) for name in names]

    def line(event: Event) -> bytes:
        found = {name: field_of(event, path) for name, path in paths}
        return _dumped({name: value for name, value in found.items() if value is not None})

    return line


@dataclass(slots=True)
class Human:
    """Lines for people: time, run and stream where there are several, type, and what it says."""

    wanted: Wanted
    style: Style
    _time: Callable[[str], str] = field(init=False)
    _line: Callable[[Event], str] = field(init=False)
    _gaps: "Gaps | None" = field(init=False)

    def __post_init__(self) -> None:
        self._time = _cached(time_form(utc=self.style.utc))
        self._line = self._choose()
        is_plain = self._line == self._of_words
        self._gaps = Gaps() if self.style.has_gaps and is_plain else None

    def _choose(self) -> Callable[[Event], str]:
        if self.style.template is not None:
            return self._templated(self.style.template)
        if self.style.fields:
            return self._templated("\\t".join(f"{{{name}}}" for name in self.style.fields))
        return self._of_words

    def __call__(self, events: Sequence[Event]) -> bytes:
        """Return the lines of some events, those that come next."""
        lines: list[str] = []
        wanted, line, gaps = self.wanted, self._line, self._gaps
        for event in events:
            if gaps is not None and (gap := gaps.before(event)):
                lines.append(self.style.terminal.styled(gap, "dim"))
            if wanted(event):
                lines.append(line(event))
        return self.style.terminal.encoded("\n".join([*lines, ""])) if lines else b""

    def _of_words(self, event: Event) -> str:
        time, styled = self._time(event.record["ts"]), self.style.terminal.styled
        run = f"{event.run_id} " if self.style.has_runs else ""
        if not self.style.terminal.has_colour:
            return printable(f"{time} {run}{_told(event)}").rstrip()
        told, style = printable(run + _told(event)).rstrip(), _STYLES.get(level_of(event.record))
        return f"{styled(printable(time), 'dim')} {styled(told, style) if style else told}"

    def _templated(self, template: str) -> Callable[[Event], str]:
        slots = _SLOT

        def fill(event: Event) -> str:
            def value(match: re.Match[str]) -> str:
                if match[2]:
                    return _ESCAPES[match[2]]
                return printable(self._value(event, match[1]))

            return slots.sub(value, template)

        return fill

    def _value(self, event: Event, name: str) -> str:
        match name:
            case "time":
                return self._time(event.record["ts"])
            case "words":
                return words_of(event.record)
            case "level":
                return level_of(event.record)
            case _:
                value = field_of(event, name.split("."))
                return "-" if value is None else text_of(value)


class Gaps:
    """Sees where nothing happened for long: between two events that are not hidden by default."""

    def __init__(self) -> None:
        self._read = StampReader()
        self._last: dict[str, str] = {}  # by run: the latest time that an event told
        self._beats: dict[str, int] = {}

    def before(self, event: Event) -> str | None:
        """Return the line that goes before an event, if it came after a gap."""
        run_id, _, record, _ = event
        kind = record["type"]
        if kind in QUIET:
            if kind == HEARTBEAT:
                self._beats[run_id] = self._beats.get(run_id, 0) + 1
            return None
        ts: str = record["ts"]
        last, beats = self._last.get(run_id), self._beats.pop(run_id, 0)
        if last is not None and ts[:_TO_MINUTES] == last[:_TO_MINUTES]:
            self._last[run_id] = max(ts, last)
            return None
        at = instant(ts, self._read)
        before = None if last is None else instant(last, self._read)
        if at is not None and (before is None or at > before):
            self._last[run_id] = ts
        if at is None or before is None or at - before < GAP_SECONDS:
            return None
        told = f", {beats} heartbeat{'s' * (beats > 1)}" if beats else ""
        return f"-- {duration(at - before)} without an event{told} --"


def line_of(event: Event, time: Callable[[str], str]) -> str:
    """Return an event's line as it is on a pipe, without its end; `time` shows a `ts`."""
    return printable(f"{time(event.record['ts'])} {_told(event)}").rstrip()


def _told(event: Event) -> str:
    stream = "" if event.stream == MAIN else f"[{event.stream}] "
    return f"{stream}{event.record['type']:<{_WIDTH}} {words_of(event.record)}"


def _cached(form: Callable[[Any], str]) -> Callable[[str], str]:
    """Return a form of a `ts` that keeps the second last shown: neighbours share it."""
    last = shown = ""

    def cached(ts: str) -> str:
        nonlocal last, shown
        head = ts[:19]
        if head != last or len(ts) != 27:
            last, shown = head, form(ts)
        return shown

    return cached
