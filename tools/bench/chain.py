"""The job's side without its threads: intake, pump, outbox and stream writer, a flush at a time."""

from journal import events
from journal.claim import Claim
from journal.clock import NS, StoreClock, now_ns, stamp
from journal.limits import FLUSH_SECONDS, HEARTBEAT_SECONDS
from journal.recorder.intake import Intake
from journal.recorder.outbox import Outbox
from journal.recorder.pump import Pump
from journal.recorder.source import Source
from journal.recorder.vitals import Vitals
from journal.segments import Reason
from journal.stores import Store
from journal.stream import Clock, Stream


class Chain:
    """Carries what is said to the store whenever it is told to; a spool and a fold it has not."""

    def __init__(
        self, store: Store, run_id: str, clock: Clock | None = None, name: str = "main"
    ) -> None:
        """Claim a stream of the run; without a clock it has the host's and the store's."""
        self.intake = Intake()
        outbox = self.outbox = Outbox()
        self.pump = Pump(
            self.intake,
            outbox,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            vitals=lambda: Vitals(0.0, 0, 0, 0),
            clock_offset=lambda: 0.0,
        )
        self.pump.start(now_ns())
        stream = Stream(
            store=store,
            run_id=run_id,
            name=name,
            host="bench",
            pid=1,
            flush_seconds=FLUSH_SECONDS,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            clock=clock or StoreClock(),
        )
        self.writer = Claim(stream, resume=False).attempt()
        started = {"seq": 0, "ts": stamp(now_ns() / NS), "type": events.STARTED}
        outbox.begin_at(0, [events.encode({**started, "job": "bench", "attempt": 1})])
        self.flush()

    def source(self, name: str) -> Source:
        """Begin a source."""
        source = Source(self.intake, name)
        source.start({"source": name, "sub_phase": "downloading"})
        return source

    def flush(self, seal: Reason | None = None) -> None:
        """Pump what was said and put it, with one put or, after a roll, on a new segment."""
        self.pump.step(now_ns())
        self.writer.append(*self.outbox.take())
        self.writer.flush(seal)
