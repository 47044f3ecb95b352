"""Whose spools lie on this host, and where.

{spool_home()}/{host}/{digest of the root}/{run_id}/{stream}/
    owner.json               whose it is; locked while that process lives
    records.jsonl            record lines, exact bytes, in the order of their numbers
    fenced-{writer}.jsonl    what a writer said that had lost its stream; never sent

A process that has died holds no lock any more: what it left is anybody's to send.
"""

import fcntl
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from journal.layout import MAIN, as_name

if TYPE_CHECKING:
    from journal.stream import Stream

OFF: Final = "off"
OWNER: Final = "owner.json"
RECORDS: Final = "records.jsonl"
FENCED: Final = "fenced-"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose records a spool holds, with all that is needed to send them later."""

    root: str
    endpoint: str  # of an S3 store, if the environment names one
    run_id: str
    stream: str
    job: str
    host: str
    pid: int
    flush_seconds: float
    heartbeat_seconds: float
    former: tuple[int, ...] = ()  # pids that had the spool before; the free lock showed their end


def this_host() -> str:
    """Return the name of this host."""
    return os.uname().nodename


def owner_of(stream: "Stream", job: str) -> Owner:
    """Return the owner that the process of a stream is."""
    return Owner(
        root=str(stream.store),
        endpoint=getattr(stream.store, "endpoint", ""),
        run_id=stream.run_id,
        stream=stream.name,
        job=job,
        host=stream.host,
        pid=stream.pid,
        flush_seconds=stream.flush_seconds,
        heartbeat_seconds=stream.heartbeat_seconds,
    )


def spool_home() -> Path | None:
    """Return where spools lie: JOURNAL_SPOOL, else a directory under the user's state home.

    None if JOURNAL_SPOOL is `off`. Raises ValueError for a user without a home.
    """
    chosen = os.environ.get("JOURNAL_SPOOL", "")
    if chosen == OFF:
        return None
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = os.environ.get("XDG_STATE_HOME", "")
    try:
        state = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        raise ValueError("this user has no home: set JOURNAL_SPOOL") from None
    return state / "progress-journal" / "spool"


def run_folder(home: Path, owner: Owner) -> Path:
    """Return the folder of a run's spools."""
    return home / run_path(owner.host, owner.root, owner.endpoint, owner.run_id)


def run_path(host: str, root: str, endpoint: str, run_id: str) -> Path:
    """Return where what a host keeps of a run lies, below a home."""
    digest = hashlib.sha256(f"{root}\n{endpoint}".encode()).hexdigest()[:16]
    return Path(as_name(host, "host"), digest, run_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """A spool as it lies there; `owner` is None if nobody can tell whose it is."""

    folder: Path
    owner: Owner | None
    size: int  # bytes of records that may be sent
    fenced: list[Path]

    def is_of(self, owner: Owner) -> bool:
        """Tell whether it holds records of the same stream."""
        return self.owner is not None and self.owner.stream == owner.stream


def entries(run: Path) -> list[Entry]:
    """Return the spools in the folder of a run, in the order of their names."""
    found = []
    with suppress(FileNotFoundError, NotADirectoryError):
        for folder in sorted(run.iterdir()):
            fenced = sorted(folder.glob(f"{FENCED}*.jsonl"))
            found.append(Entry(folder, last_owner(folder), size_of(folder / RECORDS), fenced))
    return found


def at_work(run: Path) -> list[Owner]:
    """Return whose spools of a run are in use: processes that write streams of their own."""
    return [
        entry.owner
        for entry in entries(run)
        if entry.owner is not None and is_held(entry.folder / OWNER)
    ]


def has_main(run: Path) -> bool:
    """Tell whether a process of this host writes main, or left of it what the store never got."""
    return any(
        entry.owner is not None
        and entry.owner.stream == MAIN
        and (entry.size or is_held(entry.folder / OWNER))
        for entry in entries(run)
    )


def lock_folder(folder: Path) -> int | None:
    """Return a descriptor that holds the lock of a spool's folder, None if somebody has it.

    The lock ends with the process. Raises OSError.
    """
    return lock_file(folder / OWNER)


def lock_file(path: Path) -> int | None:
    """Make a file, and return a descriptor that holds its lock, None if somebody has it.

    Raises OSError.
    """
    while True:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # its last owner is just removing the folder
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(path, lock):
                return lock
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)  # it was locked, and removed meanwhile


def last_owner(folder: Path) -> Owner | None:
    """Return whose a folder was last, None if nobody can tell."""
    try:
        return Owner(**orjson.loads((folder / OWNER).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def size_of(path: Path) -> int:
    """Return the size of a file, 0 if it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock of a file."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _is_there(path: Path, file: int) -> bool:
    """Tell whether an open file is still the one of that name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
