"""Numbers as people read them: durations and sizes. Pure."""

from typing import Any, Final

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")


def duration(seconds: float) -> str:
    """Format a duration: `42 s`, `12 min`, `3 h 05 min`, `4 d 02 h`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 120 * 60:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def size(number: Any) -> str:
    """Format a number of bytes with three digits or so: `999 B`, `12.3 KB`, `3.20 GB`."""
    if type(number) not in (int, float):
        return "? B"  # a foreign hand wrote it
    unit = 0
    while number >= 999.5 and unit < len(_UNITS) - 1:
        number /= 1000
        unit += 1
    digits = 0 if unit == 0 or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f} {_UNITS[unit]}"
