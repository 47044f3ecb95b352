"""What a key may look like: the same for every store, so that none works in one of them only.

A key is components joined by `/`. No component is empty or begins with a dot, so that none leads
out of a local store's root, and what begins with a dot is free for the store's own use. There is
no backslash: SeaweedFS reads it as `/`.
"""

import re
from typing import Final

_COMPONENT: Final = r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*"
_KEY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_PREFIX: Final = re.compile(rf"((?:{_COMPONENT}/)*)[^/\\\x00-\x1f\x7f]*")


def check_key(key: str) -> str:
    """Return `key` if it is well-formed; raises ValueError otherwise."""
    if _KEY.fullmatch(key):
        return key
    raise ValueError(
        f"key {key!a} is not allowed: components joined by '/', none empty, "
        "none beginning with a dot, no backslash, no control characters"
    )


def check_start(start: int) -> int:
    """Return `start` if a get may begin there; raises ValueError otherwise."""
    if start >= 0:
        return start
    raise ValueError(f"start {start} is not allowed: bytes are counted from 0")


def check_listing(prefix: str, delimiter: str) -> str:
    """Return the folder (empty or ending in `/`) in which all keys with this prefix lie.

    Raises ValueError if there can be no such key, or the delimiter is another than `/`.
    """
    match = _PREFIX.fullmatch(prefix)
    if match is None:
        raise ValueError(f"no key can begin with {prefix!a}")
    if delimiter not in ("", "/"):
        raise ValueError(f"delimiter {delimiter!a} is not allowed: '/' or none")
    return match[1]
