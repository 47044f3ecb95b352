"""A document for machines on standard output."""

import sys
from typing import Any

import orjson

from readers.text import printable_json


def print_document(document: Any) -> None:
    """Print what can be JSON, readable for people, too."""
    body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    sys.stdout.buffer.write(printable_json(body) + b"\n")
