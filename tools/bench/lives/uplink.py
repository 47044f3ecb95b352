"""From a process to the store, modelled: flushes, retries, new segments, installed snapshots.

It follows the recorder's sender: an ordinary record waits for some seconds, a failed flush is tried
again later and later, a snapshot is installed after a flush, but not more often than that.
"""

from dataclasses import dataclass, field
from math import floor, inf
from random import Random
from typing import Final

import orjson

from journal import events, segments
from journal.clock import stamp
from journal.limits import (
    COMPACT_SECONDS,
    COMPACT_STALE_SECONDS,
    FLUSH_PAUSE_SECONDS,
    FLUSH_SECONDS,
    READ_SECONDS,
    RETRY_FIRST_SECONDS,
    RETRY_MAX_SECONDS,
    SEGMENT_ROLL_BYTES,
    SEGMENT_ROLL_FLUSHES,
)
from journal.recorder.outbox import Outbox
from journal.segments import Claimant, Opening, Reason
from tools.bench.lives.course import Course
from tools.bench.lives.host import HostClock

MAIN: Final = "main"


@dataclass(slots=True)
class Voice:
    """What a process brought into the store, and when; when it installed a snapshot.

    A compaction with True is of all streams.
    """

    stream: str
    arrivals: list[tuple[float, list[events.Record]]] = field(default_factory=list)
    compactions: list[tuple[float, bool]] = field(default_factory=list)


class Uplink:
    """Carries what waits in an outbox; `voice` is what arrived."""

    def __init__(
        self,
        outbox: Outbox,
        course: Course,
        clock: HostClock,
        chance: Random,
        *,
        stream: str,
        epoch: int,
    ) -> None:
        self.voice = Voice(stream)
        self.offset = 0.0  # store minus host, as the last reply told
        self._outbox = outbox
        self._course = course
        self._clock = clock
        self._chance = chance
        self._epoch = epoch
        self._segment = self._segment_bytes = self._segment_flushes = 0
        self._retry_at = self._flushed_at = self._compacted_at = 0.0
        self._tries = 0
        self._failing_since = 0.0
        self._has_flushed = False
        self._pause = COMPACT_SECONDS
        if stream != MAIN:
            self._pause = COMPACT_STALE_SECONDS * chance.uniform(1, 1.25)

    def claim(self, at: float, started: events.Record) -> None:
        """Claim the stream: what a claim puts is its opening, and then `started`."""
        arrived = at + self._latency()
        records = [self._seal(at, 0, "takeover")] if self._epoch > 1 else []
        self.voice.arrivals.append((arrived, [*records, self._opened(arrived), started]))
        self.voice.compactions.append((arrived + self._latency(), True))
        self._flushed_at = self._compacted_at = at

    def due(self, now: float) -> float:
        """Return when it wants to be asked next."""
        due = self._compacted_at + self._pause if self._has_flushed else inf
        if self._outbox.count:
            due = min(due, self._flush_due())
        return max(due, now + FLUSH_PAUSE_SECONDS)

    def send(self, at: float) -> events.Record | None:
        """Flush what waits if that is due and the store can be reached, and compact after it.

        Returns the fields of what the journal has to say of an outage that is over.
        """
        told = None
        is_cut = self._course.is_cut(at)
        if self._outbox.count and at >= self._flush_due():
            if is_cut:
                self._fail(at)
                return None
            told = self._flush(at)
        if self._has_flushed and not is_cut and at >= self._compacted_at + self._pause:
            self._compact(at)
        return told

    def end(self, at: float) -> None:
        """Flush the last records and seal the stream; without the store nobody hears of it."""
        if self._course.is_cut(at):
            return
        lines, _count = self._outbox.take()
        arrived = self._begun(at) + self._latency()
        records = [*_records(lines), self._seal(at, 0, "finish")]
        self.voice.arrivals.append((arrived, records))
        self.voice.compactions.append((arrived + self._latency(), True))

    def _flush_due(self) -> float:
        pause = FLUSH_PAUSE_SECONDS if self._outbox.urgent else FLUSH_SECONDS
        return max(self._retry_at, self._flushed_at + pause)

    def _fail(self, at: float) -> None:
        self._failing_since = self._failing_since or at
        self._tries += 1
        pause = min(RETRY_FIRST_SECONDS * 2.0 ** min(self._tries - 1, 10), RETRY_MAX_SECONDS)
        self._retry_at = at + pause + self._chance.uniform(0, READ_SECONDS)

    def _flush(self, at: float) -> events.Record | None:
        urgent = self._outbox.urgent
        lines, _count = self._outbox.take()
        arrived = self._begun(at) + self._latency()
        if arrived > self._course.until and self._chance.random() < 0.5:
            return None  # it died while it sent
        self._measure(arrived)
        records = _records(lines)
        self._segment_bytes += len(lines)
        self._segment_flushes += 1
        rolls = self._segment_flushes >= SEGMENT_ROLL_FLUSHES
        if rolls and self._segment_bytes >= SEGMENT_ROLL_BYTES:
            records += self._roll(arrived)
        self.voice.arrivals.append((arrived, records))
        self._flushed_at = at
        self._has_flushed = True
        tries, since = self._tries, self._failing_since
        self._tries, self._failing_since = 0, 0.0
        if urgent:
            self._compact(at)
        if tries <= 1:
            return None
        words = f"the journal's store did not take records for {at - since:.0f} s"
        fields = {"message": words, "error": "JournalUnavailable", "fatal": False}
        return {**fields, "retry": tries, "by": events.JOURNAL}

    def _compact(self, at: float) -> None:
        installed = max(at, self.voice.arrivals[-1][0]) + self._latency()
        self.voice.compactions.append((installed, self.voice.stream == MAIN))
        self._compacted_at = at
        self._has_flushed = False

    def _roll(self, at: float) -> list[events.Record]:
        seal = self._seal(at, self._segment_bytes, "roll")
        self._segment += 1
        self._segment_bytes = self._segment_flushes = 0
        return [seal, self._opened(at)]

    def _opened(self, at: float) -> events.Record:
        self._measure(at)
        beat = self._course.heartbeat_seconds
        opening = Opening(
            run_id="bench",
            stream=self.voice.stream,
            segment=self._segment,
            epoch=self._epoch,
            clock_offset=self.offset,
            claimant=Claimant(f"w{self._epoch}", "host", 7, FLUSH_SECONDS, beat),
            prev=None,
        )
        line = segments.opened_line(opening, seq=self._outbox.next_seq, ts=self._ts(at))
        return orjson.loads(line)  # type: ignore[no-any-return]

    def _seal(self, at: float, size: int, reason: Reason) -> events.Record:
        line = segments.sealed_line(
            size, "", reason=reason, epoch=self._epoch, seq=self._outbox.next_seq, ts=self._ts(at)
        )
        return orjson.loads(line)  # type: ignore[no-any-return]

    def _measure(self, arrived: float) -> None:
        """Take the store's time from a reply: its `Date` has whole seconds."""
        self.offset = round(floor(arrived) - self._clock.time(arrived), 3)

    def _ts(self, at: float) -> str:
        return stamp(self._clock.time(at))

    def _begun(self, at: float) -> float:
        """Return when a request begins: one thread does one after another."""
        last = (self.voice.arrivals[-1:], self.voice.compactions[-1:])
        return max([at, *(done[0] for ended in last for done in ended)])

    def _latency(self) -> float:
        return min(0.08 * self._chance.lognormvariate(0, 1), 5.0)


def _records(lines: bytearray) -> list[events.Record]:
    records: list[events.Record] = orjson.loads(
        b"[" + lines.rstrip(b"\n").replace(b"\n", b",") + b"]"
    )
    return records
