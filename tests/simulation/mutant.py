"""A rule of the protocol switched off: what the simulator has to notice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Replaced = Callable[..., Any]


@dataclass(frozen=True)
class Mutant:
    """A rule switched off: `make` makes the replacement out of what it replaces."""

    name: str
    owner: Any
    attribute: str
    make: Callable[[Replaced], Any]

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Let the library break the rule for a while."""
        former = getattr(self.owner, self.attribute)
        setattr(self.owner, self.attribute, self.make(former))
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, former)


MUTANTS: dict[str, Mutant] = {}


def mutant(owner: Any, attribute: str) -> Callable[[Callable[[Replaced], Any]], Mutant]:
    """Enter a mutant under the name of the function that makes its replacement."""

    def enter(make: Callable[[Replaced], Any]) -> Mutant:
        one = MUTANTS[make.__name__] = Mutant(make.__name__, owner, attribute, make)
        return one

    return enter
