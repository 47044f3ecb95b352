"""A store in a directory, for a machine without an account, or a shared file system.

A version is the SHA-256 of the content. A put is: lock, compare, write a temporary file, fsync,
rename, fsync the directory; so it is atomic between threads and processes, and a kill at any
instant leaves the old object or the new one. Readers take no lock: a rename never shows them half
a file.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from journal import clock
from journal.errors import Conflict, Refused, Unavailable
from journal.stores.contract import (
    ABSENT,
    Absent,
    Entry,
    Expectation,
    Found,
    Put,
    Unchanged,
    Version,
)
from journal.stores.keys import check_key, check_listing, check_start

# Lock files lie outside every run's folder, and a fixed number of them serves all keys: they are
# never deleted, since deleting a lock file that another process waits for would split the lock.
_LOCKS: Final = "_locks"
_LOCK_FILES: Final = 64

_NO_OBJECT: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_PASSING: Final = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.EDQUOT,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)


class LocalStore:
    """Keeps objects as files under `root`, which the first put creates. Its time is the host's."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        """Return the object from byte `start` on, Unchanged if its version is `unless`.

        Raises Unavailable or Refused.
        """
        check_start(start)
        path = self._path(key)
        # The whole file is read and hashed even for a late `start`: a stat cannot tell two states
        # written within one tick of the file system's clock apart, and segments are small.
        try:
            body = path.read_bytes()
        except _NO_OBJECT:
            return Absent(clock.now())
        except OSError as error:
            raise _failure("read", path, error) from error
        version = Version(hashlib.sha256(body).hexdigest())
        if version == unless:
            return Unchanged(clock.now())
        return Found(body[start:] if start else body, version, len(body), clock.now())

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        """Replace the object if its version is `expect`, create it if that is ABSENT.

        Raises Conflict, Unavailable or Refused.
        """
        path = self._path(key)
        try:
            with self._locked(key):
                there = _version(path)
                if (ABSENT if there is None else there) != expect:
                    raise Conflict(f"{path} is not what was expected")
                _make_directories(path.parent)
                _replace(path, body)
        except OSError as error:
            raise _failure("write", path, error) from error
        return Put(Version(hashlib.sha256(body).hexdigest()), clock.now())

    def delete(self, key: str) -> None:
        """Delete the object if it is there. Raises Unavailable or Refused."""
        path = self._path(key)
        try:
            if path.is_file():
                with self._locked(key):
                    path.unlink(missing_ok=True)
                    _sync_directory(path.parent)
        except OSError as error:
            raise _failure("delete", path, error) from error

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        """Yield what lies under `prefix` beyond `after`, in byte order.

        Raises Unavailable or Refused. Directories without an object in them are passed over.
        """
        folder = check_listing(prefix, delimiter)
        return self._entries(folder, prefix, after, delimiter)

    def _entries(self, folder: str, prefix: str, after: str, delimiter: str) -> Iterator[Entry]:
        for key in self._children(folder):
            # What lies in the folder `a/` may be beyond `after` if `after` lies in it too.
            passed = key <= after and not (key.endswith("/") and after.startswith(key))
            if passed or not key.startswith(prefix):
                continue
            if not key.endswith("/"):
                entry = self._entry(key)
                if entry is not None:
                    yield entry
            elif not delimiter:
                yield from self._entries(key, prefix, after, delimiter)
            elif key > after and self._holds_objects(key):
                yield Entry(key, None, 0, 0.0)

    def _children(self, folder: str) -> Sequence[str]:
        """Return the keys in a folder in byte order; those that lead further down end in `/`."""
        path = self.root / folder
        try:
            with os.scandir(path) as found:
                # A link to a directory is not followed: it may lead out, or round in circles.
                kinds = [
                    (one.name, one.is_dir(follow_symlinks=False), one.is_file()) for one in found
                ]
        except _NO_OBJECT:
            return []
        except OSError as error:
            raise _failure("list", path, error) from error
        return sorted(
            f"{folder}{name}/" if is_dir else f"{folder}{name}"
            for name, is_dir, is_file in kinds
            if (is_dir or is_file) and not name.startswith(".") and (folder or name != _LOCKS)
        )

    def _holds_objects(self, folder: str) -> bool:
        return any(
            not key.endswith("/") or self._holds_objects(key) for key in self._children(folder)
        )

    def _entry(self, key: str) -> Entry | None:
        """Describe an object, None if it was deleted meanwhile."""
        path = self.root / key
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                version = hashlib.file_digest(file, "sha256").hexdigest()
        except _NO_OBJECT:
            return None
        except OSError as error:
            raise _failure("read", path, error) from error
        return Entry(key, Version(version), stat.st_size, stat.st_mtime)

    def _path(self, key: str) -> Path:
        if check_key(key).startswith(f"{_LOCKS}/") or key == _LOCKS:
            raise ValueError(f"key {key!a} is not allowed: {_LOCKS} is the store's own")
        path = self.root / key
        # The root itself may be a link, and a link in it may lead elsewhere in it.
        root, real = os.path.realpath(self.root), os.path.realpath(path)
        if os.path.commonpath((root, real)) != root:
            raise Refused(
                f"{ascii(str(path))[1:-1]} leads out of the root by a symbolic link: remove the "
                "link, or mount what is there into the root"
            )
        return path

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Hold the lock of a key, between the threads and processes of this machine."""
        _make_directories(self.root / _LOCKS)
        stripe = int.from_bytes(hashlib.sha256(key.encode()).digest()[:2]) % _LOCK_FILES
        path = self.root / _LOCKS / f"{stripe:02d}"
        # Opened anew each time: the lock is the open file's, so threads exclude each other too.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            # Said aloud, since a child forked meanwhile keeps the open file, and with it the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def _version(path: Path) -> Version | None:
    try:
        with path.open("rb") as file:
            return Version(hashlib.file_digest(file, "sha256").hexdigest())
    except FileNotFoundError:
        return None


def _replace(path: Path, body: bytes) -> None:
    """Put `body` in the place of a file, durably. The caller holds the key's lock."""
    # One name for each key: what a killed writer left behind, the next one writes over. Not .jsonl,
    # or an engine that reads the log as it lies there would read it too.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        # No link that somebody else put there is written through.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()  # on a full disk its blocks are wanted back
        raise
    _sync_directory(path.parent)


def _make_directories(path: Path) -> None:
    """Create a directory and those above it, each durably named in its parent."""
    if path.is_dir():
        return
    _make_directories(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir()
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failure(verb: str, path: Path, error: OSError) -> Unavailable | Refused:
    """Say in one sentence what failed, where and why."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    name = errno.errorcode.get(error.errno or 0, "?")
    text = f"cannot {verb} {ascii(str(path))[1:-1]}: {reason} ({name})"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(f"{text}; free some space")
    if error.errno in _PASSING:
        return Unavailable(f"{text}; it may pass")
    return Refused(f"{text}; check the rights and the mount, or choose another root")
