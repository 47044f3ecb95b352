"""Recorded work, stretched to hours: when its files began and ended is as it was."""

from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from tools.bench.backtest.recording import FOLDER, Finished, Recording
from tools.bench.lives.script import Flight, Script
from tools.bench.lives.work import KINDS

_FILES: Final = 800  # of one life
_GAP_SECONDS: Final = 540.0  # more than that between two files would not be told from a hang
_IO: Final = 1000.0  # bytes a second, at the least


@cache
def names() -> tuple[Path, ...]:
    """Return the recordings there are."""
    return tuple(sorted(FOLDER.glob("*.json.xz")))


@cache
def _files(path: Path) -> tuple[Finished, ...]:
    return Recording.unpacked(path.read_bytes()).items


def work(chance: Random, path: Path, seconds: float) -> Script:
    """Return a part of a recording that takes about so long, or less if it pauses for long."""
    files = _files(path)
    first = chance.randint(0, max(0, len(files) - _FILES))
    part = sorted(files[first : first + _FILES], key=lambda file: file.t - file.seconds)
    begin, end = part[0].t - part[0].seconds, max(file.t for file in part)
    stretch = min(seconds / (end - begin), _GAP_SECONDS / _longest_gap(part))
    kind = chance.choice(KINDS)
    script, free, started = Script(), [0.0], set()
    for number, file in enumerate(part):
        starts = (file.t - file.seconds - begin) * stretch + 1.0
        ends = max(starts + 0.001, (file.t - begin) * stretch + 1.0)
        lane = next((lane for lane, until in enumerate(free) if until <= starts), len(free))
        free[lane : lane + 1] = [ends]
        if file.source not in started:
            started.add(file.source)
            script.begin_source(starts, file.source, kind.sub_phase)
        path_of = f"{number:05d}"
        flight = Flight(starts, ends, file.source, path_of, file.bytes, kind.moves, lane)
        io = max(file.bytes / (ends - starts), _IO)
        script.file(flight, chance.uniform(*kind.cpu), io)
    script.says.sort(key=lambda say: say.at)
    script.end = script.says[-1].at + 1.0
    script.lanes = len(free)
    return script


def _longest_gap(files: list[Finished]) -> float:
    """Return the longest time in which no file was in flight; `files` are by their begin."""
    longest, reached = 1e-9, files[0].t
    for file in files:
        longest = max(longest, file.t - file.seconds - reached)
        reached = max(reached, file.t)
    return longest
