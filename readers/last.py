"""The last events of a run, read from the ends of its streams."""

from collections.abc import Callable, Iterator

from journal import log
from journal.layout import MAIN
from journal.sections import CLOSED
from journal.snapshot import Folded
from journal.stores import ReadStore
from readers import ends
from readers.event import Event
from readers.streams import Streams


def last_of(
    store: ReadStore, run: Streams, count: int, wanted: Callable[[Event], bool]
) -> list[list[Event]]:
    """Return at least the last `count` wanted events of each stream, and stand behind them.

    Raises Missing, Unavailable, Refused, Corrupt.
    """
    known = run.look()
    names = {**known, **dict.fromkeys(run.names())}
    segments = log.listing(store, run.run_id).streams if names.keys() - known.keys() else {}
    if MAIN in known:
        run.know(known[MAIN])
    found = []
    for name in names:
        folded = known.get(name)
        place = _place_of(folded) if folded is not None else (segments.get(name, 0), 0)
        end = ends.end_of(
            store,
            run.run_id,
            name,
            place,
            count=count,
            wanted=lambda record, name=name: wanted(  # type: ignore[misc]
                Event(run.run_id, name, record, b"")
            ),
        )
        found.append([*_events(run, name, end, folded)])
    run.check_exists()
    return found


def _place_of(folded: Folded) -> tuple[int, int]:
    """Return the last segment that is known to exist, and how many bytes of it."""
    at = folded.cursor
    if at.bytes == 0 and at.segment > 0:
        return at.segment - 1, folded.state.sealed_bytes
    return at.segment, at.bytes


def _events(run: Streams, name: str, end: ends.End, folded: Folded | None) -> Iterator[Event]:
    run.complain_of(end.damages)
    run.add_behind(name, end.start, end.batches, end.cursor)
    if folded is not None:
        run.close(name, folded)
    for batch in end.batches:
        run.note(batch)
        for record, line in zip(batch.records, batch.lines, strict=True):
            yield Event(run.run_id, name, record, line)
    if end.cursor.bytes == 0 and not (folded is not None and folded.state.sealed in CLOSED):
        # The segment was sealed: another may have been opened behind it.
        for reader in run.due(closed=True):
            if reader.stream == name:
                for stretch in run.stretches(reader, None):
                    yield from stretch
