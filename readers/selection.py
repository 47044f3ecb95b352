"""Which events somebody wants to see. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

import orjson

from journal import events
from journal.clock import stamp
from journal.events import Record
from readers.event import LEVELS, QUIET, Event, Level, level_of
from readers.wording import words_of

Wanted = Callable[[Event], bool]

TOO_DEEP: Final = "(nested too deep to be shown)"

_PATTERN: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Selection:
    """What events have to be; nothing said of a thing lets all pass. Several things all must hold.

    `types` and `sources` are lists as people write them (`a,b`, or `!a,b` for all but these),
    `fields` pairs like `path=a.pdf`: several values of one field are alternatives. `since` and
    `until` are seconds since the epoch, of `ts`; `until` is not included.
    """

    types: str | None = None
    sources: str | None = None
    level: Level | None = None
    grep: str | None = None
    fields: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves out more than what is hidden by default, or than a span of time."""
        return any((self.types, self.sources, self.level, self.grep, self.fields))

    def wanted(self) -> Wanted:
        """Return whether an event is wanted. Raises ValueError for what cannot be meant."""
        tests = list(self._tests())
        match tests:
            case []:
                return lambda _event: True
            case [only]:
                return only
            case _:
                return lambda event: all(test(event) for test in tests)

    def _tests(self) -> Iterable[Wanted]:
        if self.types is not None:
            of_type = wanted_types(self.types)
            yield lambda event: of_type(event[2])
        elif self.level != "debug":
            yield is_loud
        if self.level is not None:
            loud = frozenset(LEVELS[LEVELS.index(self.level) :])
            yield lambda event: level_of(event.record) in loud
        if self.sources is not None:
            of_source = _named(self.sources, "source")
            yield lambda event: of_source(event.record.get("source"))
        for name, values in _fields(self.fields).items():
            yield _has_field(name, values)
        if self.since is not None:
            first = stamp(self.since)
            yield lambda event: event.record["ts"] >= first
        if self.until is not None:
            end = stamp(self.until)
            yield lambda event: event.record["ts"] < end
        if self.grep is not None:
            yield _matches(self.grep)


def is_loud(event: Event) -> bool:
    """Tell whether an event is shown to somebody who asks for nothing."""
    return event[2]["type"] not in QUIET


def wanted_types(types: str) -> Callable[[Record], bool]:
    """Return whether a record is of one of the types; raises ValueError for what is none."""
    only, without = _lists(types)
    for name in without | only:
        if name not in events.CONTROL:
            events.check_type(name)
    if only:
        return lambda record: record["type"] in only
    return lambda record: record["type"] not in without and record["type"] not in QUIET


def _lists(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that are wanted and those that are not; `!a,b` is all but both."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    without = {name.removeprefix("!") for name in names if name.startswith("!")}
    only = {name for name in names if not name.startswith("!")}
    if text.lstrip().startswith("!"):
        without, only = without | only, set()
    return frozenset(only), frozenset(without)


def _named(text: str, what: str) -> Callable[[Any], bool]:
    """Return whether a name is wanted; names may be patterns with `*`, `?` and `[…]`."""
    only, without = _lists(text)
    if not only | without:
        raise ValueError(f"{text!a} names no {what}")

    def is_among(name: str, names: frozenset[str]) -> bool:
        return name in names or any(fnmatchcase(name, one) for one in names if _PATTERN.search(one))

    if only:
        return lambda name: isinstance(name, str) and is_among(name, only)
    return lambda name: not (isinstance(name, str) and is_among(name, without))


def _fields(pairs: Iterable[str]) -> dict[str, set[str]]:
    fields: dict[str, set[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"{pair!a} is no field match; give one like source=federal")
        fields.setdefault(name, set()).add(value)
    return fields


def _has_field(name: str, values: set[str]) -> Wanted:
    """Return whether a field has one of some values; of an object inside, `in_flight.0.path`."""
    path = name.split(".")

    def has(event: Event) -> bool:
        value = field_of(event, path)
        return value is not None and text_of(value) in values

    return has


def field_of(event: Event, path: list[str]) -> Any:
    """Return the field at a path, None if there is none; a record's own fields come first."""
    value: Any = event.record
    if path[0] in ("run_id", "stream") and path[0] not in value:
        value = {"run_id": event.run_id, "stream": event.stream}
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def text_of(value: Any) -> str:
    """Return a field's value as people write it: text as it is, all else as JSON has it."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return TOO_DEEP


def _matches(pattern: str) -> Wanted:
    """Return whether an event's words hold a regular expression; without capitals, in any case."""
    flags = re.IGNORECASE if pattern == pattern.lower() else re.NOFLAG
    try:
        search = re.compile(pattern, flags).search
    except re.error as wrong:
        raise ValueError(f"{pattern!a} is no regular expression: {wrong}") from None
    return lambda event: bool(search(f"{event.record['type']} {words_of(event.record)}"))
