"""Whoever sends what killed jobs of a host left in their spools."""

from journal.errors import JournalError
from journal.recorder import recovery
from tests.simulation.world import Process, World


class Recovering(Process):
    """Recovers all there is on a host, while jobs write; the `last` may not fail."""

    def __init__(self, world: World, name: str, host: str, *, last: bool = False) -> None:
        super().__init__(world, name)
        self.host = host
        self._last = last

    def run(self) -> None:
        """Look at each spool once."""
        home = self.world.spool_home
        if home is None:
            return
        self.connection.begin()
        spools = list(recovery.spools(home, self.connection, self.host))
        for number, found in enumerate(spools):
            if found.state not in ("ready", "nothing"):
                continue
            # Each is a claim of its own, and may have to take over from the one before it.
            self.connection.who = f"{self.name}/{number}"
            force = self._last or self.world.aside.random() < 0.5
            try:
                recovery.send(found, self.connection, pid=1, clock=self.clock, force=force)
            except JournalError as error:
                if self._last:
                    self.world.referee.fail(f"{self.name} cannot send {found.folder.name}: {error}")
            else:
                self.world.referee.counts["records recovered"] += found.sent
