"""The sources of a stream: which one a record means, which begins, which is summed up. Pure."""

from typing import Final

from journal import foreign
from journal.events import Record
from journal.limits import PHASES_KEPT, SOURCES_KEPT, STATE_TEXT_CHARS
from journal.state import Sources, SourceState, StreamState
from journal.work import Work

# Where sub-phases are summed up when there are too many: what counts apart is kept apart.
_FAMILIES: Final = ("", "downloading", "downloading_policy")


class Roster:
    """Finds the latest source of a name without searching the state's list for every file.

    The list is in the order of starting, so this can be made again from it at any time.
    """

    def __init__(self, state: StreamState) -> None:
        self._state = state
        self._by_name = {source.source: source for source in state.sources}

    def latest(self, record: Record) -> SourceState | None:
        """Return the source that a record means, None if it names none that has begun."""
        name = record.get("source")
        return self._by_name.get(name[:STATE_TEXT_CHARS]) if type(name) is str else None

    def begin(self, record: Record, at: float) -> None:
        """Take in that a source begins, or that the same attempt goes on with it."""
        state = self._state
        name = foreign.text(record.get("source")) or ""
        said = foreign.text(record.get("sub_phase"))
        current = state.phase.sub_phase if state.phase else ""
        sub_phase = current if said is None else said
        known = self._known(name, sub_phase)
        if known is not None:
            state.sources.remove(known)
        if known is not None and known.attempt == state.attempt:
            _raise_totals(known, record)
            known.ended = None
            known.failed = False
            known.spoke = at
            source = known
        else:
            source = _begun(name, sub_phase, state.attempt, at, record)
            if known is not None:
                source.work = known.work  # what its files cost then, they cost now
                source.work.last = at
        state.sources.append(source)
        self._by_name[name] = source
        if len(state.sources) > SOURCES_KEPT:
            self._sum_up_one()

    def _known(self, name: str, sub_phase: str) -> SourceState | None:
        for known in self._state.sources:
            if known.source == name and known.sub_phase == sub_phase:
                return known
        return None

    def _sum_up_one(self) -> None:
        """Sum up the oldest finished source, or the oldest of all if none is finished."""
        state = self._state
        ended = (source for source in state.sources if source.ended is not None)
        oldest = next(ended, state.sources[0])
        state.sources.remove(oldest)
        self._forget(oldest)
        _sum_up(state.others, oldest.sub_phase, oldest.summed)
        if len(state.others) > PHASES_KEPT:
            merged = next(sub_phase for sub_phase in state.others if sub_phase not in _FAMILIES)
            family = _FAMILIES[1] if merged.startswith(_FAMILIES[1]) else _FAMILIES[0]
            _sum_up(state.others, family, state.others.pop(merged))

    def _forget(self, source: SourceState) -> None:
        if self._by_name.get(source.source) is source:
            del self._by_name[source.source]
            for other in self._state.sources:
                if other.source == source.source:
                    self._by_name[source.source] = other


def _begun(name: str, sub_phase: str, attempt: int, at: float, record: Record) -> SourceState:
    done = record.get("done")
    found = done if isinstance(done, dict) else {}
    return SourceState(
        source=name,
        sub_phase=sub_phase,
        attempt=attempt,
        started=at,
        spoke=at,
        files_total=foreign.count(record.get("files")),
        bytes_total=foreign.count(record.get("bytes")),
        found_files=foreign.count(found.get("files")) or 0,
        found_bytes=foreign.count(found.get("bytes")) or 0,
        work=Work(last=at),
    )


def _raise_totals(known: SourceState, record: Record) -> None:
    files = foreign.count(record.get("files")) or known.files_total
    size = foreign.count(record.get("bytes")) or known.bytes_total
    for before, now in ((known.files_total, files), (known.bytes_total, size)):
        known.has_grown = known.has_grown or (before is not None and now != before)
    known.files_total = files
    known.bytes_total = size


def _sum_up(others: dict[str, Sources], sub_phase: str, more: Sources) -> None:
    known = others.setdefault(sub_phase, Sources())
    known.sources += more.sources
    known.completed += more.completed
    known.files = foreign.total(known.files, more.files)
    known.bytes = foreign.total(known.bytes, more.bytes)
