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
from journal.quantities import Duration
from journal.recorder import ending, saying
from journal.recorder.carrier import Carrier
from journal.recorder.intake import Intake, Waiter
from journal.recorder.opening import Opening
from journal.recorder.plan import SourcePlan, check_counts, parts_of, planned
from journal.recorder.source import Source, was_told
from journal.segments import Reason

log: Final = logging.getLogger("journal")


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
    def is_over(self) -> bool:
        """Whether this process says no more: it has ended, handed over, or lost its stream."""
        return self._last is not None or self._carrier.sender.is_done

    @property
    def environment(self) -> dict[str, str]:
        """What a program has to find in its environment to go along with this run (`attach`)."""
        store = self._carrier.opening.stream.store
        return {"JOURNAL_RUN_ID": self.run_id, "JOURNAL_ROOT": str(store)}

    @property
    def intake(self) -> Intake:
        """Where all that is said is left."""
        return self._intake

    def await_spooled(self) -> None:
        """Wait until all that was said is where a killed process leaves it to be found."""
        self._carrier.await_taken()

    @property
    def stream(self) -> str:
        """The name of the stream that this process writes."""
        self._attach()
        return self._carrier.sender.stream_name

    def detach(self) -> None:
        """Let the opening go on by itself; what becomes of it is logged."""
        self._carrier.sender.is_unattended = True

    def warn_slow(self) -> None:
        """Log that the store has not answered yet."""
        self._carrier.sender.warn_slow()

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
        kind, fields = saying.phase(
            phase, sub_phase, operation, stall_after=stall_after, min_rate=min_rate
        )
        self._sub_phase = sub_phase or ""
        self._intake.say(kind, fields)

    def plan(self, sources: SourcePlan, *, sub_phase: str | None = None) -> None:
        """Say what is to come in a sub-phase, by default the present one, before it begins.

        Each of `sources` is a name or a mapping of `source`, `files` and `bytes` as far as known.
        Plans add up; the later word about a source holds. Raises ValueError for what is no plan.
        """
        saying.check_texts({"sub_phase": sub_phase})
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
        saying.check_texts({"source": name})
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
        self._intake.say(*saying.emitted(type, fields))

    def waiting(self, reason: str, until: float | datetime | str | None = None) -> None:
        """Say that no work is due for a while, and why.

        `until` is a time: an aware datetime, seconds since the epoch, or ISO 8601. Without it the
        wait counts for an hour at most. Raises ValueError if it is none of these.
        """
        self._intake.say(*saying.waiting(reason, until))

    def extend_deadline(self, by: Duration, reason: str | None = None) -> None:
        """Say that no stall begins for so long from now, whatever shows of the work.

        For a step that is known to be long and mute; unlike a wait it goes on when work shows. `by`
        is seconds, a timedelta, or text like `45m`. Raises ValueError if it is none.
        """
        self._intake.say(*saying.extended(by, reason))

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
        self._intake.say(*saying.error(error, source=source, path=path, fatal=fatal))

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
        self.say_end(status, message)
        self._await_end()

    def say_end(self, status: str, message: str | None) -> None:
        """Say how it ends and wait for nothing."""
        said = saying.finished(status, message)
        self._close("finish", lambda: self._intake.say(*said))

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
        is_over = self.is_over
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
        # One warning is enough for a store that is down all the time.
        if not ok and self.trouble is not None and not self._carrier.sender.has_warned:
            log.warning(
                "journal of run %s: its end is not in the store: %s", self.run_id, self.trouble
            )
