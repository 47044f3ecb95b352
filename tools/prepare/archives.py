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
HEADER_BYTES = 16 * CHUNK_BYTES  # of one entry of a tar: extended headers might ask for any number
MAX_DEPTH = 3  # archives in archives
OTHERS = 2  # times the files that are allowed: directories, and members that are left out
# What each member of a zip has in its central directory; where the record at the end of a zip tells
# that directory's size and its own place; and what may lie between the two.
_CENTRAL_ENTRY = b"PK\x01\x02"
_DIRECTORY_BYTES, _RECORD_AT = 5, 9
_ZIP64_BYTES = 76
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
        self._others = 0
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

    def spend_others(self, count: int = 1) -> None:
        """Count directories and members left out, which take room, too. Raises Bomb if too many."""
        self._others += count
        if self._others > OTHERS * self._most_files:
            raise Bomb(f"refused: holds more than {OTHERS * self._most_files} other members")

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
        self._check_directory(archive)
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if place.depth == 1:
                    self.progress(entry.compress_size)
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if entry.is_dir():
                    self.spend_others()
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

    def _check_directory(self, archive: Path) -> None:
        """Raise Bomb if a zip lists far too many members: the library reads all of it at once."""
        most = (1 + OTHERS) * self._most_files
        with archive.open("rb") as raw:
            end = zipfile._EndRecData(raw)  # type: ignore[attr-defined] # noqa: SLF001
            if end is None:
                return  # no zip, as the library will say
            left, found, before = end[_DIRECTORY_BYTES], 0, b""
            raw.seek(max(0, end[_RECORD_AT] - left - _ZIP64_BYTES))
            left += _ZIP64_BYTES
            while left > 0 and (chunk := raw.read(min(left, CHUNK_BYTES))):
                found += (before + chunk).count(_CENTRAL_ENTRY)
                before = chunk[-len(_CENTRAL_ENTRY) + 1 :]
                left -= len(chunk)
        if found > most:
            raise Bomb(f"refused: lists more than {most} members")

    def _untar(self, plain: BinaryReader, place: _Place) -> None:
        bounded = _Bounded(plain, 2 * self._most_bytes + RATIO_FLOOR_BYTES)
        with tarfile.open(fileobj=bounded, mode="r:") as opened:  # type: ignore[call-overload]
            while (entry := _next(opened, bounded)) is not None:
                if entry.isdir():
                    self.spend_others()
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
            self._make_directories(target.parent)
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

    def _make_directories(self, folder: Path) -> None:
        """Make a directory and those above it; a single name may ask for thousands of them."""
        missing = [folder] if not folder.is_dir() else []
        while missing and not missing[-1].parent.is_dir():
            missing.append(missing[-1].parent)
        self.spend_others(len(missing))
        folder.mkdir(parents=True, exist_ok=True)

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
        self.spend_others()
        self.left_out.append((place.prefix + name, why))


def _next(opened: tarfile.TarFile, bounded: "_Bounded") -> tarfile.TarInfo | None:
    """Return the next entry of a tar; raises Bomb if its headers alone are too long.

    The library would keep all entries, and the global headers of all of them.
    """
    opened.members.clear()  # type: ignore[attr-defined]
    opened.pax_headers = {}
    bounded.header_bytes = HEADER_BYTES
    entry = opened.next()
    bounded.header_bytes = None
    if entry is not None and entry.size < 0:
        raise tarfile.ReadError("an entry has a negative size")  # and would come again for ever
    return entry


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
    """What tarfile reads from: nothing huge at once, nothing past a bound, the last read kept.

    `header_bytes` is what may be read before the next entry is there, None while it is being read.
    """

    def __init__(self, file: BinaryReader, most_bytes: int) -> None:
        self._file = file
        self._most_bytes = most_bytes
        self.last = b""
        self.header_bytes: int | None = HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= HEADER_BYTES or self._file.tell() > self._most_bytes:
            raise Bomb("refused: an entry of it is too large")
        if self.header_bytes is not None:
            self.header_bytes -= size
            if self.header_bytes < 0:
                raise Bomb("refused: an entry's headers are too long")
        self.last = self._file.read(size)
        return self.last

    def seek(self, offset: int, whence: int = 0) -> int:
        if not 0 <= offset <= self._most_bytes:
            raise Bomb(f"refused: holds more than {self._most_bytes} bytes")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
