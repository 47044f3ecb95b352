"""The regular files under a path, looked at as slowly as asked for."""

import os
import stat
from collections.abc import Callable, Iterator
from typing import Final

from journal.clock import thread_cpu_seconds
from journal.limits import LOOK_DEPTH, LOOK_SHARE, LOOK_SLICE_SECONDS

_SLICE_FILES: Final = 64  # looked at between two looks at the clock

Pause = Callable[[float], bool]


class GivenUp(Exception):
    """Somebody wanted no more of a look."""


def files(top: str, pause: Pause) -> Iterator[tuple[str, os.stat_result]]:
    """Yield path and status of each regular file under a folder, or of the file that it is.

    Paths are relative to it; no symbolic link but `top` itself is followed, and folders more than
    LOOK_DEPTH deep are left out. What cannot be read, or is gone, is passed over. `pause` waits for
    so many seconds, so that all takes LOOK_SHARE of a core, or tells to give up: raises GivenUp.
    """
    pace = _Pace(pause)
    try:
        status = os.stat(top)  # noqa: PTH116 - a million calls want no objects for paths
    except (OSError, ValueError):
        return
    if stat.S_ISREG(status.st_mode):
        yield os.path.basename(top), status  # noqa: PTH119
        return
    # Open folders, not their names: those beside one another may be many.
    above = [("", _entries(top))]
    while above:
        prefix, entries = above[-1]
        entry = next(entries, None)
        if entry is None:
            above.pop()
            continue
        pace.step()
        try:
            if entry.is_dir(follow_symlinks=False):
                if len(above) < LOOK_DEPTH:
                    above.append((f"{prefix}{entry.name}/", _entries(entry.path)))
                continue
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield prefix + entry.name, status


def _entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


class _Pace:
    """Rests after each slice of work for as long as its share asks for."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._steps = 0
        self._since = thread_cpu_seconds()

    def step(self) -> None:
        """Count a file; rest if it is time to. Raises GivenUp."""
        self._steps += 1
        if self._steps % _SLICE_FILES:
            return
        used = thread_cpu_seconds() - self._since
        if used < LOOK_SLICE_SECONDS:
            return
        if self._pause(used * (1 / LOOK_SHARE - 1)):
            raise GivenUp
        self._since = thread_cpu_seconds()
