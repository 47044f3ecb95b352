"""From the queue to numbered lines: checks, redacts, serialises, beats. Never touches the network.

`Pump.step` is driven by a thin thread; it reads no clock and owns no loop.
"""

from collections.abc import Callable
from typing import Any, Final

from journal import events
from journal.clock import NS, Stamp, stamp_seconds
from journal.events import FILE_DONE
from journal.limits import (
    CLOCK_SLACK_SECONDS,
    FLUSH_SECONDS,
    IN_FLIGHT_FILES,
    PROGRESS_SECONDS,
    PUMP_RECORDS,
)
from journal.recorder.batch import BATCH_FILES, Batch, line, name, number
from journal.recorder.intake import Intake, Tally, whole
from journal.recorder.outbox import Outbox
from journal.recorder.stall import Stall, StallWatch
from journal.recorder.vitals import Vitals
from journal.redaction import STANDARD, Redaction

_THOUSAND: Final = tuple(f"{number:03d}" for number in range(1000))


class Pump:
    """Empties the intake into the outbox, and speaks when the job is silent."""

    def __init__(
        self,
        intake: Intake,
        outbox: Outbox,
        *,
        heartbeat_seconds: float,
        flush_seconds: float = FLUSH_SECONDS,
        vitals: Callable[[], Vitals],
        clock_offset: Callable[[], float],
        redaction: Redaction = STANDARD,
        stacks: Callable[[Stall], str] = lambda _: "",
    ) -> None:
        self._intake = intake
        self._outbox = outbox
        self._heartbeat_ns = int(heartbeat_seconds * NS)
        self._vitals = vitals
        self._clock_offset = clock_offset
        self._redaction = redaction
        self._stacks = stacks
        self._watch = StallWatch(heartbeat_seconds=heartbeat_seconds, flush_seconds=flush_seconds)
        self._offset_told = 0.0
        self._stamp = Stamp()
        self._overflowed = 0  # items the queue had no room for, told of
        self._given_up = 0  # records the outbox had no room for, not told of yet
        self._is_whole = True  # nothing was ever given up
        self._is_finished = False
        self._is_trouble_told = False
        self._files = self._bytes = 0  # of files that were done
        self._said_ns = 0  # when the job last said anything
        self._last_ns = 0  # when any record was last made
        self._progress_ns = self._watched_ns = 0
        self._moved = 0  # bytes, parts of unfinished files included, when last looked at
        self._beaten = Vitals(0.0, 0, 0, 0)
        self._beaten_files = self._beaten_bytes = 0

    def start(self, now_ns: int) -> None:
        """Begin to measure silence."""
        self._said_ns = self._last_ns = self._progress_ns = self._watched_ns = now_ns
        self._beaten = self._vitals()
        self._offset_told = self._clock_offset()
        self._watch.start(now_ns / NS)

    def step(self, now_ns: int) -> None:
        """Take in all that was said until now; beat if the promise of `heartbeat_seconds` asks."""
        outbox = self._outbox
        with outbox.lock:
            is_open = not outbox.closed and outbox.seal is None
            jump = self._clock_offset() - self._offset_told if is_open else 0.0
            if jump < -CLOCK_SLACK_SECONDS:
                self._beat(now_ns)  # the host's clock was set forward: so are the next records
            waiting = len(self._intake.queue)
            while waiting > 0:
                # Only what is there now: threads that never pause must not keep the pump in here.
                self._drain(min(waiting, PUMP_RECORDS))
                outbox.commit()
                waiting -= PUMP_RECORDS
            if outbox.closed:
                outbox.close(ok=False)
                return
            if outbox.room > 0:
                self._tell_lost(now_ns)
            # A host's clock may be set back: the promise holds on.
            self._last_ns = min(self._last_ns, now_ns)
            self._progress_ns = min(self._progress_ns, now_ns)
            self._watched_ns = min(self._watched_ns, now_ns)
            if now_ns - self._progress_ns >= PROGRESS_SECONDS * NS:
                self._progress_ns = now_ns
                self._tell_progress(now_ns)
            # One that was set back is told of behind what was said before.
            if now_ns - self._last_ns >= self._heartbeat_ns or jump > CLOCK_SLACK_SECONDS:
                self._beat(now_ns)
            self._tell_stall(now_ns)
            self._tell_trouble(now_ns)
            outbox.commit()
            ready = outbox.count or outbox.marks
        if ready:
            outbox.filled.set()

    def _drain(self, count: int) -> None:
        """Make records of the first `count` that wait in the queue.

        Files are the bulk of what is said, so their way is laid out here without a call, and they
        are serialised by the batch.
        """
        queue, batch = self._intake.queue, Batch(self._outbox.next_seq)
        records, seq = batch.records, batch.seq
        at_ns, millisecond, prefix = self._said_ns, -1, ""
        for _ in range(count):
            item = queue.popleft()
            if item[1] is not FILE_DONE:
                self._keep(batch, at_ns)
                self._take(item)
                batch, at_ns = Batch(self._outbox.next_seq), self._said_ns
                records, seq = batch.records, batch.seq
                continue
            at_ns, _, tally, path, size, seconds = item
            # Nothing but plain values: a batch is cut into lines by how a record begins.
            if type(path) is not str:
                path = name(path)
            if type(size) is not int or size < 0:
                size = whole(size)
            if type(seconds) is not float and seconds is not None:
                seconds = number(seconds)
            if tally is not batch.tally:
                if tally.untold is not None:
                    self._keep(batch, at_ns)
                    self._introduce(at_ns, tally)
                    batch = Batch(self._outbox.next_seq)
                    records, seq = batch.records, batch.seq
                batch.count(tally)
            batch.bytes += size
            if at_ns // 1_000_000 != millisecond:
                millisecond = at_ns // 1_000_000
                prefix = f"{stamp_seconds(at_ns // NS)[:-1]}.{millisecond % 1000:03d}"
            records.append(
                {
                    "seq": seq,
                    "ts": f"{prefix}{_THOUSAND[at_ns // 1000 % 1000]}Z",
                    "type": FILE_DONE,
                    "source": tally.source,
                    "path": path,
                    "bytes": size,
                    "seconds": seconds,
                }
            )
            seq += 1
            if len(records) == BATCH_FILES:
                self._keep(batch, at_ns)
                batch = Batch(self._outbox.next_seq)
                records, seq = batch.records, batch.seq
        self._keep(batch, at_ns)

    def _keep(self, batch: Batch, at_ns: int) -> None:
        """Hand a batch of files, the last done at `at_ns`, to the outbox."""
        files = len(batch.records)
        if not files:
            return
        outbox = self._outbox
        self._said_ns = at_ns
        self._bytes += batch.count(None)
        if outbox.room <= 0:
            self._give_up(files)
            return
        outbox.fresh += batch.lines(self._redaction)
        outbox.fresh_count += files
        outbox.next_seq += files
        self._files += files
        self._last_ns = max(self._last_ns, at_ns)
        self._watch.did(at_ns / NS)

    def _take(self, item: tuple[Any, ...]) -> None:
        """Take in anything but a file that was done, or a file that there is no room for."""
        at_ns, kind = item[0], item[1]
        outbox = self._outbox
        if kind is None:
            waiter, seal = item[2], item[3]
            waiter.is_whole = self._is_whole and not self._intake.lost
            # The end waits for the store even if not all that was said can be there.
            if outbox.closed or outbox.seal or not (seal or waiter.is_whole):
                waiter.settle(ok=False)
            if seal is not None:
                self._tell_lost(at_ns)
            outbox.marks.append((outbox.next_seq, waiter))
            outbox.seal = seal or outbox.seal
            return
        if outbox.seal is not None:
            return  # nothing comes behind the end
        self._said_ns = at_ns
        if kind is events.FINISHED:
            # A signal's handler may say it too, between this and the seal.
            if self._is_finished:
                return
            self._is_finished = True
            self._tell_lost(at_ns)
        fields, tally = item[2], item[3]
        self._count(at_ns, kind, fields, tally)
        self._write(at_ns, kind, fields)

    def _count(self, at_ns: int, kind: str, fields: dict[str, Any], tally: Tally | None) -> None:
        """Keep a source's numbers and fill those in that only the pump knows."""
        if tally is None:
            return
        if kind == events.SOURCE_STARTED:
            tally.started_ns = at_ns
            tally.untold = None
            return
        self._introduce(at_ns, tally)
        if kind == events.SOURCE_DONE:
            seconds = round((at_ns - tally.started_ns) / NS, 3)
            fields.update(files=tally.files, bytes=tally.bytes, seconds=seconds)

    def _introduce(self, at_ns: int, tally: Tally) -> None:
        """Tell of a source that a parent of this process began, before its first record here."""
        fields, tally.untold = tally.untold, None
        if fields is not None:
            tally.started_ns = at_ns
            self._write(at_ns, events.SOURCE_STARTED, fields)

    def _write(self, at_ns: int, kind: str, fields: dict[str, Any]) -> None:
        outbox = self._outbox
        if outbox.room <= 0 and kind not in (events.DROPPED, events.FINISHED):
            self._give_up()
            return
        place = {"seq": outbox.next_seq, "ts": self._stamp(at_ns), "type": kind}
        record = {**place, **fields}
        outbox.fresh += line(record, self._redaction)
        outbox.fresh_count += 1
        outbox.next_seq += 1
        outbox.urgent = outbox.urgent or kind in events.URGENT
        # Who only fails, again and again, still has to show what else goes on.
        if kind != events.ERROR:
            self._last_ns = max(self._last_ns, at_ns)
        self._watch.saw(kind, record, at_ns / NS, self._moved)

    def _give_up(self, count: int = 1) -> None:
        self._given_up += count
        self._is_whole = False

    def _tell_lost(self, now_ns: int) -> None:
        """Write down what was given up, as soon as there is room for the words, or at the end."""
        overflowed = self._intake.lost - self._overflowed
        if overflowed:
            self._overflowed += overflowed
            self._tell_dropped(now_ns, overflowed, "said faster than it could be taken in")
        if self._given_up:
            count, self._given_up = self._given_up, 0
            self._tell_dropped(now_ns, count, "the store did not take it, and there was no room")

    def _tell_trouble(self, now_ns: int) -> None:
        """Write down, once, that what is said is safe in the store only."""
        trouble, told = self._outbox.trouble, self._is_trouble_told
        self._is_trouble_told = trouble is not None
        if trouble is not None and not told:
            fields = {"message": f"the spool cannot be written: {trouble}", "error": "JournalSpool"}
            self._write(now_ns, events.ERROR, {**fields, "fatal": False, "by": events.JOURNAL})

    def _tell_stall(self, now_ns: int) -> None:
        """Write down where the job's threads stand while it does not work."""
        if now_ns - self._watched_ns < min(self._heartbeat_ns, PROGRESS_SECONDS * NS):
            return
        self._watched_ns = now_ns
        stall = self._watch.stall(now_ns / NS)
        if stall is not None and not self._is_finished and self._outbox.seal is None:
            told = {**stall, "traceback": self._stacks(stall), "by": events.JOURNAL}
            self._write(now_ns, events.STACK, told)

    def _tell_dropped(self, now_ns: int, count: int, reason: str) -> None:
        self._write(
            now_ns, events.DROPPED, {"count": count, "reason": reason, "by": events.JOURNAL}
        )

    def _tell_progress(self, now_ns: int) -> None:
        """Say how far a source is, if bytes moved that no record has told of."""
        if self._outbox.is_crowded or not self._intake.open_files:
            return
        flying: dict[Tally, int] = {}
        for file in list(self._intake.open_files):
            flying[file.tally] = flying.get(file.tally, 0) + whole(file.bytes)
        self._moved = self._bytes + sum(flying.values())
        for tally, moving in flying.items():
            moved = tally.bytes + moving
            if moved > max(tally.bytes, tally.said_bytes):
                tally.said_bytes = moved
                self._introduce(now_ns, tally)
                fields = {"source": tally.source, "files": tally.files, "bytes": moved}
                self._write(
                    now_ns, events.PROGRESS, {**fields, "in_flight": self._in_flight(now_ns)}
                )

    def _in_flight(self, now_ns: int) -> list[dict[str, Any]]:
        """Describe the oldest files in flight."""
        return [
            {
                "source": file.tally.source,
                "path": name(file.path),
                "bytes": whole(file.bytes),
                "size": file.size,
                "seconds": round((now_ns - file.opened_ns) / NS, 1),
            }
            for file in list(self._intake.open_files)[:IN_FLIGHT_FILES]
        ]

    def _beat(self, now_ns: int) -> None:
        """Say that the process is there, and what it did since the last beat."""
        self._last_ns = now_ns
        if self._outbox.is_crowded:
            return
        vitals, before = self._vitals(), self._beaten
        offset = self._offset_told = self._clock_offset()
        self._moved = self._bytes + sum(whole(file.bytes) for file in list(self._intake.open_files))
        self._write(
            now_ns,
            events.HEARTBEAT,
            {
                "files": self._files - self._beaten_files,
                "bytes": max(0, self._moved - self._beaten_bytes),
                "in_flight": self._in_flight(now_ns),
                "silent_seconds": round((now_ns - self._said_ns) / NS, 1),
                "cpu_seconds": round(max(0.0, vitals.cpu_seconds - before.cpu_seconds), 2),
                "read_bytes": max(0, vitals.read_bytes - before.read_bytes),
                "write_bytes": max(0, vitals.write_bytes - before.write_bytes),
                "rss_bytes": vitals.rss_bytes,
                "clock_offset": offset,
            },
        )
        self._beaten, self._beaten_bytes, self._beaten_files = vitals, self._moved, self._files
