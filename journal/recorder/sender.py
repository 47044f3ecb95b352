"""From the outbox to the store: claims, flushes, retries, compacts, marks the end.

`Sender.step` does one round and says when it wants the next; a thin thread drives it. Nothing that
goes wrong here reaches the job: it is logged once per kind and written down when the store is back.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import uniform
from typing import Any, Final

from journal import events, markers
from journal.compactor import Compaction, Compactor, read_run
from journal.errors import Corrupt, Fenced, Held, JournalError, Refused, Unavailable
from journal.layout import MAIN
from journal.limits import (
    COMPACT_SECONDS,
    COMPACT_STALE_SECONDS,
    COMPANION_SECONDS,
    FLUSH_BYTES,
    FLUSH_PAUSE_SECONDS,
    RETRY_FIRST_SECONDS,
    RETRY_MAX_SECONDS,
    SEGMENT_MAX_BYTES,
)
from journal.recorder.courier import Courier
from journal.recorder.intake import Waiter
from journal.recorder.lookback import Lookback
from journal.recorder.opening import Ended, Opening
from journal.recorder.outbox import Outbox
from journal.segments import Reason
from journal.stream import Stream, StreamWriter
from journal.upkeep import mark_end

log: Final = logging.getLogger("journal")

NEVER: Final = 3600.0


class Sender:
    """Owns the stream writer and the compactor of one stream."""

    def __init__(
        self,
        opening: Opening,
        outbox: Outbox,
        opened: Waiter,
        tell: Callable[[str, dict[str, Any]], None],
        courier: Courier | None = None,
    ) -> None:
        """Prepare to send; `tell` makes an event of what the job's owner should know.

        `courier` is given each document of main's that is installed.
        """
        self.trouble: JournalError | Ended | None = None  # what ended or hinders it, the latest
        self.is_done = False
        self.is_unattended = False  # nobody waits for the opening any more
        self.writer: StreamWriter | None = None
        self._opening = opening
        self._outbox = outbox
        self._opened = opened
        self._tell = tell
        self._courier = courier
        self._compactor = Compactor(opening.stream.store, opening.stream.run_id)
        self._has_begun = False  # markers removed, index written
        self._lookback: Lookback | None = None  # while the job's history is looked for
        self._flushed_at = -NEVER
        self._compacted_at = -NEVER
        self._compact_at_once = True
        self._has_flushed = False  # since the last compaction
        self._compact_pause = COMPACT_SECONDS
        self._whole_at: float | None = None  # when a stream beside main looks at all of them
        self._retry_at = -NEVER
        self._compact_retry_at = -NEVER
        self._tries = 0
        self._failing_since: float | None = None
        self._logged: set[type[Exception]] = set()
        self._waited_for: Waiter | None = None

    @property
    def stream_name(self) -> str:
        """The name of the stream, which joining a run settles."""
        return self._opening.stream.name

    @property
    def _stream(self) -> Stream:
        return self._opening.stream

    def step(self, now: float) -> float:
        """Do what is due at `now` (monotonic seconds); return the seconds until the next round."""
        if self.is_done:
            return NEVER
        self._heed_waiters()
        if now < self._retry_at:
            return self._retry_at - now
        try:
            wait = self._send(now)
        except (Fenced, Held, Ended, Corrupt) as over:
            self._stop(over)
            return NEVER
        except JournalError as failed:
            return self._fail(failed, now)
        except Exception as bug:  # noqa: BLE001 - whatever it is, it must not end the job's journal
            return self._fail(Unavailable(f"unexpected {type(bug).__name__}: {bug}"), now, bug)
        if self._failing_since is not None:
            self._recovered(now)
        return wait

    def _heed_waiters(self) -> None:
        """Let somebody who begins to wait have the store tried at once, once; the end, too."""
        with self._outbox.lock:
            marks = self._outbox.marks
            newest = -1 if self._outbox.seal is not None else 0
            waiter = marks[newest][1] if marks else None
        if waiter is not None and waiter is not self._waited_for:
            self._retry_at = -NEVER
        self._waited_for = waiter

    def _send(self, now: float) -> float:
        writer = self.writer or self._open()
        wait = self._flush(writer, now)
        if not self._has_begun and writer.acknowledged > 0 and not writer.waiting_bytes:
            self._begin()
        wait = min(wait, self._compact(writer, now))
        if writer.closed:
            self._end(writer)
            return NEVER
        return min(wait, self._look_back())

    def _open(self) -> StreamWriter:
        """Claim the stream and let what waits begin behind `started`."""
        writer, head = self._opening.attempt(self._outbox.spool)
        self._outbox.begin_at(writer.next_seq, head)
        self.writer = writer
        self._tell_damaged(self._opening.damaged)
        spool = self._outbox.spool
        if spool is not None and spool.owner.stream != self._stream.name:
            with suppress(OSError):  # only whoever recovers it would care for the name
                spool.give_to(replace(spool.owner, stream=self._stream.name))
        if self._stream.name != MAIN:
            # Streams beside main only help out, and not all at the same time.
            self._compact_pause = COMPACT_STALE_SECONDS * uniform(1.0, 1.25)
        self._opened.settle(ok=True)
        return writer

    def _flush(self, writer: StreamWriter, now: float) -> float:
        """Flush what is due; return the seconds until something will be."""
        outbox = self._outbox
        with outbox.lock:
            explicit = bool(outbox.marks) or outbox.seal is not None
            urgent, waiting = outbox.urgent, outbox.waiting_bytes + writer.waiting_bytes
        if not waiting and not explicit:
            return NEVER
        # What was sent before and not taken has waited long enough; the retry paces itself.
        urgent = urgent or explicit or waiting >= FLUSH_BYTES or writer.waiting_bytes > 0
        urgent = urgent or not self._has_begun
        due = self._flushed_at + (FLUSH_PAUSE_SECONDS if urgent else self._stream.flush_seconds)
        if now < due and not explicit:
            return due - now
        with outbox.lock:
            self._compact_at_once |= outbox.urgent
        done = False
        while not done:
            with outbox.lock:
                writer.append(*outbox.take())
                outbox.unsent_bytes = writer.waiting_bytes
                # The end is the end of all that waits; a backlog goes out without a pause.
                seal = None if outbox.count else outbox.seal
                more = outbox.waiting_bytes >= SEGMENT_MAX_BYTES or seal != outbox.seal
            self._put(writer, seal)
            done = not more
        self._flushed_at = now
        self._has_flushed = True
        return FLUSH_PAUSE_SECONDS if outbox.count else NEVER

    def _put(self, writer: StreamWriter, seal: Reason | None) -> None:
        """Flush all that was appended: one put, unless it is more than a segment takes."""
        done = False
        while not done:
            try:
                done = writer.flush(seal)
            finally:
                # Being fenced may come with the news that all of it was applied before.
                self._outbox.unsent_bytes = writer.waiting_bytes
                self._outbox.acknowledge(writer.acknowledged)

    def _begin(self) -> None:
        """Do what a new attempt owes once its `started` is durable: old markers, the index."""
        store, run_id = self._stream.store, self._stream.run_id
        if self._stream.name == MAIN:
            self._unless_refused(lambda: markers.remove(store, run_id))
            self._unless_refused(self._opening.enter_index)
            self._lookback = Lookback(store, run_id, self._opening.job, self._tell)
        self._has_begun = True

    def _look_back(self) -> float:
        """Make a request for the job's history if nobody waits; return seconds until the next."""
        with self._outbox.lock:
            is_awaited = bool(self._outbox.marks) or self._outbox.seal is not None
        if self._lookback is None:
            return NEVER
        if not is_awaited and not self._lookback.step():
            self._lookback = None
            return NEVER
        return FLUSH_PAUSE_SECONDS if is_awaited else 0.0

    def _unless_refused(self, act: Callable[[], object]) -> None:
        """Do what needs a right that the journal itself can do without."""
        try:
            act()
        except Refused as failed:
            self._log_once(failed)

    def _compact(self, writer: StreamWriter, now: float) -> float:
        """Compact if it is due; return the seconds until it will be.

        A failure waits for its own next turn: it delays no flush, and not the end for good.
        """
        if writer.closed:
            due = now
        elif self._compact_at_once:
            due = max(now, self._compact_retry_at)
        elif self._has_flushed:
            due = max(self._compacted_at + self._compact_pause, self._compact_retry_at)
        else:
            return NEVER
        if now < due:
            return due - now
        name = self._stream.name
        # A stream beside main tells of itself; of all only now and then, in case that main is gone.
        is_own = name != MAIN and (self._whole_at is None or now < self._whole_at)
        try:
            # At its end main looks for streams of processes that ended before they could tell.
            compaction = self._compactor.compact(
                only=name if is_own else None, search=writer.closed and name == MAIN
            )
        except Unavailable as failed:
            # Once the document knows of a stream beside main, whoever compacts next finds its end.
            if writer.closed and (name == MAIN or self._whole_at is None):
                raise
            return self._postpone_compaction(failed, now)
        except (Refused, Corrupt) as failed:
            # The journal is the truth; a snapshot that is not ours to mend can wait.
            return self._postpone_compaction(failed, now)
        if name in compaction.run and compaction.run[name].state.former:
            self._lookback = None  # an earlier attempt has said it
        self._send_companions(compaction, is_last=writer.closed)
        self._compact_at_once = self._has_flushed = False
        self._compacted_at = now
        if not is_own or self._whole_at is None:
            self._whole_at = now + self._compact_pause
        return NEVER

    def _send_companions(self, compaction: Compaction, *, is_last: bool) -> None:
        """Let the companions follow what main installed, and the last document in any case."""
        if self._courier is None or self._stream.name != MAIN:
            return
        if compaction.body and (compaction.installed or is_last):
            self._courier.take(compaction.body)

    def _postpone_compaction(self, failed: JournalError, now: float) -> float:
        self._log_once(failed)
        self._compact_retry_at = now + COMPACT_SECONDS
        return COMPACT_SECONDS

    def _end(self, writer: StreamWriter) -> None:
        """Put the marker of an acknowledged end, then let the job go."""
        stream = self._stream
        if stream.name == MAIN:
            main = read_run(stream.store, stream.run_id).run[MAIN].state
            if main.writer == writer.writer:
                self._unless_refused(lambda: mark_end(stream.store, stream.run_id, main))
        if self._courier is not None:
            self._courier.finish(COMPANION_SECONDS)
        self._outbox.leave_spool(remove=True)
        self._outbox.close(ok=True)
        self.is_done = True  # last: whoever sees it may rely on every waiter being settled

    def _stop(self, over: JournalError | Ended) -> None:
        """Another writer has the stream, or it must not be resumed: say so and write no more."""
        self.trouble = over
        if self.is_unattended:
            log.error("journal of run %s stops: %s; the job goes on", self._stream.run_id, over)
        self._outbox.close(ok=False)
        if isinstance(over, Fenced | Held):
            # What is said from here on, and what was not sent, is another writer's run no more.
            writer = self.writer
            name = writer.writer if writer else f"pid{self._stream.pid}"
            self._outbox.set_aside(name, writer.acknowledged if writer else 0)
        self.is_done = True
        self._opened.settle(ok=False)

    def _fail(self, failed: JournalError, now: float, cause: Exception | None = None) -> float:
        """Log the first failure of a kind; try again later and later."""
        self.trouble = failed
        if self._failing_since is None:
            self._failing_since = now
        self._tries += 1
        self._log_once(failed, cause)
        self._opened.settle(ok=False)
        pause = min(RETRY_FIRST_SECONDS * 2.0 ** min(self._tries - 1, 10), RETRY_MAX_SECONDS)
        if self._outbox.seal is not None:
            # The job waits for its end, and not for long: a later turn might come too late.
            pause = min(pause, FLUSH_PAUSE_SECONDS)
        self._retry_at = now + pause
        return pause

    def _tell_damaged(self, lines: int) -> None:
        """Write down that the spool held lines which are no records."""
        if lines:
            words = f"the spool of an earlier attempt held {lines} damaged lines, left out"
            log.warning("journal of run %s: %s", self._stream.run_id, words)
            fields = {"message": words, "error": "JournalSpool", "fatal": False}
            self._tell(events.ERROR, {**fields, "by": events.JOURNAL})

    def _log_once(self, failed: JournalError, cause: Exception | None = None) -> None:
        if type(failed) in self._logged:
            return
        self._logged.add(type(failed))
        run_id = self._stream.run_id
        log.warning(
            "journal of run %s: %s; the job goes on, and the journal tries again; what the store "
            "never takes, `journal recover %s` sends later",
            run_id,
            failed,
            run_id,
            exc_info=cause,
        )

    def warn_slow(self) -> None:
        """Log that the store has not answered yet; once it fails, that is no news."""
        self._log_once(Unavailable("the store is slow to answer"))

    @property
    def has_warned(self) -> bool:
        """Whether anything that hinders the journal was logged."""
        return bool(self._logged)

    def _recovered(self, now: float) -> None:
        """Write down what was wrong, now that the store takes it."""
        seconds = now - (self._failing_since or now)
        failed, tries = self.trouble, self._tries
        self.trouble, self._failing_since, self._tries = None, None, 0
        if tries > 1:
            self._tell(
                events.ERROR,
                {
                    "message": f"the journal's store did not take records for {seconds:.0f} s, "
                    f"{tries} tries: {failed}",
                    "error": f"Journal{type(failed).__name__}",
                    "fatal": False,
                    "retry": tries,
                    "by": events.JOURNAL,
                },
            )
