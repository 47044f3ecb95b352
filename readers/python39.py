"""`datetime.fromisoformat` as Python 3.9 has it, which the old monitor runs. Pure.

Later versions take more texts and other ones. This follows what the interpreter's C code does with
a text (CPython 3.9, Modules/_datetimemodule.c), oddities included: it was compared with 3.9.18.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_END: Final = 0  # C's texts end in a NUL
_OFFSET_BYTES: Final = (5, 8, 15)  # HH:MM, HH:MM:SS, HH:MM:SS.ffffff
_DATE: Final = 10  # characters

_Parts = tuple[int, int, int]  # hours, minutes, seconds


def fromisoformat(text: str) -> datetime:
    """Return the time that a text says, aware or naive as it says. Raises ValueError."""
    try:
        # Whatever character is between date and time, half of a surrogate pair too.
        clean = text
        if "\ud800" <= text[_DATE : _DATE + 1] <= "\udfff":
            clean = f"{text[:_DATE]}T{text[_DATE + 1 :]}"
        body = clean.encode()
        year, month, day = _date(body)
        if len(body) == _DATE:
            return datetime(year, month, day)  # noqa: DTZ001 - the monitor takes it for UTC
        begin = len(clean[: _DATE + 1].encode())
        clock, microsecond, zone = _time(body, begin)
        return datetime(year, month, day, *clock, microsecond, tzinfo=zone)
    except ValueError as wrong:
        raise ValueError(f"no time: {text[:100]!a}") from wrong


def _date(body: bytes) -> tuple[int, int, int]:
    if body[4:5] != b"-" or body[7:8] != b"-":
        raise ValueError("no date")
    return _digits(body, 0, 4), _digits(body, 5, 2), _digits(body, 8, 2)


def _time(body: bytes, begin: int) -> tuple[_Parts, int, timezone | None]:
    signs = [at for at in (body.find(b"+", begin), body.find(b"-", begin)) if at >= 0]
    sign = min(signs, default=len(body))
    clock, microsecond, is_more = _clock(body, begin, sign)
    if sign == len(body):
        if is_more:
            raise ValueError("something is behind the time")
        return clock, microsecond, None
    # Before an offset one character more is passed over, a separator or not.
    if len(body) - sign - 1 not in _OFFSET_BYTES:
        raise ValueError("no offset")
    (hours, minutes, seconds), fraction, is_more = _clock(body, sign + 1, len(body))
    if is_more:
        raise ValueError("something is behind the offset")
    whole = hours * 3600 + minutes * 60 + seconds
    if not whole:
        return clock, microsecond, UTC
    offset = timedelta(seconds=whole, microseconds=fraction)
    zone = timezone(-offset if body[sign : sign + 1] == b"-" else offset)
    return clock, microsecond, zone


def _clock(body: bytes, begin: int, end: int) -> tuple[_Parts, int, bool]:
    """Return hours, minutes and seconds, microseconds, and whether a character is left over."""
    parts: list[int] = []
    at = begin
    for _ in range(3):
        parts.append(_digits(body, at, 2))
        behind = body[at + 2] if at + 2 < len(body) else _END
        at += 3
        if at >= end:
            return _filled(parts), 0, behind != _END
        if behind == ord("."):
            break
        if behind != ord(":"):
            raise ValueError("no separator")
    places = end - at
    if places not in (3, 6):
        raise ValueError("a fraction has 3 digits or 6")
    fraction = _digits(body, at, places) * 10 ** (6 - places)
    return _filled(parts), fraction, end < len(body) and body[end] != _END


def _filled(parts: list[int]) -> _Parts:
    """Return hours, minutes and seconds; what was not said is nothing."""
    hours, minutes, seconds = [*parts, 0, 0][:3]
    return hours, minutes, seconds


def _digits(body: bytes, begin: int, count: int) -> int:
    digits = body[begin : begin + count]
    if len(digits) != count or not digits.isdigit():  # of bytes, it is ASCII's digits alone
        raise ValueError("no digits")
    return int(digits)
