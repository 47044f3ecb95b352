"""A file or folder that grows, told of as a source: what is complete, and what still grows.

Nobody says when a file is complete. So one is that has not changed from one look to the next while
no process of the program holds it open for writing; at the program's good end all are. A file that
is given another name is the same file. One that was complete and grows once more is in flight
again, but is not done twice. What the program did not touch was done before.
"""

import os
from collections.abc import Callable
from typing import Final, NamedTuple

from journal.clock import NS, monotonic, now_ns, thread_cpu_seconds
from journal.limits import (
    GROWTH_END_SECONDS,
    GROWTH_FILES,
    GROWTH_MOVING,
    GROWTH_SETTLED_SECONDS,
)
from journal.recorder.known import Known
from journal.recorder.looks import GivenUp, Pause, files
from journal.recorder.run import Run
from journal.recorder.source import File, Source

_SLACK_NS: Final = 20_000_000  # the clock of a file's times is so much behind ours
_KEYS: Final = 2  # of each file that is known: its path, and what tells it under another name


class State(NamedTuple):
    """What tells a file from others, and from itself at another time."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "State":
        """Return what a file's status says."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class _Moving:
    """A file that is not complete yet, as last seen."""

    __slots__ = ("base", "file", "is_new", "is_still", "look", "path", "since", "state", "stirred")

    def __init__(self, path: str, state: State, base: int, file: File, *, is_new: bool) -> None:
        self.path = path
        self.state = state
        self.base = base  # bytes of it that were told of, or there before
        self.file = file
        self.is_new = is_new  # or was done before, and is not to be done twice
        self.is_still = False
        self.look = 0
        self.since = self.stirred = monotonic()  # first seen, and last seen to change


class Growth:
    """Follows a path. Its looks are to be taken by one thread."""

    def __init__(
        self,
        run: Run,
        path: str,
        name: str,
        *,
        begun_ns: int,
        files: int | None = None,
        bytes: int | None = None,
        written: Callable[[], set[tuple[int, int]]] = set,
    ) -> None:
        """Plan a source of `files` files and `bytes` bytes, as far as known.

        What did not change since `begun_ns` was there before. `written` returns device and inode of
        the files that the program has open for writing. Raises ValueError for a name that is none.
        """
        self._run = run
        self._path = path
        self._name = name
        self._files, self._bytes = files, bytes  # in all, as far as known
        self._written = written
        self._begun_ns = begun_ns - _SLACK_NS
        self._before = (0, 0)  # files and bytes that were there
        self._alone: State | None = None  # of a file that is all there is, as it was before
        self._goes_on: str | None = None  # its path, if it grows on
        self._early: list[tuple[str, os.stat_result]] = []  # new ones of the first look
        self._source: Source | None = None  # once it is known what was there before
        self._known = Known()
        self._moving: dict[str, _Moving] = {}
        self._paths: dict[int, str] = {}  # of those, by inode
        self._look = 0
        self._is_over = False
        self._rest_bytes = 0  # of files that there is no room to know
        self._rest: File | None = None
        totals = {"files": files, "bytes": bytes}
        known = {key: value for key, value in totals.items() if value is not None}
        run.plan([{"source": name, **known}])

    def look(self, pause: Pause) -> None:
        """Look at all once, or until `pause` tells to give up (`looks.files`)."""
        if not self._go_through(pause):
            return
        if self._source is None and self._alone is not None and self._before[0]:
            return  # a file alone, as it was before: time will tell whether it goes on
        self._settle(self._source or self._begin())

    def end(self, *, ok: bool) -> None:
        """Look once more; what is there is complete if the program ended well.

        Takes GROWTH_END_SECONDS at most.
        """
        deadline = thread_cpu_seconds() + GROWTH_END_SECONDS
        if self._source is None:
            self.look(lambda _: thread_cpu_seconds() > deadline)
        source = self._source or self._begin()
        self._is_over = ok
        if not self._go_through(lambda _: thread_cpu_seconds() > deadline):
            words = f"{self._path}: not all files could be looked at in the end"
            self._run.error(words, source=self._name)
        self._settle(source)
        for moving in self._moving.values():
            moving.file.leave()
        if self._rest is not None:
            self._rest.leave()
            if ok:
                source.file_done(self._rest.path, bytes=self._rest_bytes)
        if ok:
            source.done()

    def _go_through(self, pause: Pause) -> bool:
        """See all files; False if `pause` told to give up before."""
        self._look += 1
        self._rest_bytes = 0
        if self._source is None:
            self._known, self._before = Known(), (0, 0)
            self._early.clear()
        try:
            for path, status in files(self._path, pause):
                self._see(path, status)
        except GivenUp:
            return False
        return True

    def _begin(self) -> Source:
        """Begin the source, when it is known what was there before."""
        done_files, done_bytes = self._before
        self._source = self._run.source(
            self._name,
            files=self._files,
            bytes=self._bytes,
            done_files=done_files,
            done_bytes=done_bytes,
        )
        early, self._early = self._early, []
        for path, status in early:
            self._see(path, status)
        return self._source

    def _see(self, path: str, status: os.stat_result) -> None:
        """Take in how a file is at this look."""
        state = State.of(status)
        moving = self._moving.get(path) or self._renamed(path, state.inode)
        if moving is None:
            self._meet(path, state, status)
            return
        moving.look = self._look
        moving.is_still = state == moving.state
        if not moving.is_still:
            if state.inode != moving.state.inode or state.size < moving.base:
                moving.base = 0  # another one of that name, or the same from its begin
            moving.state, moving.stirred = state, monotonic()
            moving.file.bytes = max(0, state.size - moving.base)

    def _renamed(self, path: str, inode: int) -> _Moving | None:
        """Return what moved under another name until now."""
        moving = self._moving.get(self._paths.get(inode, ""))
        if moving is None or moving.look == self._look:
            return None  # or it has two names
        del self._moving[moving.path]
        self._moving[path] = moving
        self._paths[inode] = moving.path = moving.file.path = path
        moving.is_new = moving.is_new and self._known.get(path) is None
        moving.state = moving.state._replace(size=-1)  # that was a change
        return moving

    def _meet(self, path: str, state: State, status: os.stat_result) -> None:
        """Take in a file that does not move: new, done, or beginning to move again."""
        known = self._known.get(path)
        if known == state.size:
            return
        if known is None and self._known.get(state) is not None:
            self._know(path, state)  # under another name
        elif known is None and len(self._known) >= _KEYS * GROWTH_FILES:
            self._rest_bytes += state.size
        elif self._source is None:
            self._meet_first(path, state, status)
        else:
            self._move(self._source, path, state, status.st_ctime_ns)

    def _meet_first(self, path: str, state: State, status: os.stat_result) -> None:
        """Take in a file before the source begins: it was there, or it begins to move."""
        if status.st_ctime_ns < self._begun_ns:
            self._know(path, state)
            self._before = self._before[0] + 1, self._before[1] + state.size
            self._alone = state if os.path.isfile(self._path) else None  # noqa: PTH113
            return
        before = self._alone
        if before is not None and before.inode == state.inode and before.size <= state.size:
            # It alone is what grows, and goes on where it was left.
            self._known.put(path, before.size)
            self._before, self._goes_on = (0, before.size), path
        if len(self._early) < GROWTH_MOVING:
            self._early.append((path, status))

    def _move(self, source: Source, path: str, state: State, touched_ns: int) -> None:
        """Take in a file that begins to move, or did so since the last look."""
        known = self._known.get(path)
        base = known if known is not None and known < state.size else 0
        is_new = known is None or path == self._goes_on
        is_full = len(self._moving) >= GROWTH_MOVING
        is_settled = now_ns() - touched_ns > GROWTH_SETTLED_SECONDS * NS
        if self._is_over or (is_full and is_settled):
            self._know(path, state)
            if is_new:
                source.file_done(path, bytes=state.size - base)
        elif not is_full:  # else its turn comes
            file = source.file(path)
            file.__enter__()
            file.bytes = state.size - base
            moving = _Moving(path, state, base, file, is_new=is_new)
            moving.look = self._look
            self._moving[path] = moving
            self._paths[state.inode] = path

    def _know(self, path: str, state: State) -> None:
        self._known.put(path, state.size)
        self._known.put(state, state.size)

    def _settle(self, source: Source) -> None:
        """Say what is complete at the end of a look, and forget what has vanished."""
        still = [one for one in self._moving.values() if one.is_still or self._is_over]
        written = self._written() if still and not self._is_over else set()
        for moving in [one for one in self._moving.values() if one.look != self._look]:
            self._forget(moving)
        for moving in still:
            state = moving.state
            if moving.look != self._look or (state.device, state.inode) in written:
                continue
            self._forget(moving)
            self._know(moving.path, state)
            if moving.is_new:
                self._goes_on = None
                seconds = round(moving.stirred - moving.since, 3)
                size = max(0, state.size - moving.base)
                source.file_done(moving.path, bytes=size, seconds=seconds or None)
        if self._rest_bytes and self._rest is None:
            self._rest = source.file(f"files beyond the first {GROWTH_FILES}")
            self._rest.__enter__()
        if self._rest is not None:
            self._rest.bytes = self._rest_bytes

    def _forget(self, moving: _Moving) -> None:
        moving.file.leave()
        del self._moving[moving.path]
        if self._paths.get(moving.state.inode) == moving.path:
            del self._paths[moving.state.inode]
