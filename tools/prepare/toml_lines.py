"""Finds the line of a key in a TOML text: the parser of the standard library does not tell.

Only for messages: it reads line by line, so a multi-line string that looks like a key fools it.
"""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*(["']?)([A-Za-z0-9_-]+)\1\s*=""")


def line_of(text: str, table: str, index: int, key: str) -> int:
    """Return the line, from 1, of `key` in the `index`th (from 0) table named `table`.

    `table` is "" for the top of the file. Falls back to the line of the table, and then to 1.
    """
    found, current, seen = 1, "", {"": 0}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.fullmatch(line)
        if header:
            current = header[2]
            seen[current] = seen.get(current, -1) + 1
        here = current == table and seen[current] == index
        if header and (here or (not table and current == key)):
            found = number
        pair = _KEY.match(line)
        if pair and ((here and pair[2] == key) or (not current and pair[2] in (table, key))):
            return number
    return found
