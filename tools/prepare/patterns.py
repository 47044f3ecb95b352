"""Include and exclude patterns, in the manner of .gitignore.

*.json       a file of that name in any directory
data/*.json  in `data` at the top; `*` and `?` do not cross a `/`
**/raw/*     in any `raw`; `**` crosses directories
/*.txt       at the top only
old/         a directory of that name anywhere, with all below it
"""

import re
from collections.abc import Iterable
from functools import lru_cache


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a relative path (a directory ends with `/`) matches one of the patterns."""
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


def selected(path: str, include: Iterable[str], exclude: Iterable[str]) -> bool:
    """Tell whether a file is wanted: included and not excluded."""
    return matches(path, include) and not matches(path, exclude)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/") if pattern.endswith("/") else pattern.lstrip("/")
    regex = "" if anchored else r"(?:.*/)?"
    position = 0
    while position < len(body):
        token, expression = _token(body, position)
        regex += expression
        position += len(token)
    return re.compile(regex + ("/.*" if pattern.endswith("/") else ""), re.DOTALL)


def _token(body: str, position: int) -> tuple[str, str]:
    """Return the next token of a pattern and the regular expression for it."""
    rest = body[position:]
    if rest.startswith("**/"):
        return "**/", r"(?:.*/)?"
    if rest.startswith("**"):
        return "**", r".*"
    if rest[0] == "*":
        return "*", r"[^/]*"
    if rest[0] == "?":
        return "?", r"[^/]"
    characters = re.match(r"\[(!?)([^\]]+)\]", rest)
    if characters:
        inner = characters[2].replace("\\", r"\\").replace("^", r"\^").replace("[", r"\[")
        return characters[0], f"[{'^/' if characters[1] else ''}{inner}]"
    return rest[0], re.escape(rest[0])
