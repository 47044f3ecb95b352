"""Sizes by keys, of very many: a table of 16 bytes a place, where a dict takes a hundred."""

from array import array
from collections.abc import Hashable
from typing import Final

_FIRST_PLACES: Final = 1024
_KEY_BITS: Final = 0xFFFF_FFFF_FFFF_FFFF


class Known:
    """Keeps a number for each key, by the key's hash alone.

    With a million keys the chance that any two are taken for one is less than one in ten million.
    """

    def __init__(self) -> None:
        self._count = 0
        self._make(_FIRST_PLACES)

    def __len__(self) -> int:
        return self._count

    def put(self, key: Hashable, number: int) -> None:
        """Keep a number, from 0 to 2**64 - 1, for a key."""
        if self._count * 3 >= len(self._keys) * 2:
            self._grow()
        mark = hash(key) & _KEY_BITS or 1
        place = self._place(mark)
        self._count += not self._keys[place]
        self._keys[place] = mark
        self._numbers[place] = number

    def get(self, key: Hashable) -> int | None:
        """Return the number kept for a key, None if there is none."""
        place = self._place(hash(key) & _KEY_BITS or 1)
        return self._numbers[place] if self._keys[place] else None

    def _place(self, mark: int) -> int:
        """Return where a key is, or where there is room for it."""
        keys, last = self._keys, len(self._keys) - 1
        place = mark & last
        while keys[place] not in (0, mark):
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        keys, numbers = self._keys, self._numbers
        self._make(2 * len(keys))
        for mark, number in zip(keys, numbers, strict=True):
            if mark:
                place = self._place(mark)
                self._keys[place], self._numbers[place] = mark, number

    def _make(self, places: int) -> None:
        self._keys = array("Q", bytes(8 * places))
        self._numbers = array("Q", bytes(8 * places))
