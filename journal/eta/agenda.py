"""What a run has still to do, and what it has done: one item for each source known. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from journal.limits import SOURCES_KEPT
from journal.sources import counted, sources_of
from journal.state import Former, SourceState, StreamState
from journal.work import Work

Key = tuple[str, str]  # (sub-phase, source)


@dataclass(slots=True)
class Item:
    """A source, what is left of it, and what it cost so far and last time.

    `files` and `bytes` are left to do, None if nobody knows; `files_total` and `bytes_total` are
    all that this run has of it. `begun` is None for one that nobody has begun yet.
    """

    sub_phase: str
    source: str
    files_total: int | None = None
    bytes_total: int | None = None
    files: float | None = None
    bytes: float | None = None
    begun: float | None = None
    is_done: bool = False
    unfinished: float = 0.0  # bytes done of files that are not
    work: Work = field(default_factory=Work)
    former: Former | None = None


def agenda(states: Sequence[StreamState]) -> list[Item]:
    """Return the sources of a run, those that have begun first and in the order of beginning.

    The first of the states speaks for the run. What is to come was said ahead, is left over from an
    earlier attempt, was counted (`sources_total`), or was there the last time.
    """
    lead = states[0]
    sources = sources_of(states, lead)
    present = [_seen(source, lead) for source in sources]
    items = {(item.sub_phase, item.source): item for item in present}
    first = _first_phase(lead, present)
    planned = {first if plan.sub_phase is None else plan.sub_phase for plan in lead.planned}
    for plan in (plan for state in states for plan in state.planned):
        key = first if plan.sub_phase is None else plan.sub_phase, plan.source
        known = items.get(key)
        if known is None:
            items[key] = _coming(key, plan.files, plan.bytes)
        elif known.begun is not None and not known.is_done:
            _fill(known, plan.files, plan.bytes)
    total = counted(lead, states)
    _add_counted(items, lead, first, total)
    over = _over(present, lead)
    for state in states:
        for former in state.former:
            key = former.sub_phase, former.source
            if key in items:
                items[key].former = former
            elif former.sub_phase not in planned | over and not total:
                items[key] = _coming(key, None, None)
                items[key].former = former
    _share_totals(items)
    return list(items.values())


def _seen(source: SourceState, lead: StreamState) -> Item:
    done_files = source.found_files + source.files + source.skipped
    item = Item(
        source.sub_phase,
        source.source,
        source.files_total,
        source.bytes_total,
        begun=source.started,
        is_done=source.ended is not None,
        unfinished=float(source.bytes - source.file_bytes),
        work=source.work if source.work.is_sound else Work(last=source.spoke),
    )
    if item.is_done:
        return item
    if source.files_total is not None:
        item.files = _left(source.files_total, done_files)
    if source.bytes_total is not None:
        skipped = source.skipped * source.bytes_total / max(source.files_total or 1, 1)
        done_bytes = source.found_bytes + source.file_bytes + skipped
        item.bytes = _left(source.bytes_total, done_bytes)
    if source.files_total and done_files == source.files_total:
        item.is_done = True  # it has but to say so
    elif source.attempt < lead.attempt:
        item.begun = None  # its end is left to this attempt
    return item


def _left(total: float, done: float) -> float:
    """Return what is left; of what has outgrown its total, as much again as it has outgrown it."""
    return abs(total - done)


def _coming(key: Key, files: int | None, size: int | None) -> Item:
    return Item(
        *key,
        files_total=files,
        bytes_total=size,
        files=None if files is None else float(files),
        bytes=None if size is None else float(size),
    )


def _fill(item: Item, files: int | None, size: int | None) -> None:
    """Take totals that were said ahead for a source that began without."""
    if item.files is None and files is not None:
        item.files_total = files
        item.files = _left(files, item.work.files)
    if item.bytes is None and size is not None:
        item.bytes_total = size
        item.bytes = _left(size, item.work.bytes)


def _first_phase(lead: StreamState, present: Iterable[Item]) -> str:
    """Return the sub-phase that a plan without one is of."""
    first = next((item.sub_phase for item in present), None)
    return first if first is not None else lead.phase.sub_phase if lead.phase else ""


def _add_counted(items: dict[Key, Item], lead: StreamState, first: str, total: int) -> None:
    """Add sources of which nothing is known but how many there are."""
    known = sum(sub_phase == first for sub_phase, _ in items)
    missing = min(total - known, SOURCES_KEPT)
    if any(sub_phase != first and item.begun for (sub_phase, _), item in items.items()):
        missing = 0  # the first sub-phase is over: they were counted for something else
    names = [
        f.source for f in lead.former if f.sub_phase == first and (first, f.source) not in items
    ]
    for number in range(missing):
        name = names[number] if number < len(names) else f"\0{number}"
        items[first, name] = _coming((first, name), None, None)


def _over(present: Sequence[Item], lead: StreamState) -> set[str]:
    """Return the sub-phases that the run has left behind."""
    now = {item.sub_phase for item in present if item.begun is not None and not item.is_done}
    if lead.phase is not None:
        now.add(lead.phase.sub_phase)
    elif present:
        now.add(present[-1].sub_phase)
    seen = {item.sub_phase for item in present} | {phase.sub_phase for phase in lead.phases}
    return seen - now


def _share_totals(items: dict[Key, Item]) -> None:
    """Give a source without totals those that one of its name has in another sub-phase."""
    totals: dict[str, Item] = {}
    for item in items.values():
        if item.files_total or item.work.files:
            totals.setdefault(item.source, item)
    for item in items.values():
        like = totals.get(item.source)
        if item.begun is None and item.files is None and item.bytes is None and like is not None:
            files = like.files_total or like.work.files
            size = like.bytes_total or like.work.bytes or None
            item.files_total, item.files = files, float(files)
            item.bytes_total = None if size is None else int(size)
            item.bytes = size
