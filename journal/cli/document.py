"""A document for machines."""

import sys
from typing import Any, Final

import orjson

from readers.selection import TOO_DEEP
from readers.text import printable_json

_DEPTH: Final = 100  # orjson writes twice as much, and reads ten times


def print_document(document: Any) -> None:
    """Print what can be JSON, readable for people, too."""
    sys.stdout.buffer.write(printable_json(encoded(document, orjson.OPT_INDENT_2)) + b"\n")


def encoded(document: Any, option: int = 0) -> bytes:
    """Return what can be JSON as orjson writes it.

    What another hand has nested deeper than can be written is cut, and says so.
    """
    try:
        return orjson.dumps(document, option=option)
    except TypeError:
        return orjson.dumps(_cut(document, _DEPTH), option=option)


def _cut(value: Any, depth: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return TOO_DEEP
    if isinstance(value, dict):
        return {name: _cut(one, depth - 1) for name, one in value.items()}
    return [_cut(one, depth - 1) for one in value]
