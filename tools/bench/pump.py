"""From the queue to the bytes of finished segments, without spool, fold and store.

Measured: `Pump.step` over what `file_done` left in the queue, the outbox's `take`, and the stream
writer's `append` and `flush`, down to a store that answers and keeps nothing: composing bodies,
hashing, sealing and opening segments are all in it. A flush carries what the recorder sends at once
under load (FLUSH_BYTES), and a round ends with a whole number of segments. Yardstick:
`orjson.dumps` of the same records, made before, in a loop whose own cost is taken off. The line
also gives the ratio to making the records' dicts and `orjson.dumps`, the yardstick of the caller.
"""

from collections.abc import Iterator
from itertools import starmap
from statistics import median
from time import process_time

import orjson

from journal.limits import FLUSH_BYTES, SEGMENT_ROLL_FLUSHES
from journal.stores import Absent, Entry, Found, Put, Unchanged, Version
from journal.stores.contract import Expectation
from tools.bench.chain import Chain
from tools.bench.measure import Effort, ratio, seconds
from tools.bench.result import TIMES, Result
from tools.bench.workload import File, build, files

_LINE_BYTES = 185
_FLUSH_EVENTS = FLUSH_BYTES // _LINE_BYTES
_SEGMENTS = 2  # of a round


class _Nowhere:
    """A store that takes everything and keeps nothing but its size."""

    def __init__(self) -> None:
        self.bytes = 0
        self.puts = 0

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        raise NotImplementedError(f"nothing reads {key} from {start} unless {unless}")

    def put(self, key: str, body: bytes, *, expect: Expectation) -> Put:
        del key, expect
        self.bytes += len(body)
        self.puts += 1
        return Put(Version("any"), 0.0)

    def delete(self, key: str) -> None:
        raise NotImplementedError(f"nothing deletes {key}")

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        raise NotImplementedError(f"nothing lists {prefix} behind {after} by {delimiter}")


def run(effort: Effort) -> Iterator[Result]:
    """Measure whole segments against the bare serialisation of their records."""
    store = _Nowhere()
    chain = Chain(store, "bench")
    source = chain.source("wikipedia")
    chain.flush()
    flushes = SEGMENT_ROLL_FLUSHES * _SEGMENTS
    count = flushes * _FLUSH_EVENTS
    work = files(source.name, count)
    records = list(starmap(_record, enumerate(work)))
    parts = [work[at : at + _FLUSH_EVENTS] for at in range(0, count, _FLUSH_EVENTS)]

    def carry() -> float:
        taken = 0.0
        for part in parts:
            for path, size, took in part:
                source.file_done(path, bytes=size, seconds=took)
            before = process_time()
            chain.flush()
            taken += process_time() - before
        return taken

    carried, dumped, built, nothing = seconds(
        carry,
        lambda: _dump(records),
        lambda: build(work),
        lambda: _loop(records),
        rounds=effort.of(300),
    )
    dumped = [one - loop for one, loop in zip(dumped, nothing, strict=True)]
    carried_ns, dumped_ns = (median(taken) / count * 1e9 for taken in (carried, dumped))
    yield Result(
        "pump",
        ratio(carried, dumped),
        3.5,
        TIMES,
        f"queue to segments {carried_ns:.0f} ns, orjson.dumps {dumped_ns:.0f} ns an event, CPU "
        f"({ratio(carried, built):.3g} {TIMES} dict + orjson.dumps); "
        f"median of {len(carried)} rounds of {count:,} events in turn, flushes of {_FLUSH_EVENTS}; "
        f"{chain.writer.segment} segments, {store.puts} puts of {store.bytes / store.puts:,.0f} B",
    )


def _record(seq: int, file: File) -> dict[str, object]:
    return {
        "seq": seq,
        "ts": "2025-08-05T14:26:52.123456Z",
        "type": "file_done",
        "source": "wikipedia",
        "path": file.path,
        "bytes": file.bytes,
        "seconds": file.seconds,
    }


def _dump(records: list[dict[str, object]]) -> float:
    before = process_time()
    for record in records:
        orjson.dumps(record)
    return process_time() - before


def _loop(records: list[dict[str, object]]) -> float:
    before = process_time()
    for _record in records:
        pass
    return process_time() - before
