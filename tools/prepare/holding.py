"""Who holds a run, and whether its place may be taken: the only part that asks a reader."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import journal
from journal.stores import connect, read_only
from readers.status import Holder, holder
from tools.prepare.errors import AlreadyCompleted, RunHeld, UsageError
from tools.prepare.workdir import WorkDir

LOST_HEARTBEATS = 3  # of silence, by the store's clock
FINAL_STATES = ("completed", "failed", "aborted", "preempted")


def open_run(
    run_id: str | None, *, root: str | None, take_over: bool, **options: Any
) -> journal.Run:
    """Start a run, or go on with it if nobody works on it any more.

    Raises RunHeld if somebody does, unless `take_over` is given, AlreadyCompleted if there is
    nothing left to do, and UsageError for what the journal does not take.
    """
    try:
        return journal.start_run(run_id, root=root, **options)
    except ValueError as error:
        raise UsageError(str(error)) from error
    except journal.Held as held:
        found = holder(read_only(connect(root)), held.run_id)
        if found is not None and found.state == "completed":
            raise AlreadyCompleted(f"run {held.run_id} is completed already") from None
        if found is not None and not (take_over or may_be_replaced(found)):
            raise RunHeld(
                f"run {held.run_id} is held by pid {held.pid} on {held.host} since {held.since}; "
                "--take-over takes its place"
            ) from None
        return journal.start_run(held.run_id, root=root, resume=True, **options)


def open_work_dir(path: Path, *, root: str | None, take_over: bool) -> WorkDir:
    """Take a work directory; also from a process that the journal says has hung for too long.

    Raises RunHeld if another process works there.
    """
    try:
        return WorkDir(path, take_over=take_over)
    except RunHeld as busy:
        try:
            found = holder(read_only(connect(root)), busy.run_id) if busy.run_id else None
        except (journal.JournalError, ValueError):
            raise busy from None
        if found is None or not may_be_replaced(found):
            raise
    return WorkDir(path, take_over=True)


def may_be_replaced(
    found: Holder, host: str | None = None, is_alive: Callable[[int], bool] | None = None
) -> bool:
    """Tell whether a run's holder has ended, is gone from this host, or is lost by its silence."""
    if found.state in FINAL_STATES:
        return True
    if found.host == (host or socket.gethostname()) and not (is_alive or process_is_alive)(
        found.pid
    ):
        return True
    return found.silent_seconds > LOST_HEARTBEATS * found.heartbeat_seconds


def process_is_alive(pid: int) -> bool:
    """Tell whether another process of that id lives on this host.

    This process is none: in a restarted container the same program often has the same id. Nor is
    one that has ended and that nobody has waited for.
    """
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True  # no such file system here
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")
