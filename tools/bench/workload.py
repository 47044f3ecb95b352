"""Files as a dataset has them: paths of a usual length, sizes with a heavy tail. Seeded."""

import random
from time import process_time
from typing import NamedTuple

import orjson

SOURCES = (
    "wikipedia",
    "common-crawl",
    "books",
    "github-code",
    "arxiv",
    "stack-exchange",
    "news",
    "policy",
)
_MEDIAN_BYTES = 2_000_000
_SPREAD = 1.6  # of the logarithm: one file in a hundred is 40 times the median
_BYTES_PER_SECOND = 4_000_000


class File(NamedTuple):
    """A file that is done: what `file_done` is told."""

    path: str
    bytes: int
    seconds: float


def files(source: str, count: int, seed: int = 1) -> list[File]:
    """Return `count` files of a source."""
    chance = random.Random(f"{source} {seed}")
    return [_file(source, number, chance) for number in range(count)]


def _file(source: str, number: int, chance: random.Random) -> File:
    size = int(_MEDIAN_BYTES * chance.lognormvariate(0, _SPREAD))
    path = f"{source}/2025-08/part-{number // 1000:05d}/{source}-{number:08d}.jsonl.zst"
    return File(path, size, round(size / _BYTES_PER_SECOND * chance.uniform(0.5, 2), 3))


def build(work: list[File]) -> float:
    """Make each file's record and serialise it; return the CPU seconds that took."""
    before = process_time()
    for path, size, took in work:
        orjson.dumps(
            {
                "seq": 123456,
                "ts": "2025-08-05T14:26:52.123456Z",
                "type": "file_done",
                "source": "wikipedia",
                "path": path,
                "bytes": size,
                "seconds": took,
            }
        )
    return process_time() - before
