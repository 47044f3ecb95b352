"""A million events that were said during an outage, and a job that was killed in it: the recovery.

The spool is made by the real pump and outbox, with no store at all, as in an outage that began
before the run could be claimed: the longest way, for all of it is numbered anew. Measured: what
`journal recover` does with it, from judging to the sealed stream and its snapshot, in S3.
Yardstick: `orjson.loads` of each of its lines. The line also tells the seconds by the clock.
"""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, process_time

import orjson

from journal import events
from journal.clock import StoreClock, now_ns, stamp
from journal.limits import FLUSH_SECONDS, HEARTBEAT_SECONDS
from journal.recorder.intake import Intake
from journal.recorder.outbox import Outbox
from journal.recorder.owner import Owner
from journal.recorder.pump import Pump
from journal.recorder.recovery import send, spools
from journal.recorder.source import Source
from journal.recorder.spool import Spool
from journal.recorder.vitals import Vitals
from journal.stores import connect
from tools.bench.measure import Effort
from tools.bench.result import TIMES, Result
from tools.bench.server import ROOT, s3_server
from tools.bench.workload import files

_RUN = "long-outage"
_STEP = 10_000  # events said between two steps of the pump


def run(effort: Effort) -> Iterator[Result]:
    """Fill a spool, forget who filled it, recover it."""
    count = 20_000 if effort.quick else 1_000_000
    with tempfile.TemporaryDirectory() as home, s3_server():
        store = connect(ROOT)
        owner = Owner(
            root=str(store),
            endpoint=getattr(store, "endpoint", ""),
            run_id=_RUN,
            stream="main",
            job="bench",
            host=socket.gethostname(),
            pid=1,
            flush_seconds=FLUSH_SECONDS,
            heartbeat_seconds=HEARTBEAT_SECONDS,
        )
        size, yardstick = _fill(Spool.open(Path(home), owner, resume=False), count)
        (found,) = spools(Path(home), store, owner.host)
        began, before = monotonic(), process_time()
        send(found, store, pid=1, clock=StoreClock())
        seconds, cpu = monotonic() - began, process_time() - before
    if found.sent != count + 2:
        raise RuntimeError(f"{found.sent} records sent, {count + 2} were said")
    yield Result(
        "recover",
        cpu / yardstick,
        25,
        TIMES,
        f"{count:,} events, {size / 1e6:.0f} MB of spool: {seconds:.1f} s by the clock, "
        f"{cpu:.1f} s CPU of this process, orjson.loads {yardstick:.2f} s; once",
    )


def _fill(spool: Spool, count: int) -> tuple[int, float]:
    """Say `count` files to nobody; return the bytes of the spool, and the yardstick's seconds."""
    started = {"seq": 0, "ts": stamp(now_ns() / 1e9), "type": events.STARTED}
    intake = Intake()
    outbox = Outbox(spool, events.encode({**started, "job": "bench", "attempt": 1}))
    pump = Pump(
        intake,
        outbox,
        heartbeat_seconds=HEARTBEAT_SECONDS,
        vitals=lambda: Vitals(0.0, 0, 0, 0),
        clock_offset=lambda: 0.0,
    )
    pump.start(now_ns())
    source = Source(intake, "wikipedia")
    source.start({"source": "wikipedia", "sub_phase": "downloading"})
    work = files("wikipedia", _STEP)
    for _ in range(count // _STEP):
        for path, size, took in work:
            source.file_done(path, bytes=size, seconds=took)
        pump.step(now_ns())
    lines = b"".join(spool.chunks(0, spool.size)).splitlines()
    size = spool.size
    outbox.leave_spool()
    before = process_time()
    for line in lines:
        orjson.loads(line)
    return size, process_time() - before
