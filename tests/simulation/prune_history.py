"""One seed, one history of a run that is pruned, with whoever may come back at the wrong moment.

A run lives for a minute and is left alone for days. Then prunes begin, in bad weather, while
processes that were frozen all the time wake up, others take the run over, and readers and
compactors go on. At last nothing fails, everybody comes to an end, and a last prune has to leave
tombstones only.
"""

from collections.abc import Callable
from random import Random

from journal import carried, layout, prune, snapshot
from journal.claim import Claim
from journal.compactor import Compactor
from journal.errors import Held, Pruned
from journal.fold import fold
from journal.layout import MAIN
from journal.limits import PRUNE_MIN_SECONDS
from journal.segments import is_pruned
from journal.snapshot import Folded
from journal.state import StreamState
from tests.simulation.onlookers import Reader
from tests.simulation.prune_actors import (
    Attempt,
    Claimant,
    LateCompacting,
    Looking,
    Pruner,
    Sleeper,
    Successor,
)
from tests.simulation.prune_referee import PRUNER, PruneReferee
from tests.simulation.referee import RUN
from tests.simulation.scheduler import Scheduler
from tests.simulation.seams import small_world
from tests.simulation.store import Object, Store
from tests.simulation.weather import Weather
from tests.simulation.world import Process, World

START_TIME = 1_754_422_500.0  # 2025-08-05T19:35:00Z
CALM_SECONDS = 2000.0  # far more than anybody needs to come to an end once nothing fails
STORM_SECONDS = 50.0  # how long the prunes have bad weather
DAY = 86400.0


class _Objects(dict[str, Object]):
    """The objects of a store; tells the referee of each that is deleted."""

    def __init__(self, referee: PruneReferee) -> None:
        super().__init__()
        self._referee = referee

    def pop(self, key: str, *default: object) -> object:
        """Take an object away."""
        if key in self:
            self._referee.deleted(key)
        return super().pop(key, *default)


def simulate_prune(
    seed: int, trace: Callable[[str], None] | None = None
) -> tuple[str | None, PruneReferee]:
    """Run the history of a seed; return the promise that was broken, None if all held."""
    rng = Random(seed)
    with small_world(rng):
        history = PruneHistory(rng, trace)
        try:
            history.run()
        except Exception as error:  # noqa: BLE001 - whatever the library raises is a finding
            history.referee.fail(f"{type(error).__name__}: {error}")
        finally:
            for process in history.world.processes:
                process.actor.kill()
    return history.referee.breach, history.referee


class PruneHistory:
    """A history under way."""

    def __init__(self, rng: Random, trace: Callable[[str], None] | None) -> None:
        self.scheduler = Scheduler(START_TIME)
        self.referee = PruneReferee(self.scheduler)
        whole = rng.random() < 0.5
        store = Store(self.scheduler, Weather(rng), self.referee, whole_seconds=whole, trace=trace)
        store.objects = _Objects(self.referee)
        end = START_TIME + rng.choice((15.0, 40.0))
        self.world = World(rng, self.scheduler, store, self.referee, end)
        self._writers: list[Claimant] = []
        # The day of the prunes: most often the run is old enough by then, sometimes just so.
        days = rng.choice((7.0, 7.0, rng.uniform(6.5, 7.5), rng.uniform(3.0, 30.0)))
        self._day = end + CALM_SECONDS + days * DAY

    def run(self) -> None:
        """Let the run live, let it lie, let the prunes begin, and look at what is left."""
        self._live()
        self._lie()
        self._storm()
        self._calm()
        if not self.scheduler.is_stopped:
            self._conclude()

    # The run's life.

    def _live(self) -> None:
        world, rng, between = self.world, self.world.rng, self.world.between
        world.store.weather._lateness = rng.choice((2.0, 60.0, 5 * DAY))
        for number in range(rng.choice((1, 2, 2, 3))):
            self._writer(f"main-{number}", MAIN, first=number == 0)
        for number in range(rng.choice((0, 1, 1, 2))):
            self._writer(f"aside-{number}", "aside", first=number == 0)
        for number in range(rng.choice((0, 1, 1, 2))):
            sleeper = Sleeper(world, f"sleeper-{number}", MAIN, until=self._waking())
            self._writers.append(sleeper)
            self._start(sleeper, world.end - START_TIME)
        for onlooker in (LateCompacting(world, "compactor"), Reader(world, "reader")):
            self._start(onlooker, 1.0 if world.chance(0.5) else DAY)
            if world.chance(0.7):
                self._freeze(onlooker, between(START_TIME, world.end))
        self._settle_until(world.end)
        if world.chance(0.9):
            seal = rng.choice(("finish", "finish", None))
            self._begin(Attempt(world, "finisher", 1, finishes=world.chance(0.9), seal=seal))
        self._settle_until(world.end + CALM_SECONDS)
        if world.chance(0.7):
            self._begin(Looking(world, "snapshot", lambda c: Compactor(c, RUN).compact()))
        if world.chance(0.3):
            self._begin(Successor(world, "successor"))

    def _writer(self, name: str, stream: str, *, first: bool) -> None:
        world = self.world
        writer = Claimant(world, name, stream, resume=world.chance(0.5 if first else 0.9))
        self._writers.append(writer)
        after = world.between(0.0, 2.0 if first else (world.end - START_TIME) * 0.9)
        writer.start(after)
        writer.mistreat(kill=0.2, freeze=0.1)
        if world.chance(0.6):
            # Some are frozen while they claim, others while they write.
            soon = START_TIME + after + world.between(0.0, 0.5)
            later = world.between(START_TIME, world.end)
            self._freeze(writer, soon if world.chance(0.3) else later)

    def _waking(self) -> float:
        """Draw when somebody wakes who has slept for days: most do while prunes are at work."""
        return self._day + self.world.between(-5.0, self.world.rng.choice((10.0, 30.0, 5 * DAY)))

    def _freeze(self, process: Process, begin: float) -> None:
        """Freeze a process for days."""
        until = self._waking()
        process._later(begin, lambda: process.actor.pause(until - begin), "freezes for days")

    # Days pass.

    def _lie(self) -> None:
        """Let late requests arrive; somebody may go on with the run, or prune it too early."""
        world, now = self.world, self.scheduler.now
        for number in range(world.rng.choice((0, 0, 0, 0, 1))):
            day = world.between(now, self._day)
            is_prune = world.chance(0.3)
            name = f"early-{number}"
            early = Pruner(world, 7 + number) if is_prune else self._returner(name, 2 + number)
            self.scheduler.at(day, early.actor.resume)
        self._settle_until(self._day - 30.0)

    def _returner(self, name: str, number: int) -> Process:
        """Make somebody who claims a stream of the run again."""
        world = self.world
        if world.chance(0.5):
            seal = world.rng.choice(("finish", None))
            return Attempt(world, name, number, finishes=world.chance(0.5), seal=seal)
        stream = world.rng.choice((MAIN, MAIN, "aside", "joiner"))
        return Claimant(world, name, stream, resume=world.chance(0.8))

    # Prunes.

    def _storm(self) -> None:
        """Let prunes begin, and everybody else come back, while requests fail."""
        world, rng = self.world, self.world.rng
        world.store.weather = Weather(rng)
        world.end = self._day + STORM_SECONDS
        world.is_calm = False
        for number in range(rng.choice((1, 1, 1, 2, 3))):
            pruner = Pruner(world, number)
            begin = self._day + world.between(0.0, 5.0)
            self.scheduler.at(begin, pruner.actor.resume)
            pruner.mistreat(kill=0.0, freeze=0.2)
            if world.chance(0.4):
                pruner.die_after(rng.randrange(4, 40))
        for number in range(rng.choice((0, 0, 1, 1, 2))):
            returner = self._returner(f"back-{number}", 10 + number)
            late = world.between(-2.0, rng.choice((5.0, 5.0, 60.0)))
            self.scheduler.at(self._day + late, returner.actor.resume)
            returner.mistreat(kill=0.1, freeze=0.2)
            if isinstance(returner, Claimant):
                self._writers.append(returner)
        for number in range(rng.choice((0, 0, 1))):
            self._start(Reader(world, f"late-reader-{number}"), 40.0)
        for number in range(rng.choice((0, 0, 1, 2))):
            self._start(LateCompacting(world, f"late-compactor-{number}"), 40.0)
        self.scheduler.run(world.end)

    def _calm(self) -> None:
        """Let the faults stop, all sleepers wake up, and everybody come to an end."""
        world = self.world
        world.store.weather.clear_up()
        world.is_calm = True
        world.store.tell("-- the faults stop --")
        self.scheduler.run(world.end + 6 * DAY + CALM_SECONDS)
        for process in world.processes:
            if not process.actor.is_over and not self.scheduler.is_stopped:
                self.referee.fail(f"liveness: {process.name} does not come to its end")

    # The end.

    def _conclude(self) -> None:
        """A last prune leaves tombstones only, or nothing changed; nobody gets in any more."""
        referee = self.referee
        for number, writer in enumerate(self._writers):
            if writer.writer is not None:
                self._begin(_Ghost(self.world, number, writer))
        self.scheduler.run(self.scheduler.now + PRUNE_MIN_SECONDS + CALM_SECONDS)
        if not referee.chains:
            return
        is_over = MAIN in referee.taken or (MAIN in referee.chains and referee.is_finished())
        done = self._see(f"{PRUNER}-last", lambda c: prune.prune(c, RUN, PRUNE_MIN_SECONDS))
        if is_over != (MAIN in referee.taken) or is_over != (done.why_kept is None):
            referee.fail(f"finished is {is_over}, and the last prune says {done}")
        if is_over and not self.scheduler.is_stopped:
            self._check_left()
            self._check_claims()
            self._check_document()

    def _check_left(self) -> None:
        again = self._see("look", lambda c: prune.look(c, RUN, PRUNE_MIN_SECONDS))
        if again.segments:
            self.referee.fail(f"after the last prune there is more to do: {again}")
        for name, chain in self.referee.chains.items():
            prefix = layout.stream_prefix(RUN, name)
            left = {k: o.body for k, o in self.world.store.objects.items() if k.startswith(prefix)}
            bodies = list(left.values())
            if not all(is_pruned(body) and body.count(b"\n") == 2 for body in bodies):
                self.referee.fail(f"more than tombstones is left of {name}")
            if layout.segment_key(RUN, name, 0) not in left or len(left) > 2:
                self.referee.fail(f"of {name} are left {sorted(left)}")
            if len(chain.segments) > 1 and len(left) < 2:
                self.referee.fail(f"the end of {name} is not kept")

    def _check_claims(self) -> None:
        """Nobody gets any stream of the run, from whatever segment he begins to look."""
        for name in self.referee.chains:
            self._check_claim(name, None, resume=False)
            self._check_claim(name, self.world.rng.choice((None, 0, 1, 2)), resume=True)

    def _check_claim(self, name: str, hint: int | None, *, resume: bool) -> None:
        asked = Looking(self.world, "claimant", lambda _: None)
        claim = Claim(asked.stream(name), resume=resume, hint=hint)
        asked._act = lambda _: claim.attempt()
        self._begin(asked)
        if not isinstance(asked.error, Pruned | Held):
            self.referee.fail(f"{name} of a pruned run was claimed: {asked.error!r}")

    def _check_document(self) -> None:
        """The document says all that the log ever said, or what another program said last."""
        done = self._see("conclusion", lambda c: Compactor(c, RUN).compact(everything=True))
        if done.document.get("phase") == "training":
            return
        run = {}
        stored = snapshot.decode(snapshot.encode(done.document)).streams or {}
        for name, chain in self.referee.chains.items():
            if name in stored:
                run[name] = Folded(stored[name].cursor, fold(StreamState(), chain.decoded))
            elif chain.records:
                self.referee.fail(f"the document knows nothing of {name}")
        since = carried.updated(done.document) or 0.0
        rendered = snapshot.render(RUN, run, done.document, since=since)
        if snapshot.encode(rendered) != snapshot.encode(done.document):
            self.referee.fail("the document is not the fold of all that was ever in the log")

    def _see(self, name: str, act: Callable[..., object]):
        """Let something be done while nothing fails; return what came of it."""
        looking = Looking(self.world, name, act)
        self._begin(looking)
        if looking.error is not None:
            raise looking.error
        return looking.answer

    def _begin(self, process: Process) -> None:
        """Let a process live from begin to end, as far as it does so soon."""
        process.start(0.0)
        self.scheduler.run(self.scheduler.now + CALM_SECONDS)

    def _start(self, process: Process, within: float) -> None:
        process.start(self.world.between(0.0, within))

    def _settle_until(self, time: float) -> None:
        """Go on until then, without new faults if the run's life is over."""
        self.scheduler.run(time)
        self.world.store.weather.clear_up()
        self.world.is_calm = True


class _Ghost(Claimant):
    """A writer of before that says one thing more, whatever state it was left in."""

    def __init__(self, world: World, number: int, former: Claimant) -> None:
        super().__init__(world, f"ghost-{number}", former.stream_name, resume=False)
        self._former = former

    def run(self) -> None:
        """Go on where the former was left."""
        former = self._former
        former.actor = former.connection.actor = self.actor
        if former.writer is not None and not former.writer.fenced and not former.writer.closed:
            Claimant.settle(former)
