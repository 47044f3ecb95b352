"""Who takes part when a run is pruned: prunes, those who come back, and those who look on."""

from itertools import count

from journal import events, prune
from journal.errors import Conflict, JournalError, Missing, Pruned, Refused, Unavailable
from journal.layout import MAIN, snapshot_key
from journal.limits import PRUNE_MIN_SECONDS
from journal.segments import Reason
from tests.simulation.onlookers import Compacting
from tests.simulation.prune_referee import PRUNER, PruneReferee
from tests.simulation.referee import RUN, trouble
from tests.simulation.world import Process, World
from tests.simulation.writers import CALM_TRIES, Writer


class _Gone(Exception):
    """A claimant was told that the run was pruned."""


def referee_of(world: World) -> PruneReferee:
    """Return the referee as what it is here."""
    if not isinstance(world.referee, PruneReferee):
        raise TypeError("these take part in histories of prunes only")
    return world.referee


class Claimant(Writer):
    """A writer that may be told that the run was pruned; then that has to be true."""

    def run(self) -> None:
        """Claim, write, end."""
        try:
            self.live()
        except _Gone:
            self.is_over = True

    def live(self) -> None:
        """Do what `run` does, and leave it when the run is gone."""
        super().run()

    def _check_refusal(self, error: Exception) -> None:
        if not isinstance(error, Pruned):
            super()._check_refusal(error)
            return
        if self.stream_name not in referee_of(self.world).taken:
            self.world.referee.fail(trouble(self.name, error))
        raise _Gone


class Attempt(Claimant):
    """Takes the run over, begins an attempt, and finishes it or not."""

    def __init__(
        self, world: World, name: str, number: int, *, finishes: bool, seal: Reason | None
    ) -> None:
        super().__init__(world, name, MAIN, resume=True)
        self._number = number
        self._finishes = finishes
        self._seal = seal

    def live(self) -> None:
        """Say it, until it is durable or the stream is another's."""
        self.claim()
        if self.is_over:
            return
        self._tell(events.STARTED, attempt=self._number, job="prep")
        if self._finishes:
            self._tell(events.FINISHED, status="completed")
        tries = 0
        while tries < CALM_TRIES and not self.is_over and not self.flush(self._seal):
            self.actor.sleep(1.0)
            tries += self.world.is_calm

    def _tell(self, kind: str, **fields: object) -> None:
        if self.writer is not None:
            place = {"seq": self.writer.next_seq, "ts": self.clock.stamp(), "type": kind}
            self.writer.append(events.encode({**place, **fields}), 1)


class Sleeper(Claimant):
    """Seals a segment, and sleeps so long that it opens the next one only after the prune."""

    def __init__(self, world: World, name: str, stream: str, *, until: float) -> None:
        super().__init__(world, name, stream, resume=True)
        self._until = until

    def live(self) -> None:
        """Say something, sleep, and go on."""
        self.claim()
        if self.is_over:
            return
        self.say(2)
        if self.flush("roll"):
            self.actor.sleep(self._until - self.world.scheduler.now)
        self.settle()


class Pruner(Process):
    """Prunes, and tries again while it is not answered; once it has come to an end it is `done`."""

    def __init__(self, world: World, number: int) -> None:
        super().__init__(world, f"{PRUNER}-{number}")
        self.done: prune.Prospect | None = None
        # Whoever trusts a host's clock is to be found out.
        self.clock.jump(world.rng.choice((0.0, 0.0, 10 * 86400.0)))
        self.connection.clock = self.clock

    def die_after(self, requests: int) -> None:
        """Kill it when it has sent so many requests, before it hears what became of the last."""
        left = count(requests - 1, -1)

        def meanwhile() -> None:
            if not next(left):
                self._later(self.world.scheduler.now, self.actor.kill, "is killed")

        self.connection.meanwhile = meanwhile

    def run(self) -> None:
        """Prune until it is done."""
        tries = 0
        while self.done is None and tries < CALM_TRIES:
            self.connection.begin()
            try:
                self.done = prune.prune(self.connection, RUN, PRUNE_MIN_SECONDS)
            except (Unavailable, Refused) as error:
                if isinstance(error, Refused) and not self.connection.may_be_refused:
                    self.world.referee.fail(trouble(self.name, error))
                self.actor.sleep(self.world.between(0.1, 10.0))
                tries += self.world.is_calm
            except Missing:
                return
            except Conflict as error:
                self.world.referee.fail(trouble(self.name, error))
                return
        if self.done is not None:
            kept = self.done.why_kept is not None
            self.world.referee.counts["kept" if kept else "pruned"] += 1


class LateCompacting(Compacting):
    """A compactor that may read again what the document covers: of a pruned run it has to."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.connection.reads = None


class Successor(Process):
    """The next phase of a pipeline: it writes the document over, and means it to stay."""

    def run(self) -> None:
        """Overwrite the document, with a time that is newer than the run's end."""
        body = b'{"status":"running","phase":"training","last_update":"2035-01-01T00:00:00Z"}\n'
        self.world.store.overwrite(snapshot_key(RUN), body, self.name)


class Looking(Process):
    """Does one thing when nothing fails, and keeps what came of it."""

    def __init__(self, world: World, name: str, act) -> None:
        super().__init__(world, name)
        self.connection.clock = self.clock
        self.answer = None
        self.error: JournalError | None = None
        self._act = act

    def run(self) -> None:
        """Do it."""
        try:
            self.answer = self._act(self.connection)
        except JournalError as error:
            self.error = error
