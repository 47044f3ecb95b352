"""Directories of this host: a root that is one, and where records wait while a store is down."""

import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from journal.doctor import rights
from journal.doctor.finding import Finding
from journal.limits import MIB, OUTBOX_BYTES
from journal.stores.local import LocalStore

_FREE_BYTES: Final = 1024 * MIB  # a hundred runs of six hours; less on a disk means it is filling
_MOUNTS: Final = Path("/proc/self/mountinfo")
# What several hosts may mount at once. Of what runs through FUSE nobody knows.
_SHARED: Final = ("nfs", "cifs", "smb", "9p", "ceph", "lustre", "gpfs", "beegfs", "afs", "fuse")


def examine(store: LocalStore, *, is_reader: bool) -> Iterator[Finding]:
    """Yield what is found of a root in a directory. It is tried beside the runs, not among them."""
    there = _existing(store.root)
    if there == store.root:
        yield Finding("directory", "ok", f"{store.root} is a directory")
    elif is_reader:
        remedy = "check --root and JOURNAL_ROOT"
        yield Finding("directory", "bad", f"there is no directory {store.root}", remedy)
        return
    else:
        yield Finding("directory", "ok", f"{store.root} will be made, in {there}")
    yield _file_system(there)
    if is_reader:
        yield from rights.examine(store, is_reader=True)
        return
    try:
        # The dot hides it from whoever lists the root meanwhile.
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=there) as name:
            yield from rights.examine(LocalStore(Path(name)), is_reader=False)
            yield _lock(Path(name))
    except OSError as error:
        says = f"cannot write in {there}: {error.strerror or error}"
        yield Finding("put", "bad", says, "check the rights and the mount, or choose another root")
        return
    yield _space("space", store.root, there)


def spool(home: Path | None) -> Finding:
    """Return what is found of the directory for spools; None if nothing is spooled."""
    if home is None:
        says = f"off: while the store is down, {OUTBOX_BYTES // MIB} MiB wait in memory, no more"
        return Finding("spool", "note", says, "unset JOURNAL_SPOOL")
    there = _existing(home)
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        says = f"cannot write in {there}: {error.strerror or error}"
        remedy = "set JOURNAL_SPOOL to a directory on a disk of this host"
        return Finding("spool", "warn", f"{says}; while the store is down, memory is all", remedy)
    return _space("spool", home, there)


def file_system(path: Path, mounts: str) -> str:
    """Return the type of the file system a path lies on, by the text of /proc/self/mountinfo.

    Empty if none is named.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:]:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        # Of two at one place the later hides the earlier.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[fields.index("-", 6) + 1]
    return kind


def _file_system(path: Path) -> Finding:
    try:
        kind = file_system(path.resolve(), _MOUNTS.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        kind = ""
    if not kind:
        return Finding("file_system", "unknown", f"this host does not tell what {path} lies on")
    if kind.startswith(_SHARED):
        says = (
            f"{path} lies on {kind}: writers exclude each other only if it carries flock between "
            "hosts, and ages are right only if their clocks agree"
        )
        remedy = "let one host write, or use an S3 root; synchronise the clocks (NTP)"
        return Finding("file_system", "warn", says, remedy)
    return Finding("file_system", "ok", f"{path} lies on {kind}, of this host alone")


def _lock(folder: Path) -> Finding:
    """Tell whether one open file's lock keeps another open file of the same out."""
    path = folder / "lock"
    with path.open("wb") as one, path.open("wb") as other:
        fcntl.flock(one, fcntl.LOCK_EX)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Finding("lock", "ok", "flock excludes")
    says = "flock does not exclude: two writers would both believe that a run is theirs"
    return Finding("lock", "bad", says, "choose a root on another file system")


def _space(check: str, path: Path, there: Path) -> Finding:
    free = shutil.disk_usage(there).free
    says = f"{path} can be written, {free / 1e9:.1f} GB are free"
    if free < _FREE_BYTES:
        return Finding(check, "warn", says, "free some space")
    return Finding(check, "ok", says)


def _existing(path: Path) -> Path:
    """Return a path, or of those above it the nearest that exists."""
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path
