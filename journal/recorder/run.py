"""The job's side of a run: what can be said.

The job's threads leave tuples in the intake; the carrier's threads take them to the store. Nothing
of the store's ever reaches the job.
"""

import logging
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import RLock
from types import TracebackType
from typing import Any, Final, Self

from journal import events
from journal.clock import monotonic, now, stamp
from journal.limits import EXIT_SECONDS
from journal.quantities import Duration, rate_of, seconds_of
from journal.recorder import ending
from journal.recorder.carrier import Carrier
from journal.recorder.intake import Intake, Waiter
from journal.recorder.opening import Opening
from journal.recorder.plan import SourcePlan, check_counts, parts_of, planned
from journal.recorder.source import Source, error_fields, text_of, was_told
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
        events.PLANNED,
        events.HISTORY,
        events.EXTENDED,
        events.STACK,
    }
)


class Run:
    """A run at work; made by `start_run`. Leaving its block ends it truthfully.

    Everything but `flush`, `finish` and `hand_over` returns at once, store or no store.
    """

    def __init__(self, opening: Opening) -> None:
        """Begin to carry away what is said; the claim is under way when this returns."""
        self.run_id = opening.stream.run_id
        self._sub_phase = ""
        self._sources: dict[tuple[str, str], Source] = {}
        self._last: Waiter | None = None
        self._end_at = 0.0  # when the wait for the end is over, in monotonic seconds
        self._intake = Intake()
        self._carrier = Carrier(opening, self._intake)
        self._attaching = RLock()
        self.is_attached = True  # False in a forked child until it says something
        self._is_forked = False
        ending.watch(self)

    @property
    def trouble(self) -> Exception | None:
        """What hinders or ended the journal at the moment, None if all is well."""
        return self._carrier.sender.trouble

    @property
    def opened(self) -> Waiter:
        """Settled once the first claim has succeeded or failed."""
        return self._carrier.opened

    @property
    def stream(self) -> str:
        """The name of the stream that this process writes."""
        self._attach()
        return self._carrier.sender.stream_name

    def detach(self) -> None:
        """Let the opening go on by itself; what becomes of it is logged."""
        self._carrier.sender.is_unattended = True

    def abandon(self) -> None:
        """Let go of a run that was never opened."""
        self._forget()
        self._carrier.outbox.leave_spool(remove=True)
        self._carrier.is_over = True

    def phase(
        self,
        phase: str,
        sub_phase: str | None = None,
        operation: str | None = None,
        *,
        stall_after: Duration | None = None,
        min_rate: str | None = None,
    ) -> None:
        """Say which phase, sub-phase and operation begins, and what counts as stalled in it.

        `stall_after` (seconds, a timedelta, or text like `20m`) without work is a stall, where by
        default the run's own pauses teach the limit. Bytes inside a file that move more slowly than
        `min_rate` (like `64KiB/60s`) are no work. Both hold until the next phase. Raises ValueError
        for what is none of these, or an empty phase.
        """
        fields: dict[str, Any] = {"phase": phase, "sub_phase": sub_phase, "operation": operation}
        _check_texts(fields)
        if not phase:
            raise ValueError("phase must not be empty")
        if stall_after is not None:
            fields["stall_seconds"] = seconds_of("stall_after", stall_after)
        if min_rate is not None:
            fields["min_rate_bytes"], fields["min_rate_seconds"] = rate_of("min_rate", min_rate)
        self._sub_phase = sub_phase or ""
        self._intake.say(events.PHASE, {key: value for key, value in fields.items() if value})

    def plan(self, sources: SourcePlan, *, sub_phase: str | None = None) -> None:
        """Say what is to come in a sub-phase, by default the present one, before it begins.

        Each of `sources` is a name or a mapping of `source`, `files` and `bytes` as far as known.
        Plans add up; the later word about a source holds. Raises ValueError for what is no plan.
        """
        _check_texts({"sub_phase": sub_phase})
        present = self._sub_phase if sub_phase is None else sub_phase
        self.say_planned(parts_of(planned(sources)), present)

    def say_planned(self, parts: Iterable[list[dict[str, Any]]], sub_phase: str = "") -> None:
        """Say parts of a plan; without a sub-phase it is of the run's first one."""
        place = {"sub_phase": sub_phase} if sub_phase else {}
        for part in parts:
            self._intake.say(events.PLANNED, {**place, "sources": part})

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
            source = Source(self._intake, name, self._sub_phase)
            self._sources[self._sub_phase, name] = source
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

    def extend_deadline(self, by: Duration, reason: str | None = None) -> None:
        """Say that no stall begins for so long from now, whatever shows of the work.

        For a step that is known to be long and mute; unlike a wait it goes on when work shows. `by`
        is seconds, a timedelta, or text like `45m`. Raises ValueError if it is none.
        """
        _check_texts({"reason": reason})
        fields = {"until": stamp(now() + seconds_of("by", by))}
        self._intake.say(events.EXTENDED, fields | ({"reason": reason} if reason else {}))

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
        if self._last is not None:
            return self._last.wait(timeout)
        self._attach()
        return self._carrier.await_durable().wait(timeout)

    def finish(self, status: str = "completed", message: str | None = None) -> None:
        """End the run: `completed`, `failed`, `aborted` or `preempted`. The first end counts.

        Waits at most EXIT_SECONDS for the store. Raises ValueError for another status.
        """
        if status not in events.STATUSES:
            raise ValueError(f"status {status!r} is none of {', '.join(events.STATUSES)}")
        self.say_end(status, message)
        self._await_end()

    def say_end(self, status: str, message: str | None) -> None:
        """Say how it ends and wait for nothing."""
        fields = {"status": status} | ({"message": message} if message else {})
        self._close("finish", lambda: self._intake.say(events.FINISHED, fields))

    def hand_over(self) -> None:
        """Close this process's stream and leave the run to whoever goes on with it."""
        self._close("close", lambda: None)
        self._await_end()

    def stop(self) -> None:
        """End the threads without a word, as the death of the process would."""
        self._carrier.stop()

    def leave(self) -> None:
        """Let go of all that is the parent's, in a forked child. Its first word attaches it.

        A run that has ended stays so.
        """
        is_over = self._last is not None or self._carrier.sender.is_done
        self._carrier.leave()
        self._attaching = RLock()
        self.is_attached = False
        self._is_forked = True
        if is_over:
            self._forget()
        else:
            self._intake.leave(self._attach)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not was_told(error) and self._last is None:
            self.error(error, fatal=not self._is_forked)
        self.finish(*ending.status_of(error))

    def _attach(self) -> None:
        """Begin a stream of this process's own beside its parent's, in a forked child."""
        if self.is_attached or self._last is not None:
            return
        with self._attaching:
            # A signal's handler that speaks while this goes on finds the queue in its place.
            if not self._intake.begin():
                return
            for source in list(self._sources.values()):
                source.inherit()
            opening = self._carrier.opening.beside(os.getpid(), stamp(now()))
            try:
                self._carrier = Carrier(opening, self._intake)
            except RuntimeError as failed:  # no thread can be started, at the process's very end
                log.warning("journal of run %s: nothing is taken in: %s", self.run_id, failed)
                self._forget()
                return
            self.detach()
            self.is_attached = True
            ending.watch(self)

    def _forget(self) -> None:
        """Take nothing more in, and wait for nothing."""
        self._last = Waiter()
        self._last.settle(ok=False)
        ending.forget(self)

    def _close(self, seal: Reason, say: Callable[[], None]) -> None:
        # A forked child that never said a word has nothing to end.
        if self.is_attached and self._last is None:
            say()
            self._end_at = monotonic() + EXIT_SECONDS
            waiter = self._carrier.await_durable(seal)
            # A signal's handler may have ended it in this very instant.
            self._last = self._last or waiter

    def _await_end(self) -> None:
        """Wait for the end, until EXIT_SECONDS after the first word of it."""
        if self._last is None:
            return
        # A second end, out of a signal's handler too, waits for the first, and no longer than that.
        ok = self._last.wait(self._end_at - monotonic())
        self._carrier.is_over = True
        ending.forget(self)
        self.detach()
        if not ok and self.trouble is not None:
            log.warning(
                "journal of run %s: its end is not in the store: %s", self.run_id, self.trouble
            )


def _check_texts(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} must be text, not {type(value).__name__}")


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
