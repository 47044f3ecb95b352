"""The records of a file: JSONL, JSON, CSV or text."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tools.prepare.errors import BadFile

_SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv",
    ".txt": "text", ".md": "text", ".rst": "text", ".py": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """A record: its number in its file, from 0, and its content."""

    number: int
    content: Any


@dataclass(frozen=True, slots=True)
class Flaw:
    """A record that cannot be used, and why."""

    number: int
    why: str


def format_of(name: str) -> str | None:
    """Return the format of a file by its name, None if no format is known for it."""
    return _SUFFIXES.get(Path(name).suffix.lower())


def records(
    file: IO[bytes], format: str, moved: Callable[[int], None], most_bytes: int
) -> Iterator[Record | Flaw]:
    """Yield the records of a file, the bad ones as flaws, in their order.

    `moved` is told the bytes read. Raises ValueError or BadFile if the rest cannot be read.
    """
    if format == "jsonl":
        return _json_lines(file, moved, most_bytes)
    if format == "csv":
        return _csv_rows(file, moved, most_bytes)
    return _whole(file, format, moved, most_bytes)


def canonical(content: Any) -> bytes:
    """Return the one way to write a content: equal contents give equal bytes.

    Raises ValueError for what has no such form: NaN, infinities, lone surrogates.
    """
    text = json.dumps(
        content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode()


def _whole(
    file: IO[bytes], format: str, moved: Callable[[int], None], most_bytes: int
) -> Iterator[Record | Flaw]:
    """Yield a text, or the elements of a JSON list, or the one value of a JSON file."""
    body = file.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise BadFile(f"is larger than {most_bytes} bytes, the most for one record")
    text = body.decode("utf-8-sig")
    if format == "text":
        if text.strip():
            yield Record(0, text)
    else:
        value = json.loads(text)
        for number, content in enumerate(value if isinstance(value, list) else [value]):
            yield Record(number, content)
    moved(len(body))


def _lines(
    file: IO[bytes], moved: Callable[[int], None], most_bytes: int
) -> Iterator[bytes | None]:
    """Yield the lines of a file, None for one that is too long."""
    while line := file.readline(most_bytes + 1):
        moved(len(line))
        if len(line) <= most_bytes:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(most_bytes + 1)
            moved(len(line))
        yield None


def _json_lines(
    file: IO[bytes], moved: Callable[[int], None], most_bytes: int
) -> Iterator[Record | Flaw]:
    for number, line in enumerate(_lines(file, moved, most_bytes)):
        if line is None:
            yield Flaw(number, f"line {number + 1} is longer than {most_bytes} bytes")
        elif line.strip():
            try:
                yield Record(
                    number, json.loads(line.decode("utf-8-sig" if not number else "utf-8"))
                )
            except (ValueError, RecursionError) as error:
                yield Flaw(number, f"line {number + 1}: {error}")


def _csv_rows(
    file: IO[bytes], moved: Callable[[int], None], most_bytes: int
) -> Iterator[Record | Flaw]:
    """Yield each row under its header's names."""

    def text_lines() -> Iterator[str]:
        for number, line in enumerate(_lines(file, moved, most_bytes)):
            if line is None:
                raise BadFile(f"line {number + 1} is longer than {most_bytes} bytes")
            yield line.decode("utf-8-sig" if not number else "utf-8")

    csv.field_size_limit(most_bytes)
    rows = csv.reader(text_lines(), strict=True)
    try:
        header = next(rows, [])
        if len(set(header)) != len(header):
            raise BadFile("two columns of its header have the same name")
        for number, row in enumerate(rows):
            if len(row) == len(header):
                yield Record(number, dict(zip(header, row, strict=True)))
            elif row:
                yield Flaw(
                    number, f"line {rows.line_num}: {len(row)} fields, the header has {len(header)}"
                )
    except csv.Error as error:
        raise BadFile(f"line {rows.line_num}: {error}") from error
