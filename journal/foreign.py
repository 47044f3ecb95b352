"""Fields of records as a state can hold them: of their kind, small, and in bounds. Pure.

A record may have been written by any hand. What is not of its kind is left out, never an error.
"""

from itertools import islice
from types import NoneType
from typing import Any, Final

from journal.clock import StampReader
from journal.events import Record
from journal.limits import (
    CLOCK_OFFSET_MAX,
    COUNT_MAX,
    FIELDS_KEPT,
    IN_FLIGHT_FILES,
    NAME_CHARS,
    STATE_TEXT_CHARS,
    TIME_MAX,
)

_PLAIN: Final = frozenset({str, int, float, bool, NoneType})  # of what JSON holds


def text(value: Any) -> str | None:
    """Take a text, cut to what a state holds of one."""
    return value[:STATE_TEXT_CHARS] if isinstance(value, str) else None


def count(value: Any) -> int | None:
    """Take a whole number that is not negative and can be a size."""
    return value if type(value) is int and 0 <= value <= COUNT_MAX else None


def total(one: int, other: int) -> int:
    """Add two counts; a sum stays a number that every JSON reader holds exactly."""
    return min(one + other, COUNT_MAX)


def seconds(value: Any) -> float:
    """Take a number that is not negative, 0.0 for anything else."""
    return float(value) if type(value) in (int, float) and 0 <= value <= COUNT_MAX else 0.0


def measured(value: Any) -> float | None:
    """Take a number of seconds that somebody measured, None for anything else."""
    return value if type(value) in (int, float) and 0 <= value <= COUNT_MAX else None


def offset(value: Any, default: float) -> float:
    """Take a clock's offset in seconds that a clock can have."""
    sound = type(value) in (int, float) and abs(value) <= CLOCK_OFFSET_MAX
    return float(value) if sound else default


def instant(text: Any, read: StampReader) -> float | None:
    """Take a time in seconds since the epoch that a clock can show."""
    try:
        at = read(text)
    except (ValueError, TypeError):
        return None
    return at if 0 <= at <= TIME_MAX else None


def flat(fields: dict[str, Any]) -> dict[str, Any]:
    """Keep plain values, as many and as long as a state holds: nested ones could be too deep."""
    return {
        key: value[:STATE_TEXT_CHARS] if type(value) is str else value
        for key, value in islice(fields.items(), FIELDS_KEPT)
        if type(value) in _PLAIN and len(key) <= NAME_CHARS
    }


def mappings(value: Any) -> list[dict[str, Any]]:
    """Take what a list has of mappings."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def in_flight(record: Record) -> list[Any]:
    """Take the files in flight that a record names, so many as a state holds."""
    return [flat(item) for item in mappings(record.get("in_flight"))[:IN_FLIGHT_FILES]]
