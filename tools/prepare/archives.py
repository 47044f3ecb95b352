"""Unpacks zip, tar, tar.gz and gz so that nothing leaves the directory or fills the disk.

Member names come from strangers: absolute ones, ones that climb, links and devices are refused. So
is an archive, whole, that holds more than the limits allow, whatever its headers claim. An archive
inside an archive is unpacked too, under the same limits.
"""

import gzip
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from tools.prepare.errors import BadFile, Bomb, is_fatal
from tools.prepare.manifest import Limits
from tools.prepare.paths import safe_relative

CHUNK_BYTES = 1024 * 1024
RATIO_FLOOR_BYTES = 16 * CHUNK_BYTES  # so little may be packed as tightly as it likes
MAX_READ_BYTES = 16 * CHUNK_BYTES  # at once, which a tar's extended header might ask for
MAX_DEPTH = 3  # archives in archives
_SUFFIXES = {".zip": "zip", ".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tar.gz", ".gz": "gz"}


def archive_kind(name: str) -> str | None:
    """Return which kind of archive a file is by its name, None if it is none."""
    lower = name.lower()
    return next((kind for suffix, kind in _SUFFIXES.items() if lower.endswith(suffix)), None)


class BinaryReader(Protocol):
    """What can be read from and moved about in."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an archive's members go; `name` is its own, `prefix` its path in the outermost one."""

    folder: Path
    name: str
    prefix: str = ""
    depth: int = 1


class Unpacking:
    """One archive being unpacked: its limits, and what had to be left out.

    `moved` is called with the bytes of the archive that were worked through; it may raise to stop.
    """

    def __init__(self, archive: Path, limits: Limits, moved: Callable[[int], None]) -> None:
        self._archive = archive
        self._moved = moved
        self._unmoved_bytes = archive.stat().st_size
        self._most_files = limits.extracted_files
        self._most_bytes = min(
            limits.extracted_bytes,
            max(RATIO_FLOOR_BYTES, self._unmoved_bytes * limits.extracted_ratio),
        )
        self.bytes = 0
        self.files = 0
        self.left_out: list[tuple[str, Exception]] = []  # member, why

    def into(self, folder: Path) -> None:
        """Unpack into a directory. Raises Bomb, or what its reader makes of a damaged archive."""
        if not self._unmoved_bytes:
            raise BadFile("is empty")  # which gzip takes for an archive of nothing
        self._unpack(self._archive, _Place(folder, self._archive.name))

    def spend(self, bytes: int) -> None:
        """Count what comes out of the archive. Raises Bomb if it is too much."""
        self.bytes += bytes
        if self.bytes > self._most_bytes:
            raise Bomb(f"refused: holds more than {self._most_bytes} bytes")

    def progress(self, bytes: int) -> None:
        """Count what was read of the archive; never more than it has."""
        moved = min(bytes, self._unmoved_bytes)
        self._unmoved_bytes -= moved
        self._moved(moved)

    def _unpack(self, archive: Path, place: _Place) -> None:
        kind = archive_kind(place.name)
        if kind == "zip":
            self._unzip(archive, place)
            return
        with archive.open("rb") as raw:
            reader = _Reader(raw, self.progress if place.depth == 1 else _uncounted)
            if kind == "tar":
                self._untar(reader, place)
                return
            with gzip.GzipFile(fileobj=reader) as plain:
                if kind == "tar.gz":
                    self._untar(plain, place)
                else:
                    self._entry(place, plain, place.name[: -len(".gz")] or "content")

    def _unzip(self, archive: Path, place: _Place) -> None:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if place.depth == 1:
                    self.progress(entry.compress_size)
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if entry.is_dir():
                    continue
                if kind not in (0, stat.S_IFREG):  # 0: made on a system without file types
                    self._leave_out(place, entry.filename, BadFile("refused: no regular file"))
                    continue
                try:
                    with opened.open(entry) as content:
                        self._entry(place, content, entry.filename)
                except Exception as error:
                    # Each member of a zip is compressed by itself: the next may be sound.
                    if is_fatal(error) or isinstance(error, Bomb):
                        raise
                    self._leave_out(place, entry.filename, error)

    def _untar(self, plain: BinaryReader, place: _Place) -> None:
        bounded = _Bounded(plain, 2 * self._most_bytes + RATIO_FLOOR_BYTES)
        with tarfile.open(fileobj=bounded, mode="r:") as opened:  # type: ignore[call-overload]
            for entry in opened:
                if entry.isdir():
                    continue
                content = opened.extractfile(entry) if entry.isreg() else None
                if content is None:
                    self._leave_out(place, entry.name, BadFile("refused: no regular file"))
                    continue
                with content:
                    self._entry(place, content, entry.name)
        # The library takes a damaged header for the end; the true end is zeros, or nothing.
        if any(bounded.last):
            raise tarfile.ReadError("the archive is damaged in the middle")

    def _entry(self, place: _Place, content: BinaryReader, name: str) -> None:
        """Write one member to its place, or, if it is an archive itself, what it holds."""
        self.files += 1
        if self.files > self._most_files:
            raise Bomb(f"refused: holds more than {self._most_files} files")
        try:
            path = safe_relative(name)
            target = place.folder / path
            nested = archive_kind(path) is not None and place.depth < MAX_DEPTH
            written = place.folder.with_name(f"{place.folder.name}.inner") if nested else target
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                raise BadFile("refused: a member of that name came before")
            file = written.open("wb")
        except (BadFile, OSError) as error:
            if is_fatal(error):
                raise
            self._leave_out(place, name, error)
            return
        try:
            with file:
                while chunk := content.read(CHUNK_BYTES):
                    self.spend(len(chunk))
                    file.write(chunk)
            if nested:
                inner = _Place(target, target.name, f"{place.prefix}{path}/", place.depth + 1)
                self._unpack_inner(written, inner)
        except BaseException:
            written.unlink(missing_ok=True)
            raise

    def _unpack_inner(self, archive: Path, place: _Place) -> None:
        """Unpack an archive that was found in another; if it is damaged only it is left out."""
        place.folder.mkdir()
        try:
            self._unpack(archive, place)
        except Exception as error:
            if is_fatal(error) or isinstance(error, Bomb):
                raise
            shutil.rmtree(place.folder)
            self.left_out.append((place.prefix.rstrip("/"), error))
        archive.unlink()

    def _leave_out(self, place: _Place, name: str, why: Exception) -> None:
        self.left_out.append((place.prefix + name, why))


def _uncounted(_: int) -> None:
    """Take bytes of an inner archive, which were counted with the outer one."""


class _Reader:
    """Reads a file, and tells how much."""

    def __init__(self, file: IO[bytes], moved: Callable[[int], None]) -> None:
        self._file = file
        self._moved = moved

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._moved(len(data))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class _Bounded:
    """What tarfile reads from: nothing huge at once, nothing past a bound, the last read kept."""

    def __init__(self, file: BinaryReader, most_bytes: int) -> None:
        self._file = file
        self._most_bytes = most_bytes
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_READ_BYTES or self._file.tell() > self._most_bytes:
            raise Bomb("refused: an entry of it is too large")
        self.last = self._file.read(size)
        return self.last

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset > self._most_bytes:
            raise Bomb(f"refused: holds more than {self._most_bytes} bytes")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
