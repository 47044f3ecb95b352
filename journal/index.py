"""The index of runs: empty objects whose names sort newest first. Advisory; mended on demand."""

from contextlib import suppress

from journal import layout
from journal.errors import Conflict
from journal.stores.contract import ABSENT, Store


def enter(store: Store, run_id: str, job: str | None, start_time: float) -> None:
    """Enter a run that started at `start_time` (epoch seconds), unless it is there already.

    Raises Unavailable or Refused.
    """
    name = layout.index_name(run_id, start_time)
    prefixes = [layout.RUN_INDEX]
    if job is not None and layout.is_name(job):
        prefixes.append(layout.job_index(job))
    for prefix in prefixes:
        with suppress(Conflict):
            store.put(prefix + name, b"", expect=ABSENT)
