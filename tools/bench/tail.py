"""The last twenty lines of a long journal in S3: requests, and CPU of the client.

The journal is written by the real stream writer to a server in a process of its own. A flush is a
quarter of the least segment, so that segments have the size they have in a run of many hours, just
above SEGMENT_ROLL_BYTES; the snapshot is a flush behind, as in a run that is alive. (In the moments
between a roll and the next compaction a tail takes a request more.)
Yardstick: get every segment, their keys known, with a bare client that is ready, and `orjson.loads`
every line. Both stay in one process whose client is ready, so that nothing but CPU of the client
counts. Requests are counted twice: at the store's contract and where botocore sends them.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any

import orjson

from journal import layout
from journal.compactor import Compactor
from journal.limits import SEGMENT_ROLL_BYTES, SEGMENT_ROLL_FLUSHES
from journal.stores import connect, read_only
from readers.tail import Tail
from tools.bench.chain import Chain
from tools.bench.counted import Counted, sent_requests
from tools.bench.measure import Effort, cpu
from tools.bench.result import TIMES, Result
from tools.bench.server import BUCKET, ROOT, bare_client, s3_server
from tools.bench.workload import SOURCES, files

_RUN = "long"
_LINES = 20
_LINE_BYTES = 185
_FLUSH_EVENTS = SEGMENT_ROLL_BYTES // SEGMENT_ROLL_FLUSHES // _LINE_BYTES + 1
_TAILS = 40  # of a round, for one reading of everything


def run(effort: Effort) -> Iterator[Result]:
    """Write the journal, count a tail's requests, and time it against reading it all."""
    megabytes = 2 if effort.quick else 100
    with s3_server():
        segments = _write(megabytes * 1_000_000)
        store = Counted(connect(ROOT))
        list(Tail(read_only(store), _RUN).last(_LINES))  # makes the client ready
        store.requests.clear()
        with sent_requests() as sent:
            events = list(Tail(read_only(store), _RUN).last(_LINES))
        if len(events) != _LINES:
            raise RuntimeError(f"{len(events)} events where {_LINES} were asked for")
        verbs = ", ".join(f"{verb} {kind}" for verb, kind in store.requests)
        yield Result(
            "tail.requests",
            max(len(sent), store.requests.total()),
            3,
            "requests",
            f"{verbs}; sent by botocore: {len(sent)} ({' '.join(sent)})",
        )
        yield _cpu(segments, megabytes, effort)


def _cpu(segments: int, megabytes: int, effort: Effort) -> Result:
    store = read_only(connect(ROOT))
    keys = [
        f"training-runs/{layout.segment_key(_RUN, layout.MAIN, segment)}"
        for segment in range(segments)
    ]
    client = bare_client()
    _read_all(client, keys[:1])
    ratios, tails, wholes = [], [], []
    for _ in range(effort.of(5)):
        mine = [cpu(lambda: list(Tail(store, _RUN).last(_LINES))) for _ in range(_TAILS)]
        tails.append(median(mine))
        wholes.append(cpu(lambda: _read_all(client, keys)))
        ratios.append(wholes[-1] / tails[-1])
    return Result(
        "tail",
        median(ratios),
        200,
        TIMES,
        f"reading all {median(wholes):.2f} s, tail {median(tails) * 1000:.2f} ms, client CPU; "
        f"{megabytes} MB in {segments} segments; median of {len(ratios)} rounds in turn, "
        f"each with the median of {_TAILS} tails",
        is_floor=True,
    )


def _write(size: int) -> int:
    """Write a journal of about `size` bytes; return how many segments it has."""
    store = connect(ROOT)
    chain = Chain(store, _RUN)
    count = size // _LINE_BYTES // len(SOURCES)
    for name in SOURCES:
        source = chain.source(name)
        for number, (path, moved, took) in enumerate(files(name, count), 1):
            source.file_done(path, bytes=moved, seconds=took)
            if number % _FLUSH_EVENTS == 0:
                chain.flush()
        source.done()
    chain.flush()
    rolled = chain.writer.segment
    while chain.writer.segment == rolled:
        _flush_some(chain)
    Compactor(store, _RUN).compact()
    _flush_some(chain)
    return chain.writer.segment + 1


def _flush_some(chain: Chain) -> None:
    source = chain.source("last")
    for path, moved, took in files(source.name, _FLUSH_EVENTS):
        source.file_done(path, bytes=moved, seconds=took)
    chain.flush()


def _read_all(client: Any, keys: list[str]) -> None:
    for key in keys:
        body = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        for line in body.splitlines():
            orjson.loads(line)
