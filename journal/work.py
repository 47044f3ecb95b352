"""What a source has cost so far, in sums: what its time still to go is reckoned from. Pure.

A file's time is taken to be a fixed part and a part per byte. The sums of a weighted least-squares
fit of the two are kept, never the files, so a state does not grow with them and what two streams
did of one source adds up.
"""

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
        gap = at - self.last
        if gap > 0.0:
            self.last = at
            if gap > _FILE_SECONDS:
                gap = _FILE_SECONDS
        else:
            gap = 0.0
        # Called for every file, and a call of `min` costs a tenth of it.
        size = size if size < _FILE_BYTES else _FILE_BYTES  # noqa: FURB136
        if seconds is None:
            seconds = gap
        seconds = seconds if seconds < _FILE_SECONDS else _FILE_SECONDS  # noqa: FURB136
        expected = self.fixed + self.per_byte * size
        count = self.files
        # Before this file began it may have been the turn of other sources.
        idle = gap - seconds
        if idle > 0.0 and idle * count >= _STALL_TIMES * self.wall:
            gap = seconds
        if count >= _STALL_FILES and seconds > _STALL_TIMES * expected > 0.0:
            gap = max(gap - (seconds - expected), min(gap, expected))
            seconds = expected
        if count:
            self.unexplained += (seconds - expected) ** 2
        if seconds > self.longest:
            self.longest = seconds
        self.files = count = count + 1
        self.bytes += size
        self.seconds += seconds
        self.wall += gap
        weight = 1.0 / (_EVEN_BYTES + size)
        x = weight * size
        self.w += weight
        self.wx += x
        self.wxx += x * size
        self.wy += weight * seconds
        self.wxy += x * seconds
        if count >= self.fit_at:
            self._fit(count)
            expected = self.fixed + self.per_byte * size
        kept = _RECENT_SHARE * self.seconds
        kept = kept / (kept + expected) if kept > 0.0 else 0.0
        self.recent_wall = self.recent_wall * kept + gap
        self.recent_expected = self.recent_expected * kept + expected

    def _fit(self, count: int) -> None:
        """Fit anew, at every eighth more of files: a fit for each would cost more than the rest."""
        self.fixed, self.per_byte = fit(self.w, self.wx, self.wxx, self.wy, self.wxy)
        self.fit_at = count + 1 + (count >> 3)
        if max(self.bytes, self.wxx, self.unexplained, self.seconds, self.wall) > _SUM_MAX:
            self._begin_again()

    def _begin_again(self) -> None:
        """Forget sums beyond all measure, or they would not be taken back from a document."""
        for field in fields(self):
            if field.name != "last":
                setattr(self, field.name, field.default)

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
