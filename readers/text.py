"""Text for people. A journal is hostile: none of its control characters reaches a terminal."""

import re
from typing import Any, Final

# C0 and C1 controls, and what reorders or hides text: bidirectional marks (Unicode TR9), line and
# paragraph separators, zero-width characters, the byte order mark, surrogates.
_WIDE: Final = (
    "\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
)
_UNPRINTABLE: Final = re.compile(f"[\x00-\x1f{_WIDE}]")
# In the text of JSON, C0 controls are escaped inside of strings and white space outside.
_UNPRINTABLE_IN_JSON: Final = re.compile(f"[{_WIDE}]")

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")


def printable(text: object) -> str:
    """Return a text with every character that could act on a terminal shown as its escape."""
    return _UNPRINTABLE.sub(_escape, str(text))


def printable_json(text: bytes) -> bytes:
    """Return the bytes of JSON with the same characters escaped: they occur in its strings only."""
    if text.isascii() and b"\x7f" not in text:
        return text
    return _UNPRINTABLE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text.decode()).encode()


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


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
