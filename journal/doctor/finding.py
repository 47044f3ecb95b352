"""A finding: how something stands, in one sentence with its numbers, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from journal.errors import JournalError

Level = Literal["ok", "note", "warn", "bad", "unknown"]

_BY_WEIGHT: Final[tuple[Level, ...]] = ("ok", "note", "unknown", "warn", "bad")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing; `remedy` is empty where nothing has to be done."""

    check: str
    level: Level
    says: str
    remedy: str = ""


def of_error(check: str, error: JournalError) -> Finding:
    """Return the finding that an error is: its last clause says what to do."""
    says, _, remedy = str(error).rpartition("; ")
    return Finding(check, "bad", says or remedy, remedy if says else "")


def worst(findings: Iterable[Finding]) -> Level:
    """Return the gravest level among findings, `ok` if there are none."""
    return max((finding.level for finding in findings), key=_BY_WEIGHT.index, default="ok")
