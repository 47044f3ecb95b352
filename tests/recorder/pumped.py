"""A pump that is driven by hand, and the job before it."""

import json

from journal.clock import NS
from journal.recorder.intake import Intake
from journal.recorder.outbox import Outbox
from journal.recorder.pump import Pump
from journal.recorder.source import Source
from journal.recorder.stall import stacks
from journal.recorder.vitals import Vitals

START = 1_754_422_500 * NS


class Job:
    """A pump with what stands before and behind it, and a clock that is set by hand."""

    def __init__(self, monkeypatch):
        self.seconds = 0.0
        self.offset = 1.5
        self.vitals = Vitals(0.0, 0, 0, 0)
        for module in ("intake", "source"):
            monkeypatch.setattr(f"journal.recorder.{module}.now_ns", lambda: self.now)
        self.intake, self.outbox = Intake(), Outbox()
        self.pump = Pump(
            self.intake,
            self.outbox,
            heartbeat_seconds=180,
            vitals=lambda: self.vitals,
            clock_offset=lambda: self.offset,
            stacks=lambda _: stacks(set()),
        )
        self.pump.start(self.now)
        self.source = Source(self.intake, "a")
        self.source.start({"source": "a"})

    @property
    def now(self):
        return START + int(self.seconds * NS)

    def at(self, seconds):
        """Let it be so many seconds after the start; return the records made since the last."""
        self.seconds = seconds
        self.pump.step(self.now)
        return [json.loads(line) for line in self.outbox.take()[0].splitlines()]

    def until(self, seconds, *, every=10):
        """Let time pass in steps; return all records made meanwhile."""
        first = int(self.seconds) + every
        return [record for at in range(first, seconds + 1, every) for record in self.at(at)]

    def of_type(self, kind, seconds):
        return [record for record in self.at(seconds) if record["type"] == kind]
