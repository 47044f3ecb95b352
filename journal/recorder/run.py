"""The job's side of a run: what is said, and the two threads that carry it away.

The job's threads leave tuples in the intake; the pump thread makes lines of them; the sender thread
talks to the store. Nothing of the store's ever reaches the job.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from queue import Empty
from types import TracebackType
from typing import Any, Final, Self

from journal import events
from journal.clock import monotonic, now_ns, stamp
from journal.limits import EXIT_SECONDS, PUMP_SECONDS
from journal.recorder import ending
from journal.recorder.intake import Intake, Waiter
from journal.recorder.opening import Opening
from journal.recorder.outbox import Outbox
from journal.recorder.pump import Pump
from journal.recorder.sender import Sender
from journal.recorder.source import Source, error_fields, text_of, was_told
from journal.recorder.vitals import Vitals, sample
from journal.segments import Reason

log: Final = logging.getLogger("journal")

# What `emit` leaves to the methods that keep count, or to the journal itself.
_NOT_EMITTED: Final = frozenset(
    {
        events.STARTED,
        events.SOURCE_STARTED,
        events.SOURCE_DONE,
        events.FILE_DONE,
        events.PROGRESS,
        events.HEARTBEAT,
        events.DROPPED,
        events.FINISHED,
    }
)


class Run:
    """A run at work; made by `start_run`. Leaving its block ends it truthfully.

    Everything but `flush`, `finish` and `hand_over` returns at once, store or no store.
    """

    def __init__(self, opening: Opening) -> None:
        """Begin to carry away what is said; the claim is under way when this returns."""
        stream = opening.stream
        self.run_id = stream.run_id
        self._pid = os.getpid()
        self._sub_phase = ""
        self._sources: dict[tuple[str, str], Source] = {}
        self._last: Waiter | None = None
        self._intake = Intake()
        self._outbox = Outbox()
        self.opened = Waiter()
        self._sender = Sender(opening, self._outbox, self.opened, self._intake.say)
        self._threads = [
            threading.Thread(target=loop, name=f"journal-{name}", daemon=True)
            for name, loop in (("pump", self._pump_loop), ("sender", self._sender_loop))
        ]
        self._pump = Pump(
            self._intake,
            self._outbox,
            heartbeat_seconds=stream.heartbeat_seconds,
            vitals=self._vitals,
            clock_offset=lambda: stream.clock.offset,
        )
        self._pump.start(now_ns())
        for thread in self._threads:
            thread.start()
        ending.watch(self)

    @property
    def trouble(self) -> Exception | None:
        """What hinders or ended the journal at the moment, None if all is well."""
        return self._sender.trouble

    @property
    def stream(self) -> str:
        """The name of the stream that this process writes."""
        return self._sender.stream_name

    def detach(self) -> None:
        """Let the opening go on by itself; what becomes of it is logged."""
        self._sender.is_unattended = True

    def abandon(self) -> None:
        """Let go of a run that was never opened."""
        self._last = Waiter()
        self._last.settle(ok=False)
        ending.forget(self)

    def phase(self, phase: str, sub_phase: str | None = None, operation: str | None = None) -> None:
        """Say which phase, sub-phase and operation begins.

        Raises ValueError if one is no text, or the phase is empty.
        """
        fields = {"phase": phase, "sub_phase": sub_phase, "operation": operation}
        _check_texts(fields)
        if not phase:
            raise ValueError("phase must not be empty")
        self._sub_phase = sub_phase or ""
        self._intake.say(events.PHASE, {key: value for key, value in fields.items() if value})

    def source(
        self,
        name: str,
        *,
        files: int | None = None,
        bytes: int | None = None,
        done_files: int = 0,
        done_bytes: int = 0,
    ) -> Source:
        """Begin a source of `files` files and `bytes` bytes, as far as known; or go on with it.

        `done_*` is how much of it an earlier attempt had finished. Raises ValueError for a name
        that is no text or a number that is not one.
        """
        _check_texts({"source": name})
        totals = {"files": files, "bytes": bytes}
        check_counts({**totals, "done_files": done_files, "done_bytes": done_bytes})
        if not name:
            raise ValueError("source must not be empty")
        source = self._sources.get((self._sub_phase, name))
        if source is None:
            source = self._sources[self._sub_phase, name] = Source(self._intake, name)
        fields: dict[str, Any] = {"source": name}
        fields.update((key, value) for key, value in totals.items() if value is not None)
        if self._sub_phase:
            fields["sub_phase"] = self._sub_phase
        if done_files or done_bytes:
            fields["done"] = {"files": done_files, "bytes": done_bytes}
        source.start(fields)
        return source

    def emit(self, type: str, /, **fields: Any) -> None:
        """Say an event of any type, with any fields.

        Raises ValueError for an ill-formed type, and for types and fields that the journal keeps to
        itself.
        """
        if events.check_type(type) in _NOT_EMITTED:
            raise ValueError(f"event type {type} has a method of its own")
        events.check_fields(fields)
        self._intake.say(type, fields)

    def waiting(self, reason: str, until: float | datetime | str | None = None) -> None:
        """Say that no work is due for a while, and why.

        `until` is a time: an aware datetime, seconds since the epoch, or ISO 8601. Without it the
        wait counts for an hour at most. Raises ValueError if it is none of these.
        """
        _check_texts({"reason": reason})
        if not reason:
            raise ValueError("reason must not be empty")
        fields: dict[str, Any] = {"reason": reason}
        if until is not None:
            fields["until"] = _stamp_of(until)
        self._intake.say(events.WAITING, fields)

    def error(
        self,
        error: BaseException | str,
        *,
        source: str | None = None,
        path: Any = None,
        fatal: bool = False,
    ) -> None:
        """Say what went wrong, of a source or a path if given.

        `fatal` means fatal to what it names: to the source, or without one to the run.
        """
        fields = error_fields(error, fatal=fatal)
        if source is not None:
            fields["source"] = source
        if path is not None:
            fields["path"] = text_of(path)
        self._intake.say(events.ERROR, fields)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was said is durable in the store; False after `timeout` seconds.

        False at once when another writer has the stream, and when anything was ever dropped.
        """
        if self._is_elsewhere() or self._last is not None:
            return self._last is not None and self._last.wait(timeout)
        return self._await_durable().wait(timeout)

    def finish(self, status: str = "completed", message: str | None = None) -> None:
        """End the run: `completed`, `failed`, `aborted` or `preempted`. The first end counts.

        Waits at most EXIT_SECONDS for the store. Raises ValueError for another status.
        """
        if status not in events.STATUSES:
            raise ValueError(f"status {status!r} is none of {', '.join(events.STATUSES)}")
        fields = {"status": status} | ({"message": message} if message else {})
        self._close("finish", lambda: self._intake.say(events.FINISHED, fields))

    def hand_over(self) -> None:
        """Close this process's stream and leave the run to whoever goes on with it."""
        self._close("close", lambda: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not was_told(error) and self._last is None:
            self.error(error, fatal=True)
        self.finish(*ending.status_of(error))

    def _close(self, seal: Reason, say: Callable[[], None]) -> None:
        if self._is_elsewhere():
            return
        if self._last is None:
            say()
            self._last = self._await_durable(seal)
        # A second end, out of a signal handler too, waits for the first.
        ok = self._last.wait(EXIT_SECONDS)
        ending.forget(self)
        self.detach()
        if not ok and self._sender.trouble is not None:
            log.warning(
                "journal of run %s: its end is not in the store: %s", self.run_id, self.trouble
            )

    def _await_durable(self, seal: Reason | None = None) -> Waiter:
        waiter = self._intake.await_durable(seal)
        # The pump looks at the queue once more after the sender is done; later nobody does.
        if self._sender.is_done:
            waiter.settle(ok=False)
        return waiter

    def _is_elsewhere(self) -> bool:
        """Whether this is a forked child, where neither thread lives."""
        return os.getpid() != self._pid

    def _pump_loop(self) -> None:
        while not self._sender.is_done:
            with suppress(Empty):  # nobody hurries; look anyway
                self._intake.wakes.get(timeout=PUMP_SECONDS)
            try:
                self._pump.step(now_ns())
            except Exception:
                log.exception("journal of run %s: a record could not be made", self.run_id)
        self._pump.step(now_ns())

    def _sender_loop(self) -> None:
        while True:
            wait = self._sender.step(monotonic())
            if self._sender.is_done:
                return
            self._outbox.filled.wait(wait)
            self._outbox.filled.clear()

    def _vitals(self) -> Vitals:
        own = [thread.native_id for thread in self._threads if thread.native_id is not None]
        return sample(self._pid, own)


def _check_texts(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} must be text, not {type(value).__name__}")


def check_counts(fields: dict[str, Any]) -> None:
    """Raise ValueError if one of the fields is neither None nor a whole number."""
    for name, value in fields.items():
        if value is not None and (type(value) is not int or value < 0):
            raise ValueError(f"{name} must be a whole number, not {value!r}")


def _stamp_of(until: float | datetime | str) -> str:
    try:
        if isinstance(until, str):
            until = datetime.fromisoformat(until)
        if isinstance(until, datetime):
            if until.tzinfo is None:
                raise ValueError("it does not say its time zone")
            until = until.timestamp()
        return stamp(until)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise ValueError(f"until {until!r} is no time: {wrong}") from wrong
