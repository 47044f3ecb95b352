"""Following runs: new ones that match, whether one is lost, and the verdict at the end."""

from collections.abc import Iterator, Sequence
from typing import Final

from journal import clock
from journal.cli.exits import complain, exit_status
from journal.cli.meant import matching
from journal.errors import JournalError, Unavailable
from journal.layout import MAIN
from journal.stores import ReadStore
from readers.event import Event, Stretch
from readers.status import status
from readers.tail import Tail

_NEW_RUNS_SECONDS: Final = 30.0
_SILENT_SECONDS: Final = 60.0  # without an event, and the verdict is looked at
_LAST_SECONDS: Final = 15.0  # for what was said before `--until` to be durable

LOST: Final = "lost"


class Follower:
    """Looks beyond the events: for new runs that match a pattern, and for runs that are lost."""

    def __init__(
        self,
        store: ReadStore,
        patterns: Sequence[str],
        *,
        until: float | None,
        ends_when_lost: bool,
    ) -> None:
        self._store = store
        self._patterns = patterns
        self._until = until
        self._ends_when_lost = ends_when_lost
        self._looked = self._began = clock.monotonic()
        self._heard: dict[str, float] = {}  # of each run when main spoke, or the verdict was read
        self._lost: set[str] = set()

    def batches(self, tail: Tail) -> Iterator[Sequence[Event]]:
        """Yield what comes, an empty batch at the end of each poll."""
        for batch in tail.follow_batches(lambda: self._is_over(tail), forever=bool(self._patterns)):
            for run_id, stream in _speakers(batch):
                if stream == MAIN:
                    self._heard[run_id] = clock.monotonic()
            yield batch
            if not batch:
                self._pick_up(tail)
                self._judge(tail)

    def _is_over(self, tail: Tail) -> bool:
        if self._until is not None and clock.now() > self._until + _LAST_SECONDS:
            return True
        at_work = {run_id for run_id, ended in tail.statuses.items() if ended is None}
        return self._ends_when_lost and bool(at_work) and at_work <= self._lost

    def _pick_up(self, tail: Tail) -> None:
        """Read runs that are new and match, too."""
        if not self._patterns or clock.monotonic() - self._looked < _NEW_RUNS_SECONDS:
            return
        self._looked = clock.monotonic()
        try:
            found = [one for pattern in self._patterns for one in matching(self._store, pattern)]
        except Unavailable:
            return  # the next poll says so
        for run_id in reversed(found):
            if run_id not in tail.run_ids:
                tail.join(run_id)

    def _judge(self, tail: Tail) -> None:
        """Say of runs that are silent for long that they are lost, and that they are back."""
        for run_id, ended in tail.statuses.items():
            now = clock.monotonic()
            heard = self._heard.get(run_id, self._began)
            if ended is not None or now - heard < _SILENT_SECONDS:
                continue
            self._heard[run_id] = now
            try:
                verdict = status(self._store, run_id).verdict
            except JournalError:
                continue  # what is wrong shows where its events are read
            if verdict.liveness == LOST and run_id not in self._lost:
                self._lost.add(run_id)
                on = "" if self._ends_when_lost else "; waiting on, Ctrl-C ends"
                complain(f"run {run_id} is lost: {verdict.why}{on}")
            elif verdict.liveness != LOST:
                self._lost.discard(run_id)


def _speakers(batch: Sequence[Event]) -> set[tuple[str, str]]:
    """Return the runs and streams that events are of."""
    if isinstance(batch, Stretch):
        return {(batch.run_id, batch.stream)}
    return {event[:2] for event in batch}


def verdict_of(store: ReadStore, run_ids: Sequence[str]) -> int:
    """Return the exit code for the verdicts on runs: the first that is not 0."""
    codes = (exit_status(status(store, run_id).verdict) for run_id in run_ids)
    return next((code for code in codes if code), 0)
