"""Two runs side by side: what differs, and what that explains of their times. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from journal.clock import parse_stamp
from readers.status import Status


@dataclass(frozen=True, slots=True)
class Side:
    """A source, or a whole run, in one of two runs: seconds None where nobody knows."""

    seconds: float | None = None
    files: int = 0
    bytes: int = 0
    errors: int = 0

    @property
    def rate(self) -> float | None:
        """Bytes per second."""
        return self.bytes / self.seconds if self.seconds else None


@dataclass(frozen=True, slots=True)
class Difference:
    """The same thing in two runs; None where a run has not got it."""

    name: str
    a: Side | None
    b: Side | None

    @property
    def seconds(self) -> float:
        """By how much b took longer; a thing that only one has counts whole."""
        return ((self.b and self.b.seconds) or 0.0) - ((self.a and self.a.seconds) or 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs: as a whole, source by source (most seconds first), and fields that differ."""

    whole: Difference
    sources: list[Difference]
    fields: dict[str, tuple[Any, Any]]
    errors: dict[str, tuple[int, int]]


_FIELDS = ("state", "job", "phase", "sub_phase", "attempt", "instance_type", "region", "dropped")


def compare(a: Status, b: Status) -> Comparison:
    """Compare two runs by their documents."""
    ours, theirs = _sources(a.document), _sources(b.document)
    names = dict.fromkeys([*ours, *theirs])
    differences = [Difference(name, ours.get(name), theirs.get(name)) for name in names]
    return Comparison(
        whole=Difference("run", _whole(a), _whole(b)),
        sources=sorted(differences, key=lambda one: -abs(one.seconds)),
        fields={
            name: pair
            for name in _FIELDS
            if (pair := (_field(a, name), _field(b, name)))[0] != pair[1]
        },
        errors=_errors(a.document, b.document),
    )


def _field(status: Status, name: str) -> Any:
    return status.verdict.state if name == "state" else status.document.get(name)


def _whole(status: Status) -> Side:
    document = status.document
    progress, errors = (_mapping(document.get(name)) for name in ("progress", "errors"))
    ended = _mapping(document.get("finished")).get("at") or document.get("last_update")
    return Side(
        _between(document.get("start_time"), ended),
        _count(progress.get("files_done")),
        _count(progress.get("bytes_done")),
        _count(errors.get("count")),
    )


def _sources(document: Mapping[str, Any]) -> dict[str, Side]:
    rows = document.get("sources")
    sides: dict[str, Side] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            place = f"{row.get('sub_phase') or '-'}/{row.get('source')}"
            ended = row.get("ended") or document.get("last_update")
            sides[place] = Side(
                _between(row.get("started"), ended),
                _count(row.get("files")),
                _count(row.get("bytes")),
                _count(row.get("errors")),
            )
    return sides


def _errors(*documents: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    a, b = (dict(_classes(document)) for document in documents)
    names = sorted({*a, *b})
    return {name: (a.get(name, 0), b.get(name, 0)) for name in names if a.get(name) != b.get(name)}


def _classes(document: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    classes = _mapping(document.get("errors")).get("classes")
    for one in classes if isinstance(classes, list) else []:
        if isinstance(one, dict):
            yield str(one.get("error")), _count(one.get("count"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    return value if type(value) is int and value >= 0 else 0


def _between(start: Any, end: Any) -> float | None:
    try:
        return max(0.0, parse_stamp(end) - parse_stamp(start))
    except (ValueError, TypeError, OverflowError):
        return None
