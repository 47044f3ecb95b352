"""What the job holds in its hands: a source, and a file of it.

`file`, `file_done` and `advance` are called for every file and every chunk: they check nothing,
take no lock, and never raise.
"""

import os
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Self

from journal import events
from journal.clock import NS, now_ns
from journal.events import ERROR, FILE_DONE, FILE_SKIPPED, SOURCE_DONE, SOURCE_STARTED
from journal.limits import LINE_BYTES, QUEUE_RECORDS
from journal.recorder.intake import Intake, Tally, whole

TRACEBACK_CHARS: Final = 8_000


def error_fields(error: BaseException | str, *, fatal: bool) -> dict[str, Any]:
    """Describe an error for its event; an exception comes with the end of its traceback."""
    if not isinstance(error, BaseException):
        return {"message": words_of(error), "error": "Error", "fatal": fatal}
    described = {
        "message": words_of(error) or type(error).__name__,
        "error": type(error).__qualname__,
        "fatal": fatal,
    }
    if error.__traceback__ is not None:
        described["traceback"] = _traceback_of(error)
    return described


def _traceback_of(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as broken:  # noqa: BLE001 - a foreign exception may have attributes of any kind
        return f"<{type(error).__name__}: its traceback raises {type(broken).__name__}>"
    # Half a secret might not look like one, so they are hidden before the last lines are taken.
    end = words_of(text[-LINE_BYTES:])[-TRACEBACK_CHARS:]
    return end.partition("\n")[2] or end if len(text) > TRACEBACK_CHARS else end


def words_of(error: object) -> str:
    """Return what an error says, even if its own `__str__` fails."""
    return str(events.plain(error))


class File:
    """A file at work; made by `Source.file`. Leaving its block says `file_done`, or the error."""

    __slots__ = ("_intake", "_source", "bytes", "opened_ns", "path", "size", "tally")

    def __init__(
        self, source: "Source", intake: Intake, tally: Tally, path: Any, size: int | None
    ) -> None:
        self._source = source
        self._intake = intake
        self.tally = tally
        self.path = path
        self.size = size
        self.bytes = 0
        self.opened_ns = 0

    def advance(self, bytes: int) -> None:
        """Count `bytes` more as moved; a boto3 `Callback` may be this method."""
        try:
            self.bytes += bytes
        except Exception:  # noqa: BLE001 - a callback must not stop the download that calls it
            return

    def leave(self) -> None:
        """Take it out of flight without a word: it was told of otherwise, or is there no more."""
        self._intake.open_files.pop(self, None)

    def wrap(self, fileobj: Any) -> "CountingFile":
        """Wrap a file object so that what is read from it or written to it is counted."""
        return CountingFile(fileobj, self)

    def __enter__(self) -> Self:
        self.opened_ns = now_ns()
        self._intake.open_files[self] = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        intake = self._intake
        if intake.open_files.pop(self, self) is self and not isinstance(error, Exception):
            return  # a forked child leaves a block that its parent is in as well
        if error is None:
            moved = max(whole(self.size), whole(self.bytes))
            seconds = round((now_ns() - self.opened_ns) / NS, 3)
            self._source.file_done(self.path, bytes=moved, seconds=seconds)
            return
        if isinstance(error, GeneratorExit):
            return  # the loop over `track` was left; whoever left it says why
        fields = error_fields(error, fatal=False)
        fields.update(source=self.tally.source, path=text_of(self.path))
        intake.say(ERROR, fields, self.tally)
        _mark_told(error)


class CountingFile:
    """A file object that tells a `File` how many bytes passed."""

    def __init__(self, fileobj: Any, file: File) -> None:
        self._fileobj = fileobj
        self._file = file

    def read(self, *size: Any) -> Any:
        """Read like the wrapped object."""
        data = self._fileobj.read(*size)
        self._file.advance(len(data) if data else 0)
        return data

    def read1(self, *size: Any) -> Any:
        """Read like the wrapped object."""
        data = self._fileobj.read1(*size)
        self._file.advance(len(data) if data else 0)
        return data

    def readline(self, *size: Any) -> Any:
        """Read a line like the wrapped object."""
        data = self._fileobj.readline(*size)
        self._file.advance(len(data))
        return data

    def readinto(self, buffer: Any) -> Any:
        """Read into a buffer like the wrapped object."""
        count = self._fileobj.readinto(buffer)
        self._file.advance(count or 0)
        return count

    def write(self, data: Any) -> Any:
        """Write like the wrapped object."""
        written = self._fileobj.write(data)
        self._file.advance(len(data) if written is None else written)
        return written

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        line = next(self._fileobj)
        self._file.advance(len(line))
        return line

    def __enter__(self) -> Self:
        self._fileobj.__enter__()
        return self

    def __exit__(self, *why: object) -> Any:
        return self._fileobj.__exit__(*why)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fileobj, name)


class Source:
    """A source of files; made by `Run.source`. Leaving its block says `source_done`, or the error.

    An error that leaves the block is fatal to the source, not to the run.
    """

    def __init__(self, intake: Intake, name: str, sub_phase: str = "") -> None:
        self.name = name
        self._sub_phase = sub_phase
        self._intake = intake
        self._tally = Tally(name)
        self._block_pid = 0  # the process that is in its block

    def file(self, path: Any, *, size: int | None = None) -> File:
        """Begin a file of `size` bytes, if that is known; use it as a context manager."""
        return File(self, self._intake, self._tally, path, size)

    def file_done(self, path: Any, *, bytes: int, seconds: float | None = None) -> None:
        """Say that a file of `bytes` bytes is done; it took `seconds`."""
        intake = self._intake
        queue = intake.queue
        if len(queue) < QUEUE_RECORDS:
            queue.append((now_ns(), FILE_DONE, self._tally, path, bytes, seconds))
        else:
            intake.lose()

    def file_skipped(self, path: Any, reason: str) -> None:
        """Say that a file was left out, and why."""
        fields = {"source": self.name, "path": text_of(path), "reason": reason}
        self._intake.say(FILE_SKIPPED, fields, self._tally)

    def track(self, paths: Iterable[Any]) -> Iterator[Any]:
        """Yield each path inside a `file` block; its size is the file system's, if it is there."""
        for path in paths:
            with self.file(path, size=_size(path)):
                yield path

    def start(self, fields: dict[str, Any]) -> None:
        """Say that the source begins, or goes on; `Run.source` does."""
        self._intake.say(SOURCE_STARTED, fields, self._tally)

    def inherit(self) -> None:
        """Count from nothing in a forked child, where the source is told of again at its use."""
        self._tally.restart({"source": self.name, "sub_phase": self._sub_phase})

    def done(self) -> None:
        """Say that the source is done."""
        self._intake.say(SOURCE_DONE, {"source": self.name}, self._tally)

    def __enter__(self) -> Self:
        self._block_pid = os.getpid()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        # A forked child leaves a block that its parent is in as well: the source goes on.
        is_ours = self._block_pid == os.getpid()
        if not is_ours and not isinstance(error, Exception):
            return
        if error is None:
            self.done()
            return
        fields = error_fields(error, fatal=is_ours)
        if was_told(error):
            fields.pop("traceback", None)
        self._intake.say(ERROR, {**fields, "source": self.name}, self._tally)
        _mark_told(error)


def was_told(error: BaseException) -> bool:
    """Tell whether an inner block has written this exception down with its traceback."""
    return getattr(error, "_journal_told", False) is True


def _mark_told(error: BaseException) -> None:
    try:
        error._journal_told = True  # type: ignore[attr-defined] # noqa: SLF001
    except AttributeError:
        return  # an exception with slots is told again, which only costs a line


def text_of(path: Any) -> Any:
    """Return a path as text, as itself if it is none."""
    try:
        return os.fsdecode(path)
    except Exception:  # noqa: BLE001 - a foreign __fspath__ may raise anything
        return path


def _size(path: Any) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - whatever the caller tracks need not be a Path
    except Exception:  # noqa: BLE001 - …
        return None
