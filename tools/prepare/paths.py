"""Names that come from outside: made safe for the disk, for text and for a terminal."""

import re

from tools.prepare.errors import UnsafePath

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
SHOWN_CHARS = 200  # of a name, on a terminal


def safe_relative(name: str) -> str:
    """Return a name as a relative path with `/` that stays below the directory it is put in.

    Raises UnsafePath for one that is empty, absolute, or climbs with `..` (also written with
    backslashes, which other systems take for separators).
    """
    if not name or "\0" in name:
        raise UnsafePath(name, "is empty or contains NUL")
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        raise UnsafePath(name, "is absolute")
    if ".." in re.split(r"[/\\]", name):
        raise UnsafePath(name, "climbs out of its directory")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts:
        raise UnsafePath(name, "names a directory")
    return "/".join(parts)


def as_text(name: str) -> str:
    """Return a file name as text that can be encoded: bytes that were not UTF-8 become escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str, limit: int = SHOWN_CHARS) -> str:
    """Return a text without control and formatting characters, cut to `limit` characters.

    A file name could otherwise clear the screen, or write over the lines above.
    """
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return clean if len(clean) <= limit else f"…{clean[1 - limit :]}"
