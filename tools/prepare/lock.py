"""One process works in a directory at a time; another may take it over while the first lives.

The holder has a lock (flock) on the lock file, which ends with its process. Who takes over puts a
new file, locked, under the same name; the former holder sees that the name is not its file's any
more. Nothing here reads a clock.
"""

import fcntl
import os
import socket
from pathlib import Path
from typing import BinaryIO

from tools.prepare.errors import RunHeld, Superseded
from tools.prepare.paths import printable


class DirectoryLock:
    """Holds a directory from its making until `close`.

    Raises RunHeld, which says who, if another process holds it, unless `take_over` is given.
    """

    def __init__(self, path: Path, *, take_over: bool) -> None:
        self._path = path
        self._file = self._taken_over() if take_over else self._locked()

    def check(self) -> None:
        """Raise Superseded if another process took over. Cheap: two calls of stat."""
        if not _is_at(self._file, self._path):
            raise Superseded(f"another process took over: {_who(self._path)}")

    def close(self) -> None:
        """Let others have the directory."""
        self._file.close()

    def _locked(self) -> BinaryIO:
        file = self._path.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise RunHeld(_who(self._path)) from None
        if not _is_at(file, self._path):  # taken over between the opening and the locking
            file.close()
            raise RunHeld(_who(self._path))
        file.truncate(0)
        file.write(_me())
        file.flush()
        return file

    def _taken_over(self) -> BinaryIO:
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        file = fresh.open("w+b")
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(_me())
        file.flush()
        fresh.replace(self._path)
        return file


def _me() -> bytes:
    return f"pid {os.getpid()} on {socket.gethostname()}".encode()


def _who(path: Path) -> str:
    try:
        return printable(path.read_text(errors="replace")) or "another process"
    except OSError:
        return "nobody: its lock was removed"


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
