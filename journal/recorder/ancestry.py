"""Which process is the script that a command was called from."""

import os
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def script_pid() -> int:
    """Return the id of the calling script: the parent, or the shell whose subshell that is.

    `$(command)` and pipelines run in forks of the shell, which end with them; such a fork has the
    command line of the shell itself.
    """
    pid = os.getppid()
    while (above := _parent(pid)) > 1 and _command(pid) and _command(above) == _command(pid):
        pid = above
    return pid


def _command(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""  # no /proc, or it has ended


def _parent(pid: int) -> int:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    # The name in parentheses may hold spaces; the parent is the second field behind it.
    return int(stat.rpartition(")")[2].split()[1])
