"""A process of a run on a virtual clock. The product's own pump makes its records, as in a job.

A step is taken when something is due: a word of the job's, bytes that moved, a beat, a flush.
"""

from random import Random
from typing import Final

from journal import events
from journal.clock import NS, stamp
from journal.limits import CLOCK_SLACK_SECONDS, FLUSH_SECONDS, PROGRESS_SECONDS, PUMP_SECONDS
from journal.recorder.intake import Intake
from journal.recorder.outbox import Outbox
from journal.recorder.pump import Pump
from journal.recorder.source import File, Source
from journal.recorder.vitals import Vitals
from tools.bench.lives.course import Course
from tools.bench.lives.host import HostClock
from tools.bench.lives.script import Flight, Meter, Say, Script
from tools.bench.lives.uplink import MAIN, Uplink, Voice

_RSS_BYTES: Final = 300 << 20


class Process:
    """One process: what it does, how long it lives, and its host's clock."""

    def __init__(
        self,
        script: Script,
        course: Course,
        clock: HostClock,
        chance: Random,
        *,
        stream: str = MAIN,
        attempt: int = 1,
        epoch: int = 1,
        status: str = "completed",
    ) -> None:
        self._script = script
        self._course = course
        self._clock = clock
        self._attempt = attempt
        self._status = status
        self._now = course.begin
        self._recorded_at = course.begin  # when a record was made last
        self._offset = 0.0  # store minus host, as the pump saw it last
        self._meter = Meter(script.burns)
        self._intake = Intake()
        self._outbox = Outbox()
        self._uplink = Uplink(self._outbox, course, clock, chance, stream=stream, epoch=epoch)
        self._pump = Pump(
            self._intake,
            self._outbox,
            heartbeat_seconds=course.heartbeat_seconds,
            vitals=self._vitals,
            clock_offset=lambda: self._uplink.offset,
        )
        self._sources: dict[str, Source] = {}
        self._open: dict[File, Flight] = {}
        self._says = [(course.at(say.at), say) for say in reversed(script.says)]
        self._flights = sorted(script.flights, key=lambda flight: flight.begin, reverse=True)
        self._ends = course.at(script.end)

    def live(self) -> Voice:
        """Live to the end of the script, or as long as the course lasts."""
        course, voice = self._course, self._uplink.voice
        fields = {"job": "bench", "attempt": self._attempt, "host": "host", "pid": 7, "params": {}}
        begun = stamp(self._clock.time(self._now))
        self._uplink.claim(self._now, {"seq": 0, "ts": begun, "type": events.STARTED, **fields})
        self._pump.start(self._clock.ns(self._now))
        while True:
            self._now = now = course.awake(self._next_step())
            if now >= course.until:
                return voice
            while self._says and self._says[-1][0] <= now:
                self._say(*self._says.pop())
            if now >= self._ends:
                self._end(now)
                return voice
            self._step(now)

    def _next_step(self) -> float:
        """Return when something is due; what is said within some seconds is taken in together."""
        now = self._now
        due = min(self._recorded_at + self._course.heartbeat_seconds, self._uplink.due(now))
        work = self._course.worked(now)
        if any(flight.moves and flight.stuck > work for flight in self._open.values()):
            due = min(due, now + PROGRESS_SECONDS)
        if abs(self._uplink.offset - self._offset) > CLOCK_SLACK_SECONDS:
            due = now  # the pump looks many times a second, and tells of a clock that was set
        due = max(due, now + PUMP_SECONDS)
        ahead = self._says[-1][0] if self._says else self._ends
        if self._flights:
            ahead = min(ahead, self._course.at(self._flights[-1].begin))
        due = min(due, max(ahead, now + FLUSH_SECONDS))
        return max(min(due, self._ends), now)

    def _step(self, now: float) -> None:
        before, self._offset = self._outbox.next_seq, self._uplink.offset
        self._fly(now)
        self._pump.step(self._clock.ns(now))
        told = self._uplink.send(now)
        if told is not None:
            self._intake.queue.append((self._clock.ns(now), events.ERROR, told, None))
        due = self._recorded_at + self._course.heartbeat_seconds
        if self._outbox.next_seq != before:
            self._recorded_at = now
        elif now >= due:
            # The host's clock was set back, so the pump has yet to see the time pass.
            self._recorded_at = now - self._course.heartbeat_seconds + PROGRESS_SECONDS

    def _say(self, at: float, say: Say) -> None:
        """Leave in the queue what a call of the API leaves there."""
        at_ns, fields = self._clock.ns(at), dict(say.fields)
        tally = None
        if say.source is not None:
            source = self._sources.get(say.source)
            if source is None:
                source = self._sources[say.source] = Source(self._intake, say.source)
            tally = source.file("").tally
            if say.kind == events.FILE_DONE:
                path, size, seconds = fields["path"], fields["bytes"], fields["seconds"]
                self._land(path, say.source)
                self._intake.queue.append((at_ns, events.FILE_DONE, tally, path, size, seconds))
                return
            fields["source"] = say.source
        if "until" in fields:
            fields["until"] = stamp(at_ns / NS + fields["until"] - say.at)
        self._intake.queue.append((at_ns, say.kind, fields, tally))

    def _fly(self, now: float) -> None:
        """Open the files that are in flight now, and move their bytes."""
        work = self._course.worked(now)
        while self._flights and self._flights[-1].begin <= work:
            flight = self._flights.pop()
            source = self._sources.get(flight.source)
            if flight.closes > work and source is not None:
                file = source.file(flight.path, size=flight.bytes)
                file.opened_ns = self._clock.ns(self._course.at(flight.begin))
                self._open[file] = flight
                self._intake.open_files[file] = None
        for file, flight in self._open.items():
            file.bytes = flight.moved(work)

    def _land(self, path: str, source: str) -> None:
        for file, flight in self._open.items():
            if flight.path == path and flight.source == source:
                del self._open[file]
                del self._intake.open_files[file]
                return

    def _end(self, now: float) -> None:
        """Say the end, and wait for it to be in the store."""
        self._intake.open_files.clear()
        said = (self._clock.ns(now), events.FINISHED, {"status": self._status}, None)
        self._intake.queue.append(said)
        self._pump.step(self._clock.ns(now))
        self._uplink.end(now)

    def _vitals(self) -> Vitals:
        cpu, io = self._meter.read(self._course.worked(self._now))
        return Vitals(cpu, int(io / 2), int(io / 2), _RSS_BYTES)
