"""One source in one step of the work.

All sources of a step are announced at its beginning, with their totals, so that an end can be
estimated. Then their files are worked through together: a few of each source first, which tell what
the others will cost, then the rest in the order of the manifest.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from typing import Generic, TypeVar

from journal import sampled
from tools.prepare.errors import is_fatal
from tools.prepare.job import Job
from tools.prepare.view import Size

Item = TypeVar("Item")


class Part(ABC, Generic[Item]):
    """A source in a step: its totals, and the files that are still to do."""

    def __init__(self, job: Job, name: str, size: Size, todo: Sequence[Item]) -> None:
        self.job = job
        self.name = name
        self.size = size
        self.todo = todo
        self.left = len(todo)
        self.has_ended = False
        self.source = job.run.source(name, **asdict(size))

    @abstractmethod
    def do(self, item: Item) -> None:
        """Do one file; called from several threads. What it raises has been journalled."""

    def failed(self, error: BaseException) -> None:  # noqa: ARG002 - for those that judge by it
        """Count a file that could not be done."""
        self.job.left_out()

    def end(self) -> None:
        """End the source; nothing of it is done after that."""
        self.has_ended = True
        self.source.done()
        self.job.view.source_done()


def work_through(job: Job, parts: Sequence[Part[Item]]) -> None:
    """Do all files of all parts, several at a time, and end each part with its last file."""
    for part in parts:
        if not part.left:
            part.end()
    # Asked for only when a thread is free, so that a source that is given up hands out no more.
    every = sampled((part, part.todo) for part in parts)
    files = ((part, item) for part, item in every if not part.has_ended)
    for (part, _), error in job.workers.results(lambda pair: pair[0].do(pair[1]), files):
        part.left -= 1
        if error is not None:
            if is_fatal(error):
                raise error
            part.failed(error)
        if not part.left and not part.has_ended:
            part.end()
