"""Does the job still work? Judged on its own side, by the rule that every reader judges by.

While it does not, where its threads stand is written down: afterwards nobody can tell any more.
"""

import sys
import threading
import traceback
from typing import Final

from journal import events, signs
from journal.events import Record
from journal.fold import fold
from journal.limits import STACKS_TOLD
from journal.state import StreamState

_DECLARATIONS: Final = frozenset({events.PHASE, events.WAITING, events.EXTENDED})
Stall = dict[str, float]  # `seconds` without work, `stall_seconds` (the limit)

_FRAMES: Final = 30  # of a thread, the innermost


class StallWatch:
    """Follows a stream's own records. Times are seconds since the epoch on the host's clock."""

    def __init__(self, *, heartbeat_seconds: float, flush_seconds: float) -> None:
        self._state = StreamState(heartbeat_seconds=heartbeat_seconds, flush_seconds=flush_seconds)
        self._told = 0  # how often the present stall was told of

    def start(self, at: float) -> None:
        """Let work be due from now on."""
        self._state.opened = at

    def saw(self, kind: str, record: Record, at: float, moved: int) -> None:
        """Take in a record that was made, and how many bytes the job had moved by then."""
        state = self._state
        state.moved = moved
        if kind in _DECLARATIONS:
            fold(state, [record])
        else:
            signs.take_in(state, kind, record, at)
        if self._told and signs.is_working(state, at):
            self._told = 0

    def did(self, at: float) -> None:
        """Take in that files were done."""
        signs.take_in(self._state, events.FILE_DONE, {}, at)
        self._told = 0

    def stall(self, at: float) -> Stall | None:
        """Return what is to be told of a stall: at its begin, and as it goes on, ever more seldom.

        That is since when no work was seen, and the limit, in seconds.
        """
        state = self._state
        if signs.is_working(state, at) or self._told >= STACKS_TOLD:
            return None
        idle, limit = at - signs.due_since(state), signs.stall_limit(state)
        if idle <= limit.seconds * 2**self._told:
            return None
        self._told += 1
        return {"seconds": round(idle, 1), "stall_seconds": round(limit.seconds, 1)}


def stacks(left_out: set[int]) -> str:
    """Return where each thread of this process stands, the main thread first.

    `left_out` are identifiers of threads.
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    main = threading.main_thread().ident
    frames = sorted(sys._current_frames().items(), key=lambda item: item[0] != main)  # noqa: SLF001
    told = [
        f'Thread "{names.get(ident, ident)}":\n'
        + "".join(traceback.format_list(traceback.extract_stack(frame)[-_FRAMES:]))
        for ident, frame in frames
        if ident not in left_out
    ]
    return "\n".join(told)
