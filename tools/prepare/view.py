"""What the preparation shows of itself: a live view on a terminal, a plain line elsewhere.

It must never disturb the work: whatever happens to the terminal, the view falls silent.
"""

import shutil
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import TextIO

from tools.prepare.paths import printable

LIVE_SECONDS = 0.25
PLAIN_SECONDS = 30.0
RATE_SECONDS = 10.0  # over which the rate of a live view is taken
_BAR_CHARS = 24


@dataclass(slots=True)
class Picture:
    """What there is to show: how far a step is, and which file moved last."""

    step: str = "listing"
    sources: int = 0
    sources_total: int = 0
    files: int = 0
    files_total: int = 0
    bytes: int = 0
    bytes_total: int = 0
    bad: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a source is, and how much of it an earlier attempt has finished."""

    files: int
    bytes: int
    done_files: int = 0
    done_bytes: int = 0


class View:
    """Shows a preparation on a stream, from a thread of its own, as a context manager."""

    def __init__(self, stream: TextIO, *, live: bool, plain_seconds: float = PLAIN_SECONDS) -> None:
        self._stream = stream
        self._live = live
        self._every_seconds = LIVE_SECONDS if live else plain_seconds
        self._picture = Picture()
        self._lock = Lock()
        self._end = Event()
        self._began = time.monotonic()
        self._seen: deque[tuple[float, int]] = deque([(self._began, 0)])
        self._lines_shown = 0
        self._moved_bytes = 0
        self._thread = Thread(target=self._show_until_end, name="view", daemon=True)

    def __enter__(self) -> "View":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._write(self._erased())

    def step(self, name: str, sizes: Sequence[Size]) -> None:
        """Begin a step that works on sources of these sizes."""
        with self._lock:
            self._picture = Picture(
                step=name,
                sources_total=len(sizes),
                files=sum(size.done_files for size in sizes),
                files_total=sum(size.files for size in sizes),
                bytes=sum(size.done_bytes for size in sizes),
                bytes_total=sum(size.bytes for size in sizes),
                bad=self._picture.bad,
            )

    def advance(self, path: str, bytes: int) -> None:
        """Count bytes that were worked through in a file."""
        with self._lock:
            self._moved_bytes += bytes
            self._picture.bytes += bytes
            self._picture.path = path

    def file_done(self) -> None:
        """Count a file."""
        with self._lock:
            self._picture.files += 1

    def source_done(self) -> None:
        """Count a source."""
        with self._lock:
            self._picture.sources += 1

    def bad(self, count: int) -> None:
        """Count what had to be left out."""
        with self._lock:
            self._picture.bad += count

    def _show_until_end(self) -> None:
        while not self._end.wait(self._every_seconds):
            now = time.monotonic()
            with self._lock:
                picture, moved = replace(self._picture), self._moved_bytes
            rate = self._rate(now, moved)
            seconds = now - self._began
            if self._live:
                lines = live_lines(picture, seconds, rate, shutil.get_terminal_size().columns)
                text = self._erased() + "".join(f"{line}\n" for line in lines)
                self._lines_shown = len(lines)
            else:
                text = f"{plain_line(picture, seconds, rate)}\n"
            if not self._write(text):
                return

    def _rate(self, now: float, moved: int) -> float:
        """Return bytes a second over the last while."""
        self._seen.append((now, moved))
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_SECONDS:
            self._seen.popleft()
        since, before = self._seen[0]
        return (moved - before) / max(now - since, 0.001)

    def _erased(self) -> str:
        """Return the control text that takes back the lines of a live view."""
        lines, self._lines_shown = self._lines_shown, 0
        return f"\x1b[{lines}F\x1b[J" if lines else ""

    def _write(self, text: str) -> bool:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the reader of the pipe, or the terminal, went away
            return False
        return True


def plain_line(picture: Picture, seconds: float, rate: float) -> str:
    """Return the one line that is shown where there is no terminal."""
    parts = [f"{_clock(seconds)} {picture.step}"]
    if picture.sources_total:
        parts += [_counts(picture), f"{amount(picture.bytes)} of {amount(picture.bytes_total)}"]
        parts.append(f"{amount(rate)}/s")
    if picture.bad:
        parts.append(f"{picture.bad} bad")
    return ", ".join(parts)


def live_lines(picture: Picture, seconds: float, rate: float, columns: int) -> list[str]:
    """Return the lines of a live view, none wider than the terminal."""
    bad = f"  {picture.bad} bad" if picture.bad else ""
    lines = [f"{_clock(seconds)}  {picture.step}{bad}"]
    if picture.sources_total:
        done = f"{amount(picture.bytes)} of {amount(picture.bytes_total)}"
        lines.append(f"{_bar(picture)} {done}, {amount(rate)}/s, {_counts(picture)}")
        lines.append(printable(picture.path))
    return [line[: columns - 1] for line in lines]


def amount(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _counts(picture: Picture) -> str:
    return (
        f"{picture.files} of {picture.files_total} files, "
        f"{picture.sources} of {picture.sources_total} sources"
    )


def _bar(picture: Picture) -> str:
    filled = min(_BAR_CHARS, _BAR_CHARS * picture.bytes // max(1, picture.bytes_total))
    return f"[{'#' * filled}{'.' * (_BAR_CHARS - filled)}]"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
