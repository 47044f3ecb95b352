"""A process that claims a stream and writes to it, with nothing between it and the protocol."""

import orjson

from journal.claim import Claim
from journal.errors import Corrupt, Fenced, Held, Refused, Unavailable
from journal.segments import Reason
from journal.stores.contract import ABSENT
from journal.stream import StreamWriter
from tests.simulation.referee import trouble
from tests.simulation.world import Process, World

CALM_TRIES = 12  # once nothing fails any more, so many calls settle whatever is unsettled


class Writer(Process):
    """Claims, then says a few records and flushes, again and again."""

    def __init__(self, world: World, name: str, stream: str, *, resume: bool) -> None:
        super().__init__(world, name)
        self.stream_name = stream
        self.writer: StreamWriter | None = None
        self.is_over = False  # fenced, held, or ended by itself
        self.refused = 0
        self._resume = resume
        self._said = 0
        self._pause = world.rng.choice((1.0, 4.0, 12.0))
        self._size = world.rng.choice((20, 120, 400))
        self._is_eager = world.chance(0.3)  # tries again at once
        self._ends = world.chance(0.4)

    def run(self) -> None:
        """Claim, write, end."""
        self.claim()
        world = self.world
        while self.writer is not None and not self.is_over and not world.is_calm:
            self.actor.sleep(self._pause * world.rng.random())
            seal: Reason | None = None
            self.say(world.rng.choice((0, 1, 1, 2, 5)))
            if world.chance(0.02):
                seal = "roll"
            if self._ends and world.scheduler.now > world.end - 20.0:
                seal = "close"
            while not self.flush(seal) and not self.is_over and not world.is_calm:
                self.actor.sleep(0.0 if self._is_eager else world.between(0.2, 8.0))
                if world.chance(0.3):
                    self.say(1)
            self.is_over = self.is_over or self.writer.closed
        if self.writer is not None and not self.is_over:
            self.settle()

    def claim(self) -> None:
        """Become the stream's writer, however long it takes; or learn that it is held."""
        world, connection = self.world, self.connection
        hint = world.rng.choice((None, 0, 1, 7))
        claim = Claim(self.stream(self.stream_name), resume=self._resume, hint=hint)
        tries = 0
        while tries < CALM_TRIES:
            connection.begin()
            try:
                self.writer = claim.attempt()
            except Held:
                world.referee.held(self.name, self.stream_name)
                self.is_over = True
                return
            except (Unavailable, Refused) as error:
                self._check_refusal(error)
                self.actor.sleep(0.0 if self._is_eager else world.between(0.2, 8.0))
                tries += world.is_calm
            except Corrupt as error:
                if not world.referee.chain(self.stream_name).is_deleted:
                    world.referee.fail(trouble(self.name, error))
                self.is_over = True
                return
            else:
                world.store.tell(
                    f"{self.name:12} claimed {self.stream_name} in epoch {self.writer.epoch}"
                )
                return
        if world.store.broken_prefix is None:
            world.referee.fail(f"liveness: {self.name} cannot claim {self.stream_name}")

    def say(self, count: int) -> None:
        """Append records."""
        writer = self.writer
        if writer is None:
            raise AssertionError("only a writer says anything")
        for _ in range(count):
            seq = writer.next_seq
            record = {"seq": seq, "ts": self.clock.stamp(), "type": "note"}
            record["uid"] = f"{self.name}:{self._said}"
            record["text"] = "x" * int(self._size * self.world.rng.random())
            self._said += 1
            writer.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE), 1)

    def flush(self, seal: Reason | None = None) -> bool:
        """Flush; whether all is durable."""
        if self.writer is None:
            raise AssertionError("only a writer flushes")
        try:
            return self.writer.flush(seal)
        except (Fenced, Corrupt):
            self.is_over = True
        except Unavailable:
            pass
        except Refused as error:
            self.refused += 1
            self._check_refusal(error)
        return False

    def settle(self) -> None:
        """Say a last record once nothing fails any more: it has to become durable, or be fenced."""
        self.say(1)
        for _ in range(CALM_TRIES):
            if self.flush() or self.is_over:
                return
            self.actor.sleep(1.0)
        # A broken compare is found out over an object that is there; creating is tried for ever.
        creates = self.writer is not None and self.writer._version is ABSENT
        if self.world.store.broken_prefix is None or not (self.refused or creates):
            self.world.referee.fail(f"liveness: {self.name} cannot flush though nothing fails")

    def _check_refusal(self, error: Exception) -> None:
        if isinstance(error, Refused) and not self.connection.may_be_refused:
            self.world.referee.fail(trouble(self.name, error))
