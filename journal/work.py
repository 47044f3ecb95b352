"""What a source has cost so far, in sums: what its time still to go is reckoned from. Pure.

A file's time is taken to be a fixed part and a part per byte. The sums of a weighted least-squares
fit of the two are kept, never the files, so a state does not grow with them and what two streams
did of one source adds up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Final, Self

# A file's time varies the more the larger it is; small ones all alike weigh in full.
_EVEN_BYTES: Final = 16 * 1024
_STALL_TIMES: Final = 20.0  # its expected time: what a file took beyond that was no work
_STALL_FILES: Final = 8  # fewer seen, and nothing is expected
_RECENT_SHARE: Final = 0.25  # of the work so far is recent
# What no file has: a journal may be anybody's, and a sum has to stay within what a state holds.
_FILE_BYTES: Final = 2.0**43
_FILE_SECONDS: Final = 1e7
_SUM_MAX: Final = 2.0**50
_SOUND_MAX: Final = 2.0**51


Done = tuple[float, float, float | None]
"""A finished file: when, its bytes, and the seconds it took, None if nobody has measured."""


@dataclass(slots=True)
class Work:
    """Sums over the files that a source has finished; times in seconds.

    `wall` is the time it was at work, waits and stalls left out; `last` is up to when it is told.
    """

    last: float = 0.0
    files: int = 0
    bytes: float = 0.0
    seconds: float = 0.0
    wall: float = 0.0
    unexplained: float = 0.0  # squares of what files took more or less than expected
    longest: float = 0.0  # seconds of a file
    # Of the fit: weights, weighted bytes, their squares, seconds, products.
    w: float = 0.0
    wx: float = 0.0
    wxx: float = 0.0
    wy: float = 0.0
    wxy: float = 0.0
    # The fit as it stood lately, and the recent past against it.
    fixed: float = 0.0
    per_byte: float = 0.0
    fit_at: int = 1
    recent_wall: float = 0.0
    recent_expected: float = 0.0

    @property
    def is_sound(self) -> bool:
        """Tell whether files can have made these sums: what another hand stored need not be."""
        return all(0.0 <= getattr(self, field.name) <= _SOUND_MAX for field in fields(self))

    def file(self, at: float, size: float, seconds: float | None) -> None:
        """Take in a finished file; who has not measured it gives None."""
        self.take([(at, size, seconds)])

    def take(self, done: Iterable[Done]) -> None:  # noqa: PLR0915 - sums in a row, nothing else
        """Take in finished files, in their order: for each when, its bytes and its seconds."""
        # It is done for every file of a journal, and a sum of an object costs more than adding to
        # it: all are local while it lasts.
        last, count, size_sum = self.last, self.files, self.bytes
        seconds_sum, wall = self.seconds, self.wall
        unexplained, longest, fit_at = self.unexplained, self.longest, self.fit_at
        w, wx, wxx, wy, wxy = self.w, self.wx, self.wxx, self.wy, self.wxy
        fixed, per_byte = self.fixed, self.per_byte
        recent_wall, recent_expected = self.recent_wall, self.recent_expected
        for at, whole_size, measured in done:
            gap = at - last
            if gap > 0.0:
                last = at
                if gap > _FILE_SECONDS:
                    gap = _FILE_SECONDS
            else:
                gap = 0.0
            # A call of `min` costs a tenth of it.
            size = whole_size if whole_size < _FILE_BYTES else _FILE_BYTES  # noqa: FURB136
            seconds = gap if measured is None else measured
            seconds = seconds if seconds < _FILE_SECONDS else _FILE_SECONDS  # noqa: FURB136
            expected = fixed + per_byte * size
            # Before this file began it may have been the turn of other sources.
            idle = gap - seconds
            if idle > 0.0 and idle * count >= _STALL_TIMES * wall:
                gap = seconds
            if count >= _STALL_FILES and seconds > _STALL_TIMES * expected > 0.0:
                gap = max(gap - (seconds - expected), min(gap, expected))
                seconds = expected
            if count:
                unexplained += (seconds - expected) ** 2
            if seconds > longest:
                longest = seconds
            count += 1
            size_sum += size
            seconds_sum += seconds
            wall += gap
            weight = 1.0 / (_EVEN_BYTES + size)
            x = weight * size
            w += weight
            wx += x
            wxx += x * size
            wy += weight * seconds
            wxy += x * seconds
            if count >= fit_at:
                # At every eighth more of files: a fit for each would cost more than the rest.
                fixed, per_byte = fit(w, wx, wxx, wy, wxy)
                fit_at = count + 1 + (count >> 3)
                if max(size_sum, wxx, unexplained, seconds_sum, wall) > _SUM_MAX:
                    # Beyond all measure, and would not be taken back from a document: forgotten.
                    count, fit_at = 0, 1
                    size_sum = seconds_sum = wall = unexplained = longest = 0.0
                    w = wx = wxx = wy = wxy = fixed = per_byte = 0.0
                    recent_wall = recent_expected = 0.0
                expected = fixed + per_byte * size
            kept = _RECENT_SHARE * seconds_sum
            kept = kept / (kept + expected) if kept > 0.0 else 0.0
            recent_wall = recent_wall * kept + gap
            recent_expected = recent_expected * kept + expected
        self.last, self.files, self.bytes = last, count, size_sum
        self.seconds, self.wall = seconds_sum, wall
        self.unexplained, self.longest, self.fit_at = unexplained, longest, fit_at
        self.w, self.wx, self.wxx, self.wy, self.wxy = w, wx, wxx, wy, wxy
        self.fixed, self.per_byte = fixed, per_byte
        self.recent_wall, self.recent_expected = recent_wall, recent_expected

    def end(self, at: float) -> None:
        """Take in the end of the source: what it did since its last file was work too."""
        self.wall += min(max(at - self.last, 0.0), _FILE_SECONDS)
        self.last = max(self.last, at)

    def rest(self, seconds: float, until: float) -> None:
        """Leave out a declared wait of so many seconds that ended now."""
        self.last = min(self.last + seconds, max(until, self.last))

    def together(self, other: Self, span: float) -> Self:
        """Add what another stream did of the same source; both were at it for `span` seconds."""
        if not other.files:
            return self if self.files else replace(self, last=max(self.last, other.last))
        sums = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
        }
        both = replace(self, **sums)
        both.last = max(self.last, other.last)
        both.longest = max(self.longest, other.longest)
        if both.wall > span >= 0.0:  # they were at it at the same time
            both.recent_wall *= span / both.wall
            both.wall = span
        both.fixed, both.per_byte = fit(both.w, both.wx, both.wxx, both.wy, both.wxy)
        return both


def fit(w: float, wx: float, wxx: float, wy: float, wxy: float) -> tuple[float, float]:
    """Return the fixed part and the part per byte that fit best; neither is negative."""
    if w <= 0.0:
        return 0.0, 0.0
    spread = w * wxx - wx * wx
    if spread <= 1e-9 * w * wxx:
        return wy / w, 0.0
    per_byte = (w * wxy - wx * wy) / spread
    fixed = (wy - per_byte * wx) / w
    if per_byte < 0.0:
        return wy / w, 0.0
    if fixed < 0.0:
        return 0.0, wxy / wxx
    return fixed, per_byte
