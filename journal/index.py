"""The index of runs: empty objects whose names sort newest first. Advisory; mended on demand."""

from contextlib import suppress
from itertools import islice
from typing import Final

from journal import layout
from journal.errors import Conflict
from journal.stores.contract import ABSENT, ReadStore, Store

_NEWEST: Final = 50  # names looked at for a job's newest runs: a part of one page of a list


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


def newest(store: ReadStore, job: str) -> list[str]:
    """Return the newest runs of a job that the index names, the newest first, by one list.

    Raises Unavailable or Refused.
    """
    prefix = layout.job_index(job)
    names = (entry.key.removeprefix(prefix) for entry in islice(store.list(prefix), _NEWEST))
    places = (layout.parse_index_name(name) for name in names)
    return list(dict.fromkeys(place[0] for place in places if place is not None))
