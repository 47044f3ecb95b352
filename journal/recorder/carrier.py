"""What one process needs to carry away what it says: outbox, pump, sender, and their threads.

A process that was forked builds one of its own, for nothing of its parent's threads is in it.
"""

import logging
import os
import threading
from contextlib import suppress
from queue import Empty
from typing import Final

from journal import events
from journal.clock import monotonic, now_ns, sleep
from journal.limits import PUMP_SECONDS, STARVED_MIN_SECONDS
from journal.recorder import ending
from journal.recorder.courier import Courier
from journal.recorder.deadman import dead_man
from journal.recorder.intake import Intake, Waiter
from journal.recorder.opening import Opening
from journal.recorder.outbox import Outbox
from journal.recorder.owner import at_work, spool_home
from journal.recorder.pump import Pump
from journal.recorder.sender import Sender
from journal.recorder.source import TRACEBACK_CHARS
from journal.recorder.spool import Spool
from journal.recorder.stall import Stall, stacks
from journal.recorder.vitals import Vitals, sample
from journal.segments import Reason

log: Final = logging.getLogger("journal")


class Carrier:
    """Empties an intake into one stream of the store, with threads of its own."""

    def __init__(self, opening: Opening, intake: Intake) -> None:
        """Begin to carry away what is said; the claim is under way when this returns."""
        stream = opening.stream
        self.opening = opening
        self.opened = Waiter()
        self._intake = intake
        self._run_id = stream.run_id
        self.is_over = False  # the job says no more
        self._starved_seconds = max(stream.heartbeat_seconds, STARVED_MIN_SECONDS)
        self.outbox = Outbox(_spool_of(opening), opening.started())
        companions = opening.companions
        self._courier = Courier(self._run_id, companions) if companions else None
        self.sender = Sender(opening, self.outbox, self.opened, intake.say, self._courier)
        self.threads = [
            threading.Thread(target=loop, name=f"journal-{name}", daemon=True)
            for name, loop in (
                ("pump", self._pump_loop),
                ("sender", self._sender_loop),
                ("sync", self._sync_loop),
                *((("companions", self._courier.loop),) if self._courier else ()),
            )
        ]
        self._pump = Pump(
            intake,
            self.outbox,
            heartbeat_seconds=stream.heartbeat_seconds,
            flush_seconds=stream.flush_seconds,
            vitals=self._vitals,
            clock_offset=lambda: stream.clock.offset,
            redaction=opening.redaction,
            stacks=self._stacks,
        )
        self._pump.start(now_ns())
        for thread in self.threads:
            thread.start()

    def leave(self) -> None:
        """Let go of what a forked child inherited. No lock is taken: it may be held for ever."""
        spool = self.outbox.spool
        if spool is not None:
            with suppress(OSError):
                spool.leave()

    def stop(self) -> None:
        """Let the threads end, whatever still waits."""
        self.is_over = self.sender.is_done = True
        self.outbox.filled.set()
        if self._courier is not None:
            self._courier.finish(0.0)

    def await_taken(self) -> None:
        """Wait until the pump has taken in all that was said, and the spool has it."""
        while self._intake.queue and self.threads[0].is_alive():
            self._intake.wakes.put(None)
            sleep(PUMP_SECONDS / 10)
        with self.outbox.lock:  # the pump holds it from the queue to the spool
            return

    def await_durable(self, seal: Reason | None = None) -> Waiter:
        """Leave a place to wait for; with `seal` it is the last thing this stream hears."""
        waiter = self._intake.await_durable(seal)
        # The pump looks at the queue once more after the sender is done; later nobody does.
        if self.sender.is_done:
            waiter.settle(ok=False)
        return waiter

    def _pump_loop(self) -> None:
        # What a fenced writer says goes into the spool until its end.
        came_by = monotonic()
        while not (self.sender.is_done and self.is_over):
            with suppress(Empty):  # nobody hurries; look anyway
                self._intake.wakes.get(timeout=PUMP_SECONDS)
            before, came_by = came_by, monotonic()
            starved = dead_man.keep_alive(came_by, self._starved_seconds)
            if starved:
                self._tell_starved(came_by - before, starved)
            try:
                self._pump.step(now_ns())
            except Exception:
                log.exception("journal of run %s: a record could not be made", self._run_id)
            ending.end_if_headless()
        dead_man.stop()
        self._pump.step(now_ns())
        self.outbox.leave_spool()
        self.outbox.unsynced.set()

    def _tell_starved(self, seconds: float, told: str) -> None:
        """Write down that the pump could not run for so long, and where all others stood."""
        own = tuple(f"Thread 0x{thread.ident or 0:016x} " for thread in self.threads)
        heading, _, threads = told.partition("\n")
        others = [one for one in threads.split("\n\n") if not one.startswith(own)]
        fields = {
            "message": f"the journal's threads could not run for {seconds:.0f} s: a call held the "
            "interpreter's lock, or the process was stopped",
            "error": "Starved",
            "fatal": False,
            "traceback": "\n\n".join(others)[:TRACEBACK_CHARS] or heading,
            "by": events.JOURNAL,
        }
        # In front of all that was said: the end may be there already, and nothing comes behind it.
        self._intake.queue.appendleft((now_ns(), events.ERROR, fields, None))

    def _sender_loop(self) -> None:
        while True:
            wait = self.sender.step(monotonic())
            if self.sender.is_done:
                return
            self.outbox.filled.wait(wait)
            self.outbox.filled.clear()

    def _sync_loop(self) -> None:
        """Make what is urgent durable on the disk, which may take long when the job writes much."""
        while True:
            self.outbox.unsynced.wait()
            self.outbox.unsynced.clear()
            try:
                if not self.outbox.sync():
                    return
            except OSError as failed:
                log.warning("journal of run %s: its spool: %s", self._run_id, failed)
                return

    def _stacks(self, stall: Stall) -> str:
        watch = self.opening.watch
        return watch.stacks(stall) if watch else stacks({one.ident or 0 for one in self.threads})

    def _vitals(self) -> Vitals:
        watch, spool = self.opening.watch, self.outbox.spool
        # Who tells of itself is not to be told of twice: its journaling would pass for our work.
        others = {one.pid for one in at_work(spool.folder.parent)} if spool is not None else set()
        if watch is not None:
            return sample(watch.pid, left_out=others)
        own = [thread.native_id for thread in self.threads if thread.native_id is not None]
        return sample(os.getpid(), own, others)


def _spool_of(opening: Opening) -> Spool | None:
    """Open a spool for a stream; without one the journal works from memory, and says so."""
    try:
        home = spool_home()
        return None if home is None else Spool.open(home, opening.owner, resume=opening.resumes)
    except (OSError, ValueError) as failed:
        log.warning(
            "journal of run %s: no spool: %s; what the store has not taken is kept in memory alone",
            opening.stream.run_id,
            failed,
        )
        return None
