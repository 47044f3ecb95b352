"""What the actors of one history share, and how a process is made, frozen and killed."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from journal.stream import Stream
from tests.simulation.referee import RUN, Referee
from tests.simulation.scheduler import Actor, HostClock, Scheduler
from tests.simulation.store import Connection, Store


@dataclass
class World:
    """One history under way."""

    rng: Random
    scheduler: Scheduler
    store: Store
    referee: Referee
    end: float  # when the faults stop
    is_calm: bool = False  # they have stopped: whoever lives comes to its end
    processes: list["Process"] = field(default_factory=list)
    spool_home: Path | None = None
    # Draws what came into the simulation later, so that a seed goes on to mean the same history.
    aside: Random = field(default_factory=lambda: Random(0))

    def between(self, low: float, high: float) -> float:
        """Draw a number."""
        return low + (high - low) * self.rng.random()

    def chance(self, probability: float) -> bool:
        """Draw whether something happens."""
        return self.rng.random() < probability


class Process(ABC):
    """A process on a host of its own. Subclasses say what it does in `run`."""

    def __init__(self, world: World, name: str) -> None:
        rng = world.rng
        self.world = world
        self.name = name
        self.host = f"host-{name}"
        self.connection = Connection(world.store, name)
        ahead = rng.choice((0.0, 0.0, world.between(-5.0, 5.0), world.between(-7200.0, 7200.0)))
        self.clock = HostClock(world.scheduler, ahead, rng.choice((0.0, 0.0, 0.001, -0.02)))
        self.actor = Actor(world.scheduler, name, self._live)
        self.connection.actor = self.actor
        world.processes.append(self)

    @abstractmethod
    def run(self) -> None:
        """Live from begin to end."""

    def _live(self) -> None:
        self.world.store.tell(f"{self.name:12} starts")
        self.run()
        self.world.store.tell(f"{self.name:12} ends")

    def start(self, after: float) -> None:
        """Start it so many seconds from now."""
        scheduler = self.world.scheduler
        scheduler.at(scheduler.now + after, self.actor.resume)

    def mistreat(self, *, kill: float, freeze: float) -> None:
        """With these probabilities kill it at some time, freeze it for long, set its clock."""
        world, scheduler = self.world, self.world.scheduler

        def some_time() -> float:
            return world.between(scheduler.now, world.end)

        if world.chance(kill):
            self._later(some_time(), self.actor.kill, "is killed")
        if world.chance(freeze):
            seconds = world.between(5.0, world.end - scheduler.now)
            self._later(some_time(), lambda: self.actor.pause(seconds), f"freezes {seconds:.0f} s")
        if world.chance(0.15):
            jump = world.between(-3000.0, 3000.0)
            self._later(
                some_time(), lambda: self.clock.jump(jump), f"sets its clock by {jump:.0f} s"
            )

    def _later(self, time: float, act: Callable[[], None], words: str) -> None:
        def do() -> None:
            if not self.actor.is_over:
                self.world.store.tell(f"{self.name:12} {words}")
                act()

        self.world.scheduler.at(time, do)

    def stream(self, name: str) -> Stream:
        """Return a stream as this process sees it."""
        return Stream(
            store=self.connection,
            run_id=RUN,
            name=name,
            host=self.host,
            pid=len(self.world.processes),
            flush_seconds=5.0,
            heartbeat_seconds=30.0,
            clock=self.clock,
        )
