"""Recorded runs of real work: which file was finished when, how large it was, how long it took.

A recording is JSON in columns, packed by xz: `sources` in the order in which they were planned;
`source` as [index, how many files in a row]; for each file its `bytes`, its `seconds`, and its
`idle`: the time from the finished file before to this one, less its own seconds (below zero where
several were at work at once). Times are whole microseconds there, as they were recorded.
"""

import lzma
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import orjson

FOLDER: Final = Path(__file__).resolve().parents[1] / "recordings"
APART: Final = FOLDER / "apart"  # what nothing was fitted to
MODES: Final = ("all", "lazy", "files_only")
"""all: every source's files and bytes are known at the start; lazy: those of a source when it
begins; files_only: every source's files at the start, and no bytes at all."""

_MICROSECONDS: Final = 1_000_000
Event = dict[str, Any]


class Finished(NamedTuple):
    """A finished file: `t` seconds after the run began."""

    t: float
    source: str
    bytes: int
    seconds: float


class Total(NamedTuple):
    """What there is of a source."""

    source: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded run."""

    name: str
    kind: str
    note: str
    totals: tuple[Total, ...]
    items: tuple[Finished, ...]

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Return the recording that was packed so."""
        stored = orjson.loads(lzma.decompress(packed))
        totals = tuple(Total(*total) for total in stored["sources"])
        runs = (repeat(totals[index].source, count) for index, count in stored["source"])
        return cls(
            name=stored["name"],
            kind=stored["kind"],
            note=stored["note"],
            totals=totals,
            items=tuple(_items(chain.from_iterable(runs), stored)),
        )

    @property
    def packed(self) -> bytes:
        """The bytes that are stored of it."""
        index = {total.source: number for number, total in enumerate(self.totals)}
        times = [0, *(round(item.t * _MICROSECONDS) for item in self.items)]
        took = [round(item.seconds * _MICROSECONDS) for item in self.items]
        runs: list[list[int]] = []
        for item in self.items:
            if not runs or runs[-1][0] != index[item.source]:
                runs.append([index[item.source], 0])
            runs[-1][1] += 1
        columns = {
            "name": self.name,
            "kind": self.kind,
            "note": self.note,
            "sources": [list(total) for total in self.totals],
            "source": runs,
            "bytes": [item.bytes for item in self.items],
            "seconds": took,
            "idle": [
                t - before - own for (before, t), own in zip(pairwise(times), took, strict=True)
            ],
        }
        return lzma.compress(orjson.dumps(columns), preset=9 | lzma.PRESET_EXTREME)

    @property
    def seconds(self) -> float:
        """How long the run took, up to its last file."""
        return self.items[-1].t

    @property
    def begins(self) -> dict[str, float]:
        """When the first file of each source began."""
        begins: dict[str, float] = {}
        for item in self.items:
            begin = max(0.0, item.t - item.seconds)
            begins[item.source] = min(begin, begins.get(item.source, begin))
        return begins

    def header(self, mode: str) -> Event:
        """Return what is known of the run when it begins."""
        sources = [
            {
                "name": total.source,
                "files_total": None if mode == "lazy" else total.files,
                "bytes_total": total.bytes if mode == "all" else None,
            }
            for total in self.totals
        ]
        return {"name": self.name, "kind": self.kind, "t": 0.0, "mode": mode, "sources": sources}

    def replay(self, mode: str, duration: float | None = None) -> Iterator[tuple[float, Event]]:
        """Yield each event with its time, in order, the clock stretched to `duration` seconds."""
        stretch = 1.0 if duration is None else duration / self.seconds
        totals = {total.source: total for total in self.totals}
        begins = sorted((t, source) for source, t in self.begins.items())
        begun = 0
        has_bytes = mode != "files_only"
        for item in self.items:
            while begun < len(begins) and begins[begun][0] <= item.t:
                t, source = begins[begun]
                begun += 1
                yield (
                    t * stretch,
                    {
                        "ev": "source_start",
                        "t": t * stretch,
                        "source": source,
                        "files_total": totals[source].files,
                        "bytes_total": totals[source].bytes if has_bytes else None,
                    },
                )
            yield (
                item.t * stretch,
                {
                    "ev": "file_done",
                    "t": item.t * stretch,
                    "source": item.source,
                    "bytes": item.bytes if has_bytes else None,
                    "seconds": item.seconds * stretch,
                },
            )


def _items(sources: Iterator[str], stored: dict[str, Any]) -> Iterator[Finished]:
    at = 0
    for source, size, took, idle in zip(
        sources, stored["bytes"], stored["seconds"], stored["idle"], strict=True
    ):
        at += took + idle
        yield Finished(at / _MICROSECONDS, source, size, took / _MICROSECONDS)


def load(path: Path) -> Recording:
    """Read a recording."""
    return Recording.unpacked(path.read_bytes())


def paths(folder: Path = FOLDER) -> list[Path]:
    """Return the recordings of a folder, the longest first: they should not be begun last."""
    return sorted(folder.glob("*.json.xz"), key=lambda path: (-path.stat().st_size, path.name))


def reruns(folder: Path = FOLDER) -> list[tuple[Path, Path]]:
    """Return the jobs of a folder that were recorded twice: first and second run."""
    return [(folder / path.name, path) for path in sorted((folder / "rerun").glob("*.json.xz"))]


def reordered(recording: Recording, items: list[Finished]) -> Recording:
    """Return a recording whose files were finished in another order, `t` and all."""
    return replace(recording, items=tuple(items))
