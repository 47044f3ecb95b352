"""The history of a run for Python: every event that there is, typed, streams merged by time.

for event in replay.events("mistral-20250805-142652", "s3://bucket/training-runs"):
    print(event.record["type"])
"""

from collections.abc import Iterator

from journal.clock import parse_stamp, stamp
from readers.event import Event
from readers.runs import located
from readers.selection import Selection
from readers.tail import Tail


def events(
    run: str,
    root: str | None = None,
    *,
    types: str | None = None,
    since: str | float | None = None,
    until: str | float | None = None,
) -> Iterator[Event]:
    """Yield the events of a run, or those of some types in a span of time.

    `run` is what RUN is on the command line: an id, the beginning of one, `latest`, a URL. `types`
    are like `file_done,error` or `!heartbeat`; without them all are yielded. `since` and `until`
    are ISO 8601 times or seconds since the epoch; `until` is not included. Raises Missing,
    Unavailable, Refused, Corrupt, ValueError.
    """
    store, run_id = located(run, root)
    first, end = _instant(since), _instant(until)
    wanted = Selection(types, level=None if types else "debug", since=first, until=end).wanted()
    tail = Tail(store, run_id)
    batches = tail.batches() if first is None else tail.since(stamp(first))
    return (event for batch in batches for event in batch if wanted(event))


def _instant(at: str | float | None) -> float | None:
    return parse_stamp(at) if isinstance(at, str) else at
