"""CPU time, and how it is compared: side by side, in many short rounds.

What is measured and its yardstick take turns, so that a change of the machine's speed meets both;
each round gives a ratio, and the median of them is the result. Other processes disturb single
rounds, hardly ever half of them.
"""

import contextlib
import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from time import process_time
from unittest.mock import patch

_CHILD_SECONDS = 60.0  # no child process takes longer


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: rounds if the user asked for a number; `quick` only shows that it works."""

    rounds: int | None = None
    quick: bool = False

    def of(self, usual: int, quick: int = 2) -> int:
        """Return how many rounds to do."""
        return self.rounds or (quick if self.quick else usual)


def seconds(*works: Callable[[], float], rounds: int) -> list[list[float]]:
    """Let each work take its own time, all in turn; return the seconds of each, by rounds.

    Every other round goes backwards: none has always the same before it.
    """
    taken: list[list[float]] = [[] for _ in works]
    for round_number in range(rounds):
        turn = list(zip(works, taken, strict=True))
        for work, mine in turn if round_number % 2 else turn[::-1]:
            mine.append(work())
    return taken


def ratio(measured: list[float], yardstick: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return median(one / other for one, other in zip(measured, yardstick, strict=True))


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that a call takes."""
    before = process_time()
    work()
    return process_time() - before


@contextlib.contextmanager
def compiled() -> Iterator[None]:
    """Let child processes find all modules compiled, as installed ones are, from their second on.

    What this process was told about compiling is not theirs; the compiled files are thrown away.
    """
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = cache
        yield


def child_cpu(command: list[str]) -> float:
    """Return the CPU seconds, user's and system's, of a process that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=_CHILD_SECONDS)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
