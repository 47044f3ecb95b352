"""From the queue to numbered lines: checks, redacts, serialises, beats. Never touches the network.

`Pump.step` is driven by a thin thread; it reads no clock and owns no loop.
"""

import os
from collections.abc import Callable
from typing import Any, Final

import orjson

from journal import events
from journal.clock import NS, Stamp, stamp_seconds
from journal.events import AT, EQUALS, FILE_DONE
from journal.limits import (
    IN_FLIGHT_FILES,
    LINE_BYTES,
    PROGRESS_SECONDS,
)
from journal.recorder.intake import Intake, Tally, whole
from journal.recorder.outbox import Outbox
from journal.recorder.vitals import Vitals

_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE
_PLAIN: Final = (str, int, float, bool, type(None))


class Pump:
    """Empties the intake into the outbox, and speaks when the job is silent."""

    def __init__(
        self,
        intake: Intake,
        outbox: Outbox,
        *,
        heartbeat_seconds: float,
        vitals: Callable[[], Vitals],
        clock_offset: Callable[[], float],
    ) -> None:
        self._intake = intake
        self._outbox = outbox
        self._heartbeat_ns = int(heartbeat_seconds * NS)
        self._vitals = vitals
        self._clock_offset = clock_offset
        self._stamp = Stamp()
        self._overflowed = 0  # items the queue had no room for, told of
        self._given_up = 0  # records the outbox had no room for, not told of yet
        self._is_whole = True  # nothing was ever given up
        self._files = self._bytes = 0  # of files that were done
        self._said_ns = 0  # when the job last said anything
        self._last_ns = 0  # when any record was last made
        self._progress_ns = 0
        self._beaten = Vitals(0.0, 0, 0, 0)
        self._beaten_files = self._beaten_bytes = 0

    def start(self, now_ns: int) -> None:
        """Begin to measure silence."""
        self._said_ns = self._last_ns = self._progress_ns = now_ns
        self._beaten = self._vitals()

    def step(self, now_ns: int) -> None:
        """Take in all that was said until now; beat if the promise of `heartbeat_seconds` asks."""
        outbox = self._outbox
        with outbox.lock:
            if self._intake.queue:
                self._drain()
            if outbox.closed:
                outbox.close(ok=False)
                return
            if outbox.room > 0:
                self._tell_lost(now_ns)
            # A host's clock may be set back: the promise holds on.
            self._last_ns = min(self._last_ns, now_ns)
            self._progress_ns = min(self._progress_ns, now_ns)
            if now_ns - self._progress_ns >= PROGRESS_SECONDS * NS:
                self._progress_ns = now_ns
                self._tell_progress(now_ns)
            if now_ns - self._last_ns >= self._heartbeat_ns:
                self._beat(now_ns)
            ready = outbox.count or outbox.marks
        if ready:
            outbox.filled.set()

    def _drain(self) -> None:
        """Serialise what waits in the queue.

        Files are the bulk of what is said, so their way is laid out here without a call.
        """
        outbox, queue, dumps = self._outbox, self._intake.queue, orjson.dumps
        lines, seq, room = bytearray(), outbox.next_seq, outbox.room
        second_ns, prefix = 0, ""  # the second that the last file was done in, and its text
        # Filled in anew for each file: making one would cost as much as two thirds of serialising.
        record: events.Record = {"seq": 0, "ts": "", "type": FILE_DONE, "source": "", "path": ""}
        # Only what is there now: threads that never pause must not keep the pump in here.
        for _ in range(len(queue)):
            item = queue.popleft()
            if item[1] is not FILE_DONE or len(lines) >= room:
                self._keep(lines, seq)
                self._take(item)
                lines, seq, room = bytearray(), outbox.next_seq, outbox.room
                continue
            at_ns, _, tally, path, size, seconds = item
            if type(size) is not int or size < 0:
                size = whole(size)
            tally.files += 1
            tally.bytes += size
            self._bytes += size
            passed_ns = at_ns - second_ns
            if not 0 <= passed_ns < NS:
                passed_ns = at_ns % NS
                second_ns = at_ns - passed_ns
                prefix = stamp_seconds(at_ns // NS)[:-1]
            record["seq"] = seq
            # `zfill` takes a third of the time of the format `06d`.
            record["ts"] = f"{prefix}.{str(passed_ns // 1000).zfill(6)}Z"
            record["source"] = tally.source
            record["path"] = path
            record["bytes"] = size
            record["seconds"] = seconds
            try:
                line = dumps(record, None, _OPTIONS)
            except TypeError:
                record["path"] = _name(path)
                line = _line(record)
            else:
                if EQUALS in line or AT in line or len(line) > LINE_BYTES:
                    line = _line(record)
            lines += line
            seq += 1
            self._said_ns = at_ns
        self._keep(lines, seq)

    def _keep(self, lines: bytearray, seq: int) -> None:
        """Hand files' lines, up to but not including `seq`, to the outbox."""
        outbox = self._outbox
        files = seq - outbox.next_seq
        outbox.lines += lines
        outbox.count += files
        outbox.next_seq = seq
        self._files += files
        if files:
            self._last_ns = max(self._last_ns, self._said_ns)

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
            outbox.urgent = True
            outbox.seal = seal or outbox.seal
            return
        if outbox.seal is not None:
            return  # nothing comes behind the end
        self._said_ns = at_ns
        if kind is events.FINISHED:
            self._tell_lost(at_ns)
        if kind is FILE_DONE:
            self._give_up()
            return
        fields, tally = item[2], item[3]
        self._count(at_ns, kind, fields, tally)
        self._write(at_ns, kind, fields)

    def _count(self, at_ns: int, kind: str, fields: dict[str, Any], tally: Tally | None) -> None:
        """Keep a source's numbers and fill those in that only the pump knows."""
        if tally is None:
            return
        if kind == events.SOURCE_STARTED:
            tally.started_ns = at_ns
        elif kind == events.SOURCE_DONE:
            seconds = round((at_ns - tally.started_ns) / NS, 3)
            fields.update(files=tally.files, bytes=tally.bytes, seconds=seconds)

    def _write(self, at_ns: int, kind: str, fields: dict[str, Any]) -> None:
        outbox = self._outbox
        if outbox.room <= 0 and kind not in (events.DROPPED, events.FINISHED):
            self._give_up()
            return
        line = _line({"seq": outbox.next_seq, "ts": self._stamp(at_ns), "type": kind, **fields})
        outbox.lines += line
        outbox.count += 1
        outbox.next_seq += 1
        outbox.urgent = outbox.urgent or kind in events.URGENT
        self._last_ns = max(self._last_ns, at_ns)

    def _give_up(self) -> None:
        self._given_up += 1
        self._is_whole = False

    def _tell_lost(self, now_ns: int) -> None:
        """Write down what was given up, as soon as there is room for the words, or at the end."""
        overflowed = self._intake.lost - self._overflowed
        if overflowed:
            self._overflowed += overflowed
            self._tell_dropped(now_ns, overflowed, "said faster than it could be taken in")
        if self._given_up:
            count, self._given_up = self._given_up, 0
            self._tell_dropped(now_ns, count, "the store did not take it, and memory ran out")

    def _tell_dropped(self, now_ns: int, count: int, reason: str) -> None:
        self._write(now_ns, events.DROPPED, {"count": count, "reason": reason})

    def _tell_progress(self, now_ns: int) -> None:
        """Say how far a source is, if bytes moved that no record has told of."""
        if self._outbox.is_crowded or not self._intake.open_files:
            return
        flying: dict[Tally, int] = {}
        for file in list(self._intake.open_files):
            flying[file.tally] = flying.get(file.tally, 0) + whole(file.bytes)
        for tally, moving in flying.items():
            moved = tally.bytes + moving
            if moved > max(tally.bytes, tally.said_bytes):
                tally.said_bytes = moved
                fields = {"source": tally.source, "files": tally.files, "bytes": moved}
                self._write(
                    now_ns, events.PROGRESS, {**fields, "in_flight": self._in_flight(now_ns)}
                )

    def _in_flight(self, now_ns: int) -> list[dict[str, Any]]:
        """Describe the oldest files in flight."""
        return [
            {
                "source": file.tally.source,
                "path": _name(file.path),
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
        moved = self._bytes + sum(whole(file.bytes) for file in list(self._intake.open_files))
        self._write(
            now_ns,
            events.HEARTBEAT,
            {
                "files": self._files - self._beaten_files,
                "bytes": max(0, moved - self._beaten_bytes),
                "in_flight": self._in_flight(now_ns),
                "silent_seconds": round((now_ns - self._said_ns) / NS, 1),
                "cpu_seconds": round(max(0.0, vitals.cpu_seconds - before.cpu_seconds), 2),
                "read_bytes": max(0, vitals.read_bytes - before.read_bytes),
                "write_bytes": max(0, vitals.write_bytes - before.write_bytes),
                "rss_bytes": vitals.rss_bytes,
                "clock_offset": self._clock_offset(),
            },
        )
        self._beaten, self._beaten_bytes, self._beaten_files = vitals, moved, self._files


def _line(record: events.Record) -> bytes:
    """Encode a record; of one that holds something hostile, what is plain."""
    try:
        return events.encode(record)
    except Exception:  # noqa: BLE001 - the job's objects run code of theirs, its threads change them
        kept = {key: value for key, value in record.items() if type(value) in _PLAIN}
        return events.encode({**kept, "truncated": True})


def _name(path: object) -> str:
    """Make text of what the job gave as a path."""
    try:
        return os.fsdecode(path)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a foreign __fspath__ may raise anything
        return str(events.plain(path))
