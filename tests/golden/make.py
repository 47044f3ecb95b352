"""Write the golden files of format 1. It was run once; never run it again for v1.

    python tests/golden/make.py DIRECTORY

The files in `v1/` are what the released format 1 looks like. A program that no longer gives the
same from them has broken the format: mend the program, or raise the version and add `v2/` beside.
Times, ids and hosts are fixed, so that `build` gives the same bytes on any day.
"""

import itertools
import sys
from pathlib import Path
from uuid import UUID

from journal import claim as claim_module
from journal import compactor, events, markers
from journal.claim import Claim
from journal.clock import stamp
from journal.stores.memory import MemoryStore
from journal.stream import Stream

RUN = "mistral-20250805-142652"
BEGAN = 1754404012.0  # 2025-08-05T14:26:52Z

FIRST_ATTEMPT = [
    (0.0, "started", {
        "job": "prepare", "attempt": 1, "sources_total": 2,
        "sources": [{"source": "corpus_federal", "files": 3, "bytes": 3_000}, {"source": "laws"}],
        "host": "gpu-7", "pid": 4711, "params": {"shards": 8, "url": "https://u:p@host/x?sig=1"},
    }),
    (0.5, "phase", {"phase": "data_prep", "sub_phase": "downloading_policy", "operation": "fetch"}),
    (1.0, "source_started", {
        "source": "corpus_federal", "files": 3, "bytes": 3_000, "sub_phase": "downloading_policy",
    }),
    (16.25, "progress", {
        "source": "corpus_federal", "files": 0, "bytes": 400,
        "in_flight": [{"path": "federal/ä.txt", "bytes": 400, "size": 1_000, "seconds": 15.1}],
    }),
    (20.0, "file_done", {
        "source": "corpus_federal", "path": "federal/ä.txt", "bytes": 1_000, "seconds": 18.9,
    }),
    (21.0, "file_skipped", {
        "source": "corpus_federal", "path": "federal/b.txt", "reason": "there already",
    }),
    (22.0, "error", {
        "message": "GET https://host/c?X-Amz-Signature=abc: 503", "error": "HTTPError",
        "source": "corpus_federal", "path": "federal/c.txt", "fatal": False, "retry": 1,
    }),
    (23.0, "waiting", {"reason": "rate limit", "until": stamp(BEGAN + 120)}),
    (203.0, "heartbeat", {
        "files": 1, "bytes": 1_000, "in_flight": [], "silent_seconds": 180.0, "cpu_seconds": 0.4,
        "read_bytes": 2_048, "write_bytes": 1_024, "rss_bytes": 52_428_800, "clock_offset": 0.75,
    }),
]  # fmt: skip

SECOND_ATTEMPT = [
    (600.0, "started", {
        "job": "prepare", "attempt": 2, "sources_total": 2, "host": "gpu-8", "pid": 815,
        "params": {},
    }),
    (600.5, "phase", {"phase": "data_prep", "sub_phase": "downloading_policy"}),
    (601.0, "source_started", {
        "source": "corpus_federal", "files": 3, "bytes": 3_000, "sub_phase": "downloading_policy",
        "done": {"files": 1, "bytes": 1_000},
    }),
    (650.0, "file_done", {
        "source": "corpus_federal", "path": "federal/c.txt", "bytes": 1_000, "seconds": 48.0,
    }),
    (651.0, "source_done", {
        "source": "corpus_federal", "files": 1, "bytes": 1_000, "seconds": 50.0,
    }),
    (652.0, "phase", {"phase": "data_prep", "sub_phase": "tokenizing"}),
    (652.5, "source_started", {"source": "laws", "sub_phase": "tokenizing"}),
    (660.0, "tokens_counted", {"source": "laws", "tokens": 123_456, "note": "of its own type"}),
    (661.0, "error", {
        "message": "no such file", "error": "FileNotFoundError", "source": "laws", "fatal": True,
        "traceback": "Traceback (most recent call last):\n  …",
    }),
    (662.0, "dropped", {
        "count": 3, "reason": "said faster than it could be taken in", "by": "journal",
    }),
    (663.0, "finished", {"status": "completed", "message": "1 of 2 sources"}),
]  # fmt: skip


class FixedClock:
    """The clock of one host: the stamps of its control lines are given."""

    def __init__(self, *stamps: float, offset: float) -> None:
        self.offset = offset
        self._stamps = iter(stamps)

    def stamp(self) -> str:
        return stamp(BEGAN + next(self._stamps))

    def saw(self, store_time: float) -> None:
        """Keep the offset that was given."""


def host(store: MemoryStore, name: str, pid: int, clock: FixedClock) -> Stream:
    return Stream(
        store=store,
        run_id=RUN,
        name="main",
        host=name,
        pid=pid,
        flush_seconds=5.0,
        heartbeat_seconds=180.0,
        clock=clock,
    )


def build() -> dict[str, bytes]:
    """The objects of the run by their keys, written as a program writes them."""
    store = MemoryStore(lambda: BEGAN)
    numbers = itertools.count(1)
    drawn, claim_module.uuid4 = claim_module.uuid4, lambda: UUID(int=next(numbers))
    try:
        first = Claim(
            host(store, "gpu-7", 4711, FixedClock(-0.5, offset=0.5)), resume=False
        ).attempt()
        tell(first, FIRST_ATTEMPT)
        # The second process takes over from the first, which was killed.
        second = Claim(
            host(store, "gpu-8", 815, FixedClock(599.0, 599.5, 664.0, offset=-0.25)), resume=True
        ).attempt()
        tell(second, SECOND_ATTEMPT, "finish")
    finally:
        claim_module.uuid4 = drawn
    folded = compactor.Compactor(store, RUN).compact().run
    markers.install(store, RUN, folded["main"].state)
    return {entry.key: store.get(entry.key).body for entry in store.list("")}


def tell(writer, story, seal=None) -> None:
    for after, kind, fields in story:
        place = {"seq": writer.next_seq, "ts": stamp(BEGAN + after), "type": kind}
        writer.append(events.encode({**place, **fields}), 1)
    writer.flush(seal)


if __name__ == "__main__":
    for key, body in build().items():
        path = Path(sys.argv[1], key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:  # what is there stays: the golden files are never replaced
            file.write(body)
