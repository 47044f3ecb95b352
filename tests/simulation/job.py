"""A process with all of the job's side: intake, pump, outbox, opening, sender, without threads.

Only here the recorder is wired together, as `Run` does it. The sender gives way at each request;
meanwhile the job says more and the pump steps, as its thread would.
"""

import os
from functools import partial

import orjson

from journal import events
from journal.errors import Fenced, Held
from journal.recorder.intake import Intake, Tally, Waiter
from journal.recorder.opening import Opening, Start
from journal.recorder.outbox import Outbox
from journal.recorder.pump import Pump
from journal.recorder.sender import Sender
from journal.recorder.spool import Spool
from journal.recorder.vitals import Vitals
from journal.segments import Reason
from tests.simulation.world import Process, World

ENDING_SECONDS = 600.0  # once nothing fails any more; the sender may have to wait out its pauses


class Job(Process):
    """Says things, now and then waits for them to be durable, and ends."""

    def __init__(self, world: World, name: str, stream: str, *, resume: bool) -> None:
        super().__init__(world, name)
        self.stream_name = stream
        self.host = f"host-{world.aside.randrange(2)}"
        self._resume = resume
        self._said = 0
        self._waits: list[tuple[Waiter, int]] = []
        self._last: Waiter | None = None
        self._tally = Tally("models")
        self._pause = world.rng.choice((1.0, 5.0))
        self._end_after = world.between(0.3, 1.2) * (world.end - world.scheduler.now)

    @property
    def is_over(self) -> bool:
        """Whether it will write no more."""
        return self._sender.is_done

    def run(self) -> None:
        """Live; whatever ends it, its spool is let go and what is in it is remembered."""
        try:
            self._run()
        finally:
            self._let_go()

    def _run(self) -> None:
        """Wire the parts together, then step them until the sender is done."""
        world = self.world
        self._build()
        begin = world.scheduler.now
        while not self._sender.is_done and not world.is_calm:
            if world.scheduler.now - begin > self._end_after and self._last is None:
                self._end()
            self._step(self._pause)
        if self._last is None:
            self._end()
        last = world.scheduler.now + ENDING_SECONDS
        while world.scheduler.now < last:
            if self._sender.is_done:
                self._check_trouble()
                return
            self._step(5.0)
        world.referee.fail(f"liveness: {self.name} cannot end: {self._sender.trouble}")

    def _let_go(self) -> None:
        """Do what the end of the process does; a killed one may leave a torn last line."""
        spool = self._outbox.spool
        if self._sender.is_done or spool is None:
            self._outbox.leave_spool()
            return
        aside, records = self.world.aside, spool.folder / "records.jsonl"
        if spool.size and aside.random() < 0.3:
            os.truncate(records, max(0, spool.size - aside.randrange(1, 60)))
        whole = records.read_bytes().split(b"\n")[:-1]
        said = [_number_of(line, self.name) for line in whole]
        self.world.referee.spooled(self.name, self.stream_name, max(said, default=-1) + 1)
        spool.leave()

    def _check_trouble(self) -> None:
        """Being fenced the watched writer has told already; nothing else may stop a sender."""
        trouble = self._sender.trouble
        if isinstance(trouble, Held):
            self.world.referee.held(self.name, self.stream_name)
        elif trouble is not None and not isinstance(trouble, Fenced):
            self.world.referee.fail(f"{self.name} was stopped by {trouble!r}")

    def _build(self) -> None:
        stream = self.stream(self.stream_name)
        start = Start(
            ts=self.clock.stamp(),
            job="prep",
            fields={"sources_total": 3, "host": stream.host, "pid": stream.pid, "params": {}},
            resume=self._resume,
            force=True,
            join=False,
        )
        self._intake = Intake()
        opening = Opening(stream, start)
        self._outbox = Outbox(self._spool(opening), opening.started())
        self._sender = Sender(opening, self._outbox, Waiter(), partial(Intake.say, self._intake))
        self._pump = Pump(
            self._intake,
            self._outbox,
            heartbeat_seconds=stream.heartbeat_seconds,
            vitals=lambda: Vitals(self.clock.monotonic(), 0, 0, 1 << 20),
            clock_offset=lambda: self.clock.offset,
        )
        self._pump.start(self.clock.now_ns())
        self.connection.meanwhile = self._meanwhile

    def _spool(self, opening: Opening) -> Spool | None:
        home = self.world.spool_home
        return None if home is None else Spool.open(home, opening.owner, resume=self._resume)

    def _step(self, pause: float) -> None:
        """Do one round of the sender and give way until the next."""
        self._speak()
        self._pump.step(self.clock.now_ns())
        self.connection.begin()
        wait = self._sender.step(self.clock.monotonic())
        self._judge()
        if isinstance(self._sender.trouble, Fenced | Held):
            self.world.referee.silenced(self.name, self.stream_name)
        self.actor.sleep(min(wait, pause * self.world.rng.random()) + 0.01)

    def _meanwhile(self) -> None:
        """Let the job speak and the pump step while the sender waits for the store."""
        if self.world.chance(0.2):
            self._speak()
            self._pump.step(self.clock.now_ns())
        self._judge()

    def _speak(self) -> None:
        if self._last is not None or self.world.is_calm:
            return
        for _ in range(self.world.rng.choice((0, 0, 1, 3))):
            uid = f"{self.name}:{self._said}"
            self._said += 1
            if self.world.chance(0.5):
                now_ns = self.clock.now_ns()
                self._intake.queue.append((now_ns, events.FILE_DONE, self._tally, uid, 1000, 0.5))
            else:
                kind, fields = self.world.rng.choice(_SAYINGS)
                self._say(kind, {**fields, "uid": uid})
        if self.world.chance(0.05):
            self._waits.append((self._await_durable(None), self._said))

    def _say(self, kind: str, fields: dict[str, object]) -> None:
        tally = self._tally if kind in (events.SOURCE_STARTED, events.SOURCE_DONE) else None
        self._intake.queue.append((self.clock.now_ns(), kind, fields, tally))

    def _await_durable(self, seal: Reason | None) -> Waiter:
        waiter = Waiter()
        self._intake.queue.append((self.clock.now_ns(), None, waiter, seal))
        return waiter

    def _end(self) -> None:
        """Say the last word."""
        seal: Reason = "close"
        if self.world.chance(0.7):
            status = self.world.rng.choice(events.STATUSES)
            self._say(events.FINISHED, {"status": status})
            seal = "finish"
        self._last = self._await_durable(seal)
        self._waits.append((self._last, self._said))

    def _judge(self) -> None:
        """Hold what waiters were told against the log."""
        for waiter, said in self._waits:
            if waiter.ok:
                self.world.referee.heard_durable(self.name, self.stream_name, said)
        self._waits = [(waiter, said) for waiter, said in self._waits if not waiter.ok]


def _number_of(line: bytes, who: str) -> int:
    """Return the number of an event of a process, -1 for any other line."""
    record = orjson.loads(line)
    uid = str(record.get("uid") or record.get("path") or "")
    name, _, number = uid.rpartition(":")
    return int(number) if name == who else -1


_SAYINGS: list[tuple[str, dict[str, object]]] = [
    # Most are not urgent, for urgent ones are flushed and compacted at once.
    *[("note", {"text": "x" * 100})] * 12,
    (events.PHASE, {"phase": "data_prep", "sub_phase": "downloading_policy"}),
    (events.SOURCE_STARTED, {"source": "models", "files": 10, "bytes": 10_000}),
    (events.SOURCE_DONE, {"source": "models"}),
    (events.FILE_SKIPPED, {"source": "models", "reason": "there already"}),
    (events.ERROR, {"message": "broken", "error": "ValueError", "fatal": False}),
    (events.WAITING, {"reason": "rate limit"}),
]
