"""What the command line answers an error with: one line, and an exit code."""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from journal.errors import Corrupt, Held, JournalError, Missing, Refused

if TYPE_CHECKING:
    from journal.health import Verdict

EXIT_DAMAGED: Final = 13

_EXIT: Final[tuple[tuple[type[Exception], int], ...]] = (
    (Missing, 10),
    (Held, 11),
    (Refused, 12),
    (Corrupt, EXIT_DAMAGED),
    (JournalError, 1),
    (ValueError, 2),
)


_ENDED: Final = {"failed": 20, "aborted": 21, "preempted": 21}
_STALLED: Final = 22
_LOST: Final = 23


def exit_status(verdict: "Verdict") -> int:
    """Return the exit code that `--exit-status` gives a verdict, 0 for a run that is well."""
    if verdict.state in _ENDED:
        return _ENDED[verdict.state]
    if verdict.liveness == "lost":
        return _LOST
    return _STALLED if verdict.progress == "stalled" else 0


def _causes(wrong: BaseException) -> Iterator[str]:
    """Yield what led to an error, the nearest first."""
    from journal.redaction import STANDARD  # noqa: PLC0415 - not needed when all goes well

    cause = wrong.__cause__ or wrong.__context__
    while cause is not None:
        yield STANDARD.text(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__ or cause.__context__


def exit_code(wrong: JournalError | ValueError) -> int:
    """Return the exit code that an error stands for."""
    told = getattr(wrong, "code", None)  # a background process has told which
    if isinstance(told, int):
        return told
    return next(code for kind, code in _EXIT if isinstance(wrong, kind))


def complain(words: object) -> None:
    """Print a line about what is wrong."""
    from readers.text import printable  # noqa: PLC0415 - not needed when all goes well

    sys.stderr.write(f"journal: {printable(str(words))}\n")
    sys.stderr.flush()


def fail(wrong: JournalError | ValueError, *, shows_causes: bool = False) -> int:
    """Say what is wrong and, if asked to, why; return the exit code.

    With JOURNAL_DEBUG the error goes on.
    """
    complain(wrong)
    for cause in _causes(wrong) if shows_causes else ():
        complain(f"because {cause}")
    if os.environ.get("JOURNAL_DEBUG"):
        raise wrong
    return exit_code(wrong)
