"""What the last completed run of the same job took, found and said once, so that it can be gone by.

As a record it is part of the journal: whoever replays the run sees what this run knew.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from journal import events, index, layout, snapshot
from journal.history import former_of
from journal.limits import HISTORY_RUNS
from journal.recorder.plan import parts_of
from journal.stores.contract import Found, ReadStore

log: Final = logging.getLogger("journal")


class Lookback:
    """Looks for the last completed run of a job, one request at a time.

    One list of the job's index, then the snapshots of the newest HISTORY_RUNS; the first of them
    that was completed counts. Whatever fails ends it: the run does without.
    """

    def __init__(
        self, store: ReadStore, run_id: str, job: str, tell: Callable[[str, dict[str, Any]], None]
    ) -> None:
        """Prepare to look; `tell` makes the event. `run_id` is the run that asks."""
        self._store = store
        self._run_id = run_id
        self._job = job
        self._tell = tell
        self._requests = self._look()

    def step(self) -> bool:
        """Make a request; tell whether there is another to make. Never raises."""
        try:
            return next(self._requests, True) is None
        except Exception as failed:  # noqa: BLE001 - a history is a help: no reason to say more
            log.debug("journal of run %s: no history: %s", self._run_id, failed)
            return False

    def _look(self) -> Iterator[None]:
        """Yield after each request but the last."""
        newest = index.newest(self._store, self._job)
        others = [run_id for run_id in newest if run_id != self._run_id][:HISTORY_RUNS]
        for run_id in others:
            yield
            sources = self._took(run_id)
            for part in parts_of(sources):
                fields = {"run_id": run_id, "sources": part, "by": events.JOURNAL}
                self._tell(events.HISTORY, fields)
            if sources:
                return

    def _took(self, run_id: str) -> list[dict[str, Any]]:
        """Return what a run took, nothing unless it was completed and is one of this job."""
        answer = self._store.get(layout.snapshot_key(run_id))
        stored = snapshot.decode(answer.body) if isinstance(answer, Found) else None
        run = stored.streams if stored is not None else None
        if not run:
            return []
        lead = snapshot.lead_of(run)
        if lead.job != self._job or lead.finish is None or lead.finish.status != "completed":
            return []
        others = [folded.state for folded in run.values() if folded.state is not lead]
        return former_of([lead, *others])
