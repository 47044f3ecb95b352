"""One seed, one history: who takes part, what goes wrong, and what has to hold at its end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from journal import carried, compactor, layout, snapshot
from journal.fold import fold
from journal.snapshot import Folded
from journal.state import StreamState
from tests.simulation.job import Job
from tests.simulation.onlookers import Compacting, Foreigner, Reader
from tests.simulation.recoverers import Recovering
from tests.simulation.referee import RUN, Referee
from tests.simulation.scheduler import Scheduler
from tests.simulation.seams import small_world
from tests.simulation.store import Store
from tests.simulation.weather import Fault, Weather
from tests.simulation.world import Process, World
from tests.simulation.writers import Writer

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # spools are real files
START_TIME = 1_754_422_500.0  # 2025-08-05T19:35:00Z
CALM_SECONDS = 2000.0  # far more than anybody needs to come to an end once nothing fails


@dataclass(frozen=True)
class Outcome:
    """What became of a history: `breach` is the promise that was broken, None if all held."""

    seed: int
    breach: str | None
    faults: Counter[str]
    counts: Counter[str]


def simulate(seed: int, trace: Callable[[str], None] | None = None) -> Outcome:
    """Run the history of a seed."""
    rng, aside = Random(seed), Random(f"aside {seed}")
    with small_world(rng, aside), TemporaryDirectory(dir=MEMORY) as spools:
        history = History(rng, trace)
        history.world.aside = aside
        history.world.spool_home = Path(spools)
        try:
            history.run()
        except Exception as error:  # noqa: BLE001 - whatever the library raises is a finding
            history.referee.fail(f"{type(error).__name__}: {error}")
        finally:
            for process in history.world.processes:
                process.actor.kill()
    return Outcome(seed, history.referee.breach, history.weather.counts, history.counts())


class History:
    """A history under way."""

    def __init__(self, rng: Random, trace: Callable[[str], None] | None) -> None:
        self.scheduler = Scheduler(START_TIME)
        self.weather = Weather(rng)
        self.referee = Referee(self.scheduler)
        whole = rng.random() < 0.5
        store = Store(self.scheduler, self.weather, self.referee, whole_seconds=whole, trace=trace)
        end = START_TIME + rng.choice((15.0, 30.0, 60.0))
        self.world = World(rng, self.scheduler, store, self.referee, end)
        self._writers: list[Writer | Job] = []
        self._reader: Reader | None = None

    def counts(self) -> Counter[str]:
        """Return what happened how often."""
        return self.referee.counts + Counter(requests=self.world.store.requests)

    def run(self) -> None:
        """Let it begin, let the faults happen, let them stop, and look at what is left."""
        kind = self.world.rng.random()
        if self.world.aside.random() < 0.15:
            self._relay()
        elif kind < 0.03:
            self._deletion()
        elif kind < 0.07:
            self._broken_compare()
        else:
            self._contest()
        self.scheduler.run(self.world.end)
        self.weather.clear_up()
        self.world.is_calm = True
        self.world.store.tell("-- the faults stop --")
        self.scheduler.run(self.world.end + CALM_SECONDS)
        if self.scheduler.is_stopped:
            return
        self._check_ends()
        if self.world.store.broken_prefix is None and self.referee.checks_snapshots:
            self._recover()
            self._succeed()
            self._conclude()

    def _contest(self) -> None:
        """Up to four processes for main, others beside them, readers and compactors."""
        world, rng = self.world, self.world.rng
        for number in range(rng.choice((1, 1, 2, 3, 4))):
            self._writer(f"main-{number}", layout.MAIN, first=number == 0)
        for beside in range(rng.choice((0, 0, 1, 2))):
            for number in range(rng.choice((1, 1, 2))):
                self._writer(f"aside{beside}-{number}", f"aside{beside}", first=number == 0)
        for number in range(rng.choice((0, 0, 1, 1, 2))):
            self._start(Reader(world, f"reader-{number}"))
        for number in range(rng.choice((0, 0, 0, 1, 1, 2, 3))):
            self._start(Compacting(world, f"compactor-{number}"))
        if rng.random() < 0.1:
            self._start(Foreigner(world, "foreigner"))
        self._recoverers()

    def _recoverers(self) -> None:
        world = self.world
        for number in range(world.aside.choice((0, 0, 1, 2))):
            recovering = Recovering(world, f"recovering-{number}", f"host-{number % 2}")
            recovering.start(world.aside.uniform(5.0, world.end - self.scheduler.now))

    def _relay(self) -> None:
        """One attempt after the other on two hosts, killed more often than not, in outages too."""
        world, weather = self.world, self.weather
        for number in range(world.rng.choice((2, 3, 4, 5))):
            job = Job(world, f"main-{number}", layout.MAIN, resume=number > 0)
            self._writers.append(job)
            job.start(world.between(0.0, world.end - self.scheduler.now) if number else 0.0)
            job.mistreat(kill=0.7, freeze=0.2)
        for _ in range(world.rng.choice((0, 1, 2))):
            begin = world.between(self.scheduler.now, world.end)
            self.scheduler.at(begin, partial(setattr, weather, "is_out", True))
            self.scheduler.at(
                begin + world.between(1.0, 20.0), partial(setattr, weather, "is_out", False)
            )
        self._recoverers()

    def _writer(self, name: str, stream: str, *, first: bool) -> None:
        world = self.world
        kind = Job if world.chance(0.25) else Writer
        writer = kind(world, name, stream, resume=world.chance(0.5 if first else 0.9))
        self._writers.append(writer)
        length = world.end - self.scheduler.now
        writer.start(world.between(0.0, 2.0 if first or world.chance(0.4) else length * 0.9))
        writer.mistreat(kill=0.2, freeze=0.25)

    def _start(self, process: Process) -> None:
        process.start(self.world.between(0.0, 15.0))
        process.mistreat(kill=0.1, freeze=0.2)

    def _deletion(self) -> None:
        """Somebody deletes the active segment under its only writer, who has to stop."""
        world = self.world
        self.referee.checks_snapshots = False
        # A create of before that arrives after the deletion brings the segment back.
        self.weather.rule_out(Fault.LATE, Fault.DOUBLED)
        writer = Writer(world, "main-0", layout.MAIN, resume=False)
        self._writers.append(writer)
        writer.start(0.0)

        def delete() -> None:
            chain = self.referee.chain(layout.MAIN)
            if world.is_calm:
                return
            if writer.writer is None or not writer.writer._settled or chain.segments[-1].sealed:
                # What was never acknowledged may be created again.
                self.scheduler.at(self.scheduler.now + 0.1, delete)
                return
            key = layout.segment_key(RUN, layout.MAIN, len(chain.segments) - 1)
            world.store.tell(f"foreigner deletes {key}")
            chain.is_deleted = True
            del world.store.objects[key]

        self.scheduler.at(world.between(START_TIME + 2.0, world.end - 5.0), delete)

    def _broken_compare(self) -> None:
        """From some time on the store finds no condition to hold, of one writer's stream."""
        world = self.world
        self.referee.checks_snapshots = False
        writer = Writer(world, "main-0", layout.MAIN, resume=False)
        self._writers.append(writer)
        writer.start(0.0)

        def breaks() -> None:
            world.store.tell("the store's compare breaks")
            world.store.broken_prefix = layout.stream_prefix(RUN, layout.MAIN)

        self.scheduler.at(world.between(START_TIME + 5.0, world.end - 5.0), breaks)

    def _check_ends(self) -> None:
        """Nobody is left hanging."""
        for process in self.world.processes:
            if not process.actor.is_over:
                self.referee.fail(f"liveness: {process.name} does not come to its end")
        chain = self.referee.chain(layout.MAIN)
        if chain.is_deleted and not all(writer.is_over for writer in self._writers):
            self.referee.fail("a segment was deleted under its writer, and it goes on")

    def _recover(self) -> None:
        """What killed jobs left is sent; a spool that was let go must not be in use."""
        hosts = sorted({job.host for job in self._writers if isinstance(job, Job)})
        for host in hosts:  # one after the other, or they might fence each other
            self._let([Recovering(self.world, f"last-{host}", host, last=True)])
        if self.referee.breach is None:
            self.referee.recovered()

    def _succeed(self) -> None:
        """On each stream a new writer takes over; whoever wrote before is fenced."""
        successors = [
            Writer(self.world, f"successor-{name}", name, resume=True)
            for name in sorted(self.referee.chains)
        ]
        self._let(successors)
        for writer in self._writers:
            if isinstance(writer, Writer) and writer.writer is not None:
                self._rouse(writer)

    def _rouse(self, writer: Writer) -> None:
        """Let a writer that was replaced, dead ones too, say something more."""
        if writer.writer is None or writer.writer.fenced or writer.writer.closed:
            return
        ghost = Ghost(self.world, writer)
        self._let([ghost])
        if not writer.writer.fenced:
            self.referee.fail(f"{writer.name} was replaced and does not learn of it")

    def _conclude(self) -> None:
        """A last compaction covers the whole log, and so does a reader."""
        last = Conclusion(self.world, "conclusion")
        self._let([last])
        if self.referee.breach is not None:
            return
        run = {}
        for name, chain in self.referee.chains.items():
            if last.read.get(name) is None or chain.index(last.read[name]) != len(chain.lines):
                self.referee.fail(f"a reader of {name} does not reach its end")
            if last.folded[name].cursor != last.read[name]:
                self.referee.fail(f"the last compaction does not cover {name}")
            run[name] = Folded(last.folded[name].cursor, fold(StreamState(), chain.decoded))
        if "journal" not in last.document:
            self.referee.check_left_alone(last.document, run)
            return
        since = carried.updated(last.document) or 0.0
        if snapshot.encode(snapshot.render(RUN, run, last.document, since=since)) != last.body:
            self.referee.fail("the last snapshot is not the fold of the whole log")

    def _let(self, processes: list[Process] | list[Writer]) -> None:
        """Let processes live from begin to end, with nobody else about."""
        for process in processes:
            process.start(0.0)
        self.scheduler.run(self.scheduler.now + CALM_SECONDS)
        for process in processes:
            if not process.actor.is_over and self.referee.breach is None:
                self.referee.fail(f"liveness: {process.name} does not come to its end")


class Ghost(Writer):
    """A writer of before that says one thing more, whatever state it was left in."""

    def __init__(self, world: World, former: Writer) -> None:
        super().__init__(world, f"{former.name}'s ghost", former.stream_name, resume=False)
        self._former = former

    def run(self) -> None:
        """Go on where the former was left."""
        former = self._former
        former.actor = former.connection.actor = self.actor
        former.settle()


class Conclusion(Reader):
    """Reads everything, compacts everything."""

    def run(self) -> None:
        """Read, compact, and read once more what is stored."""
        self.read = self.drain()
        done = compactor.Compactor(self.connection, RUN).compact(everything=True)
        self.folded = done.run
        self.document = done.document
        self.body = snapshot.encode(done.document)
