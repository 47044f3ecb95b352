"""Durations and rates as a caller writes them: `20m`, `1h30m`, `64KiB/60s`. Pure."""

import re
from datetime import timedelta
from math import inf
from typing import Final

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {"": 1, "B": 1} | {
    f"{letter}{kind}": base ** (power + 1)
    for power, letter in enumerate("KMGT")
    for kind, base in (("B", 1000), ("iB", 1024))
}
_NUMBER: Final = r"(\d{1,12}(?:\.\d{1,9})?)"
_PART: Final = re.compile(rf"{_NUMBER}\s*(ms|s|min|m|h|d)\s*", re.ASCII)
_SIZE: Final = re.compile(rf"{_NUMBER}\s*([KMGT]i?B|B|)", re.ASCII)

Duration = float | str | timedelta


def seconds_of(name: str, value: Duration) -> float:
    """Return the seconds of a duration: a number of them, a timedelta, or text like `1h30m`.

    Raises ValueError, which names what it was for, if it is none or not above 0.
    """
    seconds = 0.0
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        parts = list(_PART.finditer(value.strip()))
        if "".join(part[0] for part in parts) == value.strip():
            seconds = sum(float(part[1]) * _SECONDS[part[2]] for part in parts)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    if not 0 < seconds < inf:
        raise ValueError(f"{name} {value!r} is no duration: expected seconds, or text like 1h30m")
    return seconds


def bytes_of(name: str, value: str) -> int:
    """Return the bytes of a size like `27GB` or `4GiB`.

    Raises ValueError, which names what it was for, if it is none.
    """
    size = _SIZE.fullmatch(value.strip())
    if size is None:
        raise ValueError(f"{name} {value!r} is no size: expected bytes, like 27GB or 512MiB")
    number: int = round(float(size[1]) * _BYTES[size[2]])
    return number


def rate_of(name: str, value: str) -> tuple[int, float]:
    """Return bytes and the seconds in which they are due, of text like `64KiB/60s`.

    Raises ValueError, which names what it was for, if it is none.
    """
    amount, slash, span = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not slash or _SIZE.fullmatch(amount.strip()) is None:
        raise ValueError(f"{name} {value!r} is no rate: expected bytes and a time, like 64KiB/60s")
    return bytes_of(name, amount), seconds_of(name, span)
