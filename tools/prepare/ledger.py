"""A ledger says what is finished, one JSON line each, and survives the process at any instant.

The work comes first, whole and under its final name; then its line; only then is it announced. So
what was announced is never done again, and what has no line is done anew. A line torn by the end
of the process is no line.
"""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished piece of work: `path` names it, `bytes` is the size of what went in."""

    path: str
    bytes: int
    source: str = ""
    bad: int = 0  # members or records that had to be left out
    records: int = 0
    duplicates: int = 0
    end: int = 0  # where its records end in records.jsonl


class Ledger:
    """An append-only list of finished work, safe under threads, as a context manager.

    `identity` names what the work depends on: lines noted for another identity do not count.
    `guard` is called before each line and raises if this process may no longer write. Opening
    makes a new file, so that a process that was taken over cannot add to this one.
    """

    def __init__(self, path: Path, *, identity: str, guard: Callable[[], None]) -> None:
        self.path = path
        self._identity = identity
        self._guard = guard
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self.entries: list[Finished] = []
        self.keep(self._read())

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def keep(self, entries: Iterable[Finished]) -> None:
        """Forget everything but these entries."""
        self.entries = list(entries)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        # Unbuffered: one write call for one line, so a killed process tears at most the last one.
        file = fresh.open("wb", buffering=0)
        self.__exit__()
        self._file = file
        file.write(b"".join(map(_line, [{"identity": self._identity}, *map(asdict, self.entries)])))
        self._guard()
        fresh.replace(self.path)

    def add(self, entry: Finished) -> None:
        """Note a piece of work that is finished and in its place."""
        self._guard()
        with self._lock:
            if self._file:
                self._file.write(_line(asdict(entry)))
            self.entries.append(entry)

    def _read(self) -> list[Finished]:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return []
        try:
            head, *lines = (json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines())
            if head != {"identity": self._identity}:
                return []
            return [Finished(**line) for line in lines]
        except (ValueError, TypeError):
            return []  # not a ledger of ours: do the work again


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode() + b"\n"
