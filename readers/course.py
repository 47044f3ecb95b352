"""How a run's rate and its expected end moved, and what was said meanwhile. Pure.

A run is looked at at the ends of equal parts of its time. How long it took is known only at its
end: the parts begin short, and become twice as long whenever there are too many of them.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from journal import events, foreign
from journal.clock import StampReader
from journal.events import CONTROL, Record
from journal.fold import fold
from journal.segments import Cursor
from journal.snapshot import Folded
from journal.state import StreamState
from readers.event import Event
from readers.then import status_of

_PARTS_MAX: Final = 40
# Bytes come in portions: in less it is chance whether one is there.
_PART_SECONDS: Final = 60.0
_RATE_TIMES: Final = 2.0  # so much faster or slower is a change
_ETA_SHARE: Final = 0.1  # of the time left: a smaller move is none
_TOGETHER: Final = 4096  # records folded at once


@dataclass(frozen=True, slots=True)
class Move:
    """A change between two instants: of the rate (bytes per second) or of the expected end."""

    at: float
    before: float
    after: float
    because: str


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at the run found: its bytes, when it would end, what was said since the last."""

    at: float
    moved: int
    end: float | None
    seen: Counter[str]


@dataclass(slots=True)
class Course:
    """Follows a run's rate and its expected end; `begin` is the time of its first record."""

    run_id: str
    begin: float
    _step: float = _PART_SECONDS
    _looks: list[_Look] = field(default_factory=list)
    _streams: dict[str, StreamState] = field(default_factory=dict)
    _waiting: dict[str, list[Record]] = field(default_factory=dict)
    _seen: Counter[str] = field(default_factory=Counter)

    def take(self, at: float, event: Event) -> None:
        """Take in the next event, and its time in seconds on the store's clock."""
        while at > self._due:
            self._look(self._due)
        waiting = self._waiting.setdefault(event.stream, [])
        waiting.append(event.record)
        if len(waiting) >= _TOGETHER:
            self._fold()
        if event.record["type"] not in CONTROL:
            self._seen[event.record["type"]] += 1

    def end(self, at: float) -> None:
        """Take the run to its end; a part that was hardly begun is none."""
        while at >= self._due:
            self._look(self._due)
        if self._due - at <= self._step / 2:
            self._look(at)

    def rates(self) -> list[Move]:
        """Return where the rate changed."""
        moves: list[Move] = []
        before = _Look(self.begin, 0, None, Counter())
        rate: float | None = None
        for look in self._looks:
            now = (look.moved - before.moved) / (look.at - before.at)
            if rate is not None and _differs(rate, now):
                moves.append(Move(look.at, rate, now, _because(look.seen)))
            before, rate = look, now
        return moves

    def etas(self) -> list[Move]:
        """Return where the expected end moved."""
        moves: list[Move] = []
        ends: float | None = None
        for look in self._looks:
            if look.end is None:
                continue
            least = 0.0 if ends is None else _ETA_SHARE * max(ends - look.at, self._step)
            if ends is not None and abs(look.end - ends) > least:
                _add(moves, Move(look.at, ends, look.end, _because(look.seen)))
            ends = look.end
        return moves

    @property
    def _due(self) -> float:
        return self.begin + self._step * (len(self._looks) + 1)

    def _look(self, at: float) -> None:
        self._fold()
        moved = sum(state.moved for state in self._streams.values())
        self._looks.append(_Look(at, moved, self._expected(at), self._seen))
        self._seen = Counter()
        if len(self._looks) == _PARTS_MAX:
            pairs = zip(self._looks[::2], self._looks[1::2], strict=True)
            self._looks = [
                _Look(two.at, two.moved, two.end, one.seen + two.seen) for one, two in pairs
            ]
            self._step *= 2

    def _fold(self) -> None:
        for stream, records in self._waiting.items():
            self._streams[stream] = fold(self._streams.get(stream, StreamState()), records)
        self._waiting = {}

    def _expected(self, at: float) -> float | None:
        run = {name: Folded(Cursor(), state) for name, state in self._streams.items()}
        if not run or any(folded.state.finish is not None for folded in run.values()):
            return None
        eta = status_of(self.run_id, run, at).document.get("eta")
        return foreign.instant(eta.get("at"), StampReader()) if isinstance(eta, dict) else None


def _add(moves: list[Move], move: Move) -> None:
    """Add a move; one that goes on as the last one did, for the same reason, is one with it."""
    last = moves[-1] if moves else None
    is_later = move.after > move.before
    if last is not None and last.because == move.because and (last.after > last.before) == is_later:
        moves[-1] = Move(last.at, last.before, move.after, last.because)
    else:
        moves.append(move)


def _differs(before: float, after: float) -> bool:
    low, high = sorted((before, after))
    return high > 0 and high >= _RATE_TIMES * low


def _because(seen: Counter[str]) -> str:
    """Return what was said meanwhile that explains most: what is rare before what is usual."""
    telling = (
        (events.PHASE, "another phase"),
        (events.WAITING, "a declared wait"),
        (events.PLANNED, "more was planned"),
        (events.SOURCE_STARTED, "another source"),
        (events.ERROR, "errors"),
        (events.FILE_SKIPPED, "files left out"),
        (events.SOURCE_DONE, "a source ended"),
    )
    found = [f"{words} ({seen[kind]})" for kind, words in telling if seen[kind]]
    files = seen[events.FILE_DONE]
    done = f"{files or 'no'} file{'' if files < 2 else 's'} done"
    return ", ".join(found) or done
