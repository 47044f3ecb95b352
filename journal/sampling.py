"""The order of work that lets an end be estimated early: some of each source, then the rest. Pure.

A source of which nothing has been done yet may cost ten times as much per byte as the one before
it. A dozen of its files tell, and twice as well if they come from all over it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from journal.limits import SAMPLE_FILES

Name = TypeVar("Name")
Item = TypeVar("Item")


def sampled(
    sources: Iterable[tuple[Name, Iterable[Item]]], count: int = SAMPLE_FILES
) -> Iterator[tuple[Name, Item]]:
    """Yield (source, item): `count` items of each source, then the rest, in their order.

    Of a list they are taken from all over it, of anything else its first ones. Every item comes
    once, and is asked for only when its turn has come.
    """
    rests = []
    for name, items in sources:
        sample, rest = _split(items, count)
        rests.append((name, rest))
        for item in sample:
            yield name, item
    for name, rest in rests:
        for item in rest:
            yield name, item


def _split(items: Iterable[Item], count: int) -> tuple[Iterator[Item], Iterator[Item]]:
    """Return what is taken first of a source, and what is left."""
    if not isinstance(items, Sequence) or len(items) <= count or count < 1:
        rest = iter(items)
        return islice(rest, max(0, count)), rest
    early = {number * len(items) // count for number in range(count)}
    return (
        (items[place] for place in sorted(early)),
        (item for place, item in enumerate(items) if place not in early),
    )
