"""The order of work that lets an end be estimated early: some of each source, then the rest. Pure.

A source of which nothing has been done yet may cost ten times as much per byte as the one before
it. A dozen of its files tell.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from journal.limits import SAMPLE_FILES

Name = TypeVar("Name")
Item = TypeVar("Item")


def sampled(
    sources: Iterable[tuple[Name, Iterable[Item]]], count: int = SAMPLE_FILES
) -> Iterator[tuple[Name, Item]]:
    """Yield (source, item): the first `count` items of each source, then the rest, in their order.

    Every item comes once, and is asked for only when its turn has come.
    """
    rests = []
    for name, items in sources:
        rest = iter(items)
        rests.append((name, rest))
        for item in islice(rest, count):
            yield name, item
    for name, rest in rests:
        for item in rest:
            yield name, item
