"""Looks at a run once a minute, as the old monitor does and as the journal's readers do."""

import json
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recorder.processes import Child
from seed.minutes import STALE

from journal import layout
from journal.compactor import Compactor
from journal.health import Verdict
from journal.stores import Found, Store, connect, read_only
from readers import legacy
from readers.status import status


@dataclass(frozen=True)
class Look:
    """What was to be seen of a run at one moment, epoch seconds of this host."""

    at: float
    document: dict[str, Any]
    verdict: Verdict
    monitor: str


@dataclass
class Life:
    """A run, its process, and all that was ever seen of it."""

    root: str
    run_id: str
    child: Child
    looks: list[Look] = field(default_factory=list)

    @cached_property
    def store(self) -> Store:
        """Where the run lies."""
        return connect(self.root)

    def look(self) -> Look | None:
        """Look at the run now; None as long as there is nothing to be seen."""
        key = layout.snapshot_key(self.run_id)
        if not isinstance(self.store.get(key), Found):
            return None
        # First, so that a run that ends meanwhile is not over for us before it is for the monitor.
        seen = status(read_only(self.store), self.run_id)
        # A job compacts every 15 s, which is a fortieth of what the monitor waits for, but more
        # than that in minutes that are seconds. Anyone may do it.
        Compactor(self.store, self.run_id).compact()
        monitor = legacy.opinion(legacy.look(self.store, self.run_id), time.time(), STALE)
        found = self.store.get(key)
        assert isinstance(found, Found)
        self.looks.append(Look(time.time(), json.loads(found.body), seen.verdict, monitor.state))
        return self.looks[-1]

    @property
    def monitor(self) -> list[str]:
        """What the old monitor said, each answer once as long as it stayed the same."""
        return _changes([look.monitor for look in self.looks])

    def said(self, question: str) -> list[str | None]:
        """What the journal's readers said to one question while the run was not over."""
        running = [look.verdict for look in self.looks if look.verdict.state == "running"]
        return _changes([getattr(verdict, question) for verdict in running])


def _changes(answers: list[Any]) -> list[Any]:
    return [answer for at, answer in enumerate(answers) if at == 0 or answers[at - 1] != answer]
