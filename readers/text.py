"""Text for people. A journal is hostile: none of its control characters reaches a terminal."""

import re
import unicodedata
from typing import Final

# C0 and C1 controls, and what reorders or hides text: bidirectional marks (Unicode TR9), line and
# paragraph separators, invisible characters of all scripts, the byte order mark, surrogates, tags.
_WIDE: Final = (
    "\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNPRINTABLE: Final = re.compile(f"[\x00-\x1f{_WIDE}]")
# In the text of JSON, C0 controls are escaped inside of strings and white space outside.
_UNPRINTABLE_IN_JSON: Final = re.compile(f"[{_WIDE}]")
_UNPRINTABLE_IN_DOCUMENT: Final = re.compile(f"[\x00-\x08\x0b-\x1f{_WIDE}]")


def printable(text: object) -> str:
    """Return a text with every character that could act on a terminal shown as its escape."""
    shown = str(text)
    if shown.isascii() and shown.isprintable():
        return shown  # nearly all are, and the expression costs twenty times as much
    return _UNPRINTABLE.sub(_escape, shown)


def printable_json(text: bytes) -> bytes:
    """Return the bytes of JSON with the same characters escaped: they occur in its strings only."""
    # Outside of strings a foreign hand may have left any white space.
    text = text.replace(b"\r", b" ").replace(b"\t", b" ")
    if text.isascii() and b"\x7f" not in text:
        return text
    return _UNPRINTABLE_IN_JSON.sub(_escape_in_json, text.decode()).encode()


def printable_bytes(document: bytes) -> bytes:
    """Return a document of any kind as text whose only controls are ends of lines and tabs."""
    text = document.decode("utf-8", "backslashreplace")
    return _UNPRINTABLE_IN_DOCUMENT.sub(_escape, text).encode()


def cells(text: str) -> int:
    """Return how many columns of a terminal a printable text takes (Unicode TR11, TR44).

    Wide characters take two, combining ones none.
    """
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_in_json(match: re.Match[str]) -> str:
    # JSON writes what is beyond the first plane as two surrogates.
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
