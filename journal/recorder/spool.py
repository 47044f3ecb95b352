"""What a process said and the store may not have yet, in a file on this host.

Where it lies, and whose it is, owner.py tells. A folder whose lock is held, or whose records are
none of ours to send, is left alone: the next one is `{stream}~1`, and so on.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self

import orjson

from journal.limits import SPOOL_MARK_BYTES, SPOOL_READ_BYTES, SPOOL_SLOTS
from journal.recorder.owner import (
    FENCED,
    OWNER,
    RECORDS,
    Owner,
    entries,
    last_owner,
    lock_folder,
    run_folder,
    size_of,
)


class Spool:
    """The spool of one process, or of one that recovers it. Whoever uses it holds its own lock.

    `size` is the length of its records in bytes, `base` that of those found when it was opened.
    """

    def __init__(self, folder: Path, lock: int, owner: Owner) -> None:
        """Take over a folder whose lock is held; a torn last line is cut. Raises OSError."""
        self.folder = folder
        self.owner = owner
        self._lock = lock
        self._path = folder / RECORDS
        self._records = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self.size = self.base = _whole(self._records)
        self._marks: deque[tuple[int, int]] = deque()  # (seq, offset) of some lines
        self._next_seq = -1  # behind what was appended last
        os.ftruncate(self._records, self.size)
        last = last_owner(folder)
        if last is not None and last.pid != owner.pid:
            former = (*last.former, last.pid)[-SPOOL_SLOTS:]
            self.owner = replace(owner, former=former)
        self.give_to(self.owner)

    @classmethod
    def open(cls, home: Path, owner: Owner, *, resume: bool) -> Self:
        """Open a folder that nobody uses; with `resume`, one that holds this stream's records.

        Raises OSError.
        """
        run = run_folder(home, owner)
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What an attempt left may be sent by one that resumes it, by no other.
        left = [entry.folder for entry in entries(run) if entry.is_of(owner)] if resume else []
        names = (f"{owner.stream}~{number}" for number in range(1, SPOOL_SLOTS))
        for folder in (*left, run / owner.stream, *(run / name for name in names)):
            lock = lock_folder(folder)
            if lock is None:
                continue
            if folder in left or not size_of(folder / RECORDS):
                return cls(folder, lock, owner)
            os.close(lock)
        raise OSError(f"{run}: {SPOOL_SLOTS} spools are in use or hold what was not sent")

    def give_to(self, owner: Owner) -> None:
        """Write down whose records these are. Raises OSError."""
        self.owner = owner
        body = orjson.dumps(asdict(owner), None, orjson.OPT_APPEND_NEWLINE)
        os.pwrite(self._lock, body, 0)
        os.ftruncate(self._lock, len(body))

    def append(self, lines: bytes | bytearray, first_seq: int, records: int) -> int:
        """Append lines numbered from `first_seq`; return where they begin. Raises OSError."""
        # A view of what still grows would forbid its growth, for as long as an error holds it.
        start, done, rest = self.size, 0, bytes(lines)
        while rest:
            # What a failure leaves behind `size` is overwritten by the next, or cut as torn.
            written = os.pwrite(self._records, rest, start + done)
            done, rest = done + written, rest[written:]
        last = self._marks[-1][1] if self._marks else -SPOOL_MARK_BYTES
        if first_seq != self._next_seq or start - last >= SPOOL_MARK_BYTES:
            self._marks.append((first_seq, start))
        self._next_seq = first_seq + records
        self.size = start + done
        return start

    def read(self, start: int, end: int) -> bytes:
        """Return whole lines from `start` on, about SPOOL_READ_BYTES of them. Raises OSError."""
        lines = os.pread(self._records, min(end - start, SPOOL_READ_BYTES), start)
        whole = lines.rfind(b"\n") + 1
        if not whole:
            raise OSError(f"{self._path}: no line ends behind byte {start}")
        return lines[:whole]

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield all whole lines from `start` to `end`, some at a time. Raises OSError."""
        while start < end:
            lines = self.read(start, end)
            start += len(lines)
            yield lines

    def replace(self, chunks: Iterable[tuple[int, bytes]]) -> None:
        """Put other lines in the place of all; each chunk comes with the `seq` of its first.

        It is all or nothing, whenever the process dies. Raises OSError.
        """
        fresh = self.folder / "records.new"
        marks: deque[tuple[int, int]] = deque()
        size = 0
        file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for seq, lines in chunks:
                marks.append((seq, size))
                size += len(lines)
                _write(file, lines)
            os.fsync(file)
            fresh.replace(self._path)
        except BaseException:
            os.close(file)
            with suppress(OSError):
                fresh.unlink()
            raise
        os.close(self._records)
        self._records, self.size, self._marks = file, size, marks
        self.base = 0
        self._next_seq = -1
        _sync_folder(self.folder)

    def clear(self) -> None:
        """Drop all records. Raises OSError."""
        os.ftruncate(self._records, 0)
        self.size = self.base = 0
        self._marks.clear()

    def cut(self, seq: int, least_bytes: int) -> int:
        """Drop the records below `seq` if they are `least_bytes` or more; return how many bytes.

        Raises OSError.
        """
        offset = self.offset_of(seq)
        if offset < max(1, least_bytes):
            return 0
        kept = [(number, at) for number, at in self._marks if at > offset]
        rest = ((seq, lines) for lines in self.chunks(offset, self.size))
        next_seq = self._next_seq
        self.replace(rest)
        self._marks = deque([(seq, 0), *((number, at - offset) for number, at in kept)])
        self._next_seq = next_seq
        return offset

    def offset_of(self, seq: int) -> int:
        """Return where the first record not below `seq` begins."""
        while len(self._marks) > 1 and self._marks[1][0] <= seq:
            self._marks.popleft()
        if not self._marks or self._marks[0][0] > seq:
            return 0
        number, offset = self._marks[0]
        end = self._marks[1][1] if len(self._marks) > 1 else self.size
        for lines in self.chunks(offset, end):
            for line in lines.splitlines(keepends=True):
                if number >= seq:
                    return offset
                number, offset = number + 1, offset + len(line)
        return offset

    def set_aside(self, writer: str, start: int) -> None:
        """Keep what lies behind byte `start`, and what comes, from being sent: it was fenced.

        What an earlier process left before it stays where it is. Raises OSError.
        """
        aside = self.folder / f"{FENCED}{writer}.jsonl"
        file = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for lines in self.chunks(start, self.size):
                _write(file, lines)
            os.ftruncate(self._records, start)
        except BaseException:
            os.close(file)
            raise
        if not start:
            self._path.unlink(missing_ok=True)
        os.close(self._records)
        self._records, self._path = file, aside
        self.size, self.base = self.size - start, 0
        self._marks.clear()

    def descriptor(self) -> int:
        """Return another descriptor of the records, for whoever makes them durable."""
        return os.dup(self._records)

    def drop_own(self) -> None:
        """Drop what was appended since it was opened. Raises OSError."""
        os.ftruncate(self._records, self.base)
        self.size = self.base

    def leave(self) -> None:
        """Let go of the files, in a forked child too: its parent keeps the lock."""
        os.close(self._records)
        os.close(self._lock)

    def remove(self) -> None:
        """Delete the spool, with whatever folder is empty then. Raises OSError."""
        self._path.unlink(missing_ok=True)
        with suppress(OSError):  # a fenced writer's words keep the folder, and its owner's name
            if not any(path.name != OWNER for path in self.folder.iterdir()):
                (self.folder / OWNER).unlink()
                self.folder.rmdir()
                for above in list(self.folder.parents)[:3]:
                    above.rmdir()
        self.leave()


def _write(file: int, lines: bytes) -> None:
    while lines:
        lines = lines[os.write(file, lines) :]


def _whole(file: int) -> int:
    """Return the length of a file without a torn last line."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - SPOOL_READ_BYTES)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power loss, where folders can be synchronised."""
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
