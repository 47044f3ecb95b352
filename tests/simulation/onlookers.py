"""Who looks on: readers that tail the log, and compactors that keep the snapshot."""

from orjson import dumps

from journal import layout, log
from journal.clock import stamp, stamp_seconds
from journal.compactor import Compactor, read_run
from journal.errors import JournalError, Unavailable
from journal.segments import START, Cursor
from tests.simulation.referee import RUN, Frugality, trouble
from tests.simulation.world import Process, World

READ_TRIES = 4  # once nothing fails any more


class Reader(Process):
    """Tails every stream of the run; now and then it begins anew, at a cursor it kept."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self._readers: dict[str, log.StreamReader] = {}
        self._pause = world.rng.choice((4.0, 15.0, 40.0))

    def run(self) -> None:
        """Read until the end, then to the end."""
        world = self.world
        if world.chance(0.3):
            self._begin_at_snapshot()
        while not world.is_calm:
            self.poll()
            self.actor.sleep(self._pause * world.rng.random())
            if world.chance(0.05):
                self._forget()

    def poll(self) -> bool:
        """Read what is new; whether the store answered."""
        connection = self.connection
        try:
            if self.world.chance(0.1) or not self._readers:
                highest = log.listing(connection, RUN).streams
                for name, exists in highest.items():
                    reader = self._readers.get(name)
                    if reader is None:
                        reader = log.StreamReader(connection, RUN, name, exists=exists)
                        self._readers[name] = reader
                    reader.exists = max(reader.exists, exists)
            for reader in self._readers.values():
                before = reader.cursor
                for batch in reader.read():
                    self.world.referee.read(self.name, before, batch)
                    before = batch.cursor
        except JournalError as error:
            self._check(error)
            return False
        return True

    def drain(self) -> dict[str, Cursor]:
        """Read everything once nothing fails any more; return where that is."""
        for name in log.stream_names(self.connection, RUN):
            if name not in self._readers:
                self._readers[name] = log.StreamReader(self.connection, RUN, name)
        for _ in range(READ_TRIES):
            if self.poll():
                break
        return {name: reader.cursor for name, reader in self._readers.items()}

    def _begin_at_snapshot(self) -> None:
        try:
            run = read_run(self.connection, RUN).run
        except JournalError as error:
            self._check(error)
            return
        for name, folded in run.items():
            self._readers[name] = log.StreamReader(self.connection, RUN, name, folded.cursor)

    def _forget(self) -> None:
        """Begin anew, as a reader's process that is restarted."""
        kept = self.world.chance(0.7)
        self._readers = {
            name: log.StreamReader(self.connection, RUN, name, reader.cursor if kept else START)
            for name, reader in self._readers.items()
        }

    def _check(self, error: JournalError) -> None:
        if not isinstance(error, Unavailable):
            self.world.referee.fail(trouble(self.name, error))


class Compacting(Process):
    """Compacts the run again and again; now and then it loses its memory."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self._compactor = Compactor(self.connection, RUN)
        self._pause = world.rng.choice((5.0, 20.0, 60.0))
        self.connection.reads = Frugality(world.referee, name).saw

    def run(self) -> None:
        """Compact until the end."""
        world = self.world
        while not world.is_calm:
            self.compact(everything=world.chance(0.1))
            self.actor.sleep(self._pause * world.rng.random())
            if world.chance(0.1):
                self._compactor = Compactor(self.connection, RUN)

    def compact(self, *, everything: bool) -> bool:
        """Compact once; whether the store took it."""
        referee = self.world.referee
        self.connection.begin()
        try:
            done = self._compactor.compact(everything=everything)
        except JournalError as error:
            if not isinstance(error, Unavailable) and not self.connection.may_be_refused:
                referee.fail(trouble(self.name, error))
            return False
        referee.compacted(self.name, done.damages)
        return True


class Foreigner(Process):
    """A program of others that posts its own document over the journal's, on no condition."""

    def run(self) -> None:
        """Overwrite the document a few times, mostly with its time by a clock of its own."""
        world = self.world
        for number in range(world.rng.choice((1, 3))):
            self.actor.sleep(world.between(0.0, 60.0))
            if world.is_calm:
                return
            document = {"status": "running", "foreign": number, "by": self.name}
            if world.aside.random() < 0.8:
                ahead = world.aside.choice((0.0, 0.0, -30.0, 30.0, 5000.0))
                at = world.scheduler.now + ahead
                document["last_update"] = world.aside.choice((stamp, stamp_seconds))(at)
            world.store.overwrite(layout.snapshot_key(RUN), dumps(document), self.name)
