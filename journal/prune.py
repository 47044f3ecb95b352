"""Removing the events of runs that are over. FORMAT.md, "Pruning", has the order and its reasons.

Every step is a conditional put or a delete that may be done twice, so a prune may stop anywhere,
and several may be at work: the next one goes on from what lies there. No thread, no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from journal import events, layout, segments
from journal.clock import stamp
from journal.compactor import Compactor, Reading, read_run
from journal.errors import Conflict, Missing, Unavailable
from journal.layout import MAIN
from journal.limits import PRUNE_MIN_SECONDS, UNMOVED_CONFLICTS
from journal.stores.contract import ABSENT, Entry, Expectation, Found, ReadStore, Store
from journal.stream import unreliable
from journal.words import duration

# No chain comes that far: deleting it asks whether these credentials may, and nothing else.
_NO_SEGMENT: Final = 9_999_999_999


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a prune removes of a run: `segments` whose events go, and their `bytes`.

    `why_kept` is the reason if it leaves the run alone. Of a run that was begun with before,
    `is_begun`, only what is left counts. `age_seconds` is the time since the last write, by the
    store's clock.
    """

    run_id: str
    why_kept: str | None
    is_begun: bool
    age_seconds: float
    segments: int
    bytes: int


def look(store: ReadStore, run_id: str, older_than_seconds: float) -> Prospect:
    """Tell what `prune` would do, changing nothing.

    Raises Missing, Unavailable, Refused, Corrupt (a later format), ValueError (an age below
    PRUNE_MIN_SECONDS).
    """
    return _survey(store, run_id, older_than_seconds).prospect


def prune(store: Store, run_id: str, older_than_seconds: float) -> Prospect:
    """Remove the events of a finished run, or go on with it; return what was removed.

    Its document, its markers and the tombstones stay. Raises as `look` does, and Conflict if
    another hand than a prune's changed what was to be replaced.
    """
    survey = _survey(store, run_id, older_than_seconds)
    prospect = survey.prospect
    if prospect.why_kept is not None or not prospect.segments:
        return prospect
    # Without the right to delete, better nothing is begun.
    store.delete(layout.segment_key(run_id, MAIN, _NO_SEGMENT))
    for chain in survey.chains:
        if not _fence(store, chain, survey.store_time):
            return replace(prospect, why_kept=f"stream {chain.stream} was just written to")
    # Now nothing is added any more, and the document can be made to hold what will be all there is.
    Compactor(store, run_id).compact(everything=True)
    for chain in survey.chains:
        _bury(store, chain.key(0), survey.store_time)
    for chain in survey.chains:
        for segment in chain.between:
            store.delete(chain.key(segment))
    return prospect


@dataclass(slots=True)
class _Chain:
    """A stream as a listing shows it; `last` is the end of the chain, where its tombstone is."""

    run_id: str
    stream: str
    is_fenced: bool
    last: int = 0
    slots: dict[int, Entry] = field(default_factory=dict)

    def key(self, segment: int) -> str:
        return layout.segment_key(self.run_id, self.stream, segment)

    @property
    def between(self) -> list[int]:
        """The segments that are deleted, in their order."""
        return [segment for segment in sorted(self.slots) if 0 < segment < self.last]

    @property
    def modified(self) -> float:
        return max(entry.modified for entry in self.slots.values())


@dataclass(frozen=True, slots=True)
class _Survey:
    """A run as it lies there, main's chain first, at a time not later than its listing."""

    prospect: Prospect
    chains: list[_Chain]
    store_time: float


def _survey(store: ReadStore, run_id: str, older_than_seconds: float) -> _Survey:
    if older_than_seconds < PRUNE_MIN_SECONDS:
        raise ValueError(
            f"an age of {duration(older_than_seconds)} is too young to prune: "
            f"{duration(PRUNE_MIN_SECONDS)} after the last write at the earliest"
        )
    # The run is read first: what is written after that, the listing shows to be too young.
    reading = read_run(store, run_id, everything=True)
    chains = _chains(store, run_id, reading)
    if not chains:
        raise Missing(f"run {run_id} has no journal under this root")
    age = reading.store_time - max(chain.modified for chain in chains)
    why_kept = _why_kept(reading, chains, age, older_than_seconds)
    is_begun = chains[0].stream == MAIN and chains[0].is_fenced
    left = [entry.size for chain in chains for entry in _left(store, chain)]
    prospect = Prospect(run_id, why_kept, is_begun, age, len(left), sum(left))
    return _Survey(prospect, chains, reading.store_time)


def _chains(store: ReadStore, run_id: str, reading: Reading) -> list[_Chain]:
    chains: dict[str, _Chain] = {}
    for entry in store.list(layout.streams_prefix(run_id)):
        place = layout.parse_segment_key(entry.key)
        if place is None or place[0] != run_id:
            continue  # not the journal's, and none of our business
        _, name, segment = place
        if name not in chains:
            folded = reading.run.get(name)
            is_fenced = folded is not None and folded.state.sealed == segments.PRUNED
            chains[name] = _Chain(run_id, name, is_fenced or name in reading.pruned)
        chains[name].slots[segment] = entry
        chains[name].last = max(chains[name].last, segment)
    return sorted(chains.values(), key=lambda chain: (chain.stream != MAIN, chain.stream))


def _why_kept(
    reading: Reading, chains: list[_Chain], age: float, older_than_seconds: float
) -> str | None:
    """Return why a run is left alone, None if nothing speaks for it.

    `finished` in main ends the run: a stream beside it that was never closed was abandoned, and as
    long ago as all others. Its writer, should it live, is fenced as by a claim.
    """
    if chains[0].stream != MAIN:
        return "it has no main stream"
    if chains[0].is_fenced:
        # It is decided. Only what somebody has begun beside it since has to age, too.
        for chain in chains:
            young = reading.store_time - chain.modified
            if not chain.is_fenced and young < PRUNE_MIN_SECONDS:
                return f"half pruned; stream {chain.stream} was written to {duration(young)} ago"
        return None
    if reading.damages:
        return f"its journal is damaged: {reading.damages[0]}"
    if MAIN not in reading.run or reading.run[MAIN].state.finish is None:
        return "it has not finished"
    if age < older_than_seconds:
        return f"it was written to {duration(age)} ago"
    return None


def _left(store: ReadStore, chain: _Chain) -> Iterator[Entry]:
    """Yield what still holds events."""
    for segment, entry in chain.slots.items():
        if not chain.is_fenced or 0 < segment < chain.last:
            yield entry
        else:
            answer = store.get(chain.key(segment))
            if isinstance(answer, Found) and not _is_tombstone(answer.body):
                yield entry


def _is_tombstone(body: bytes) -> bool:
    return segments.is_pruned(body) and body.count(b"\n") == 2


def _fence(store: Store, chain: _Chain, store_time: float) -> bool:
    """Take the end of a chain for good, as a claim would; False if somebody else has written.

    Until it is taken, whoever claims the stream gets it, and nothing has been lost.
    """
    key, entry = chain.key(chain.last), chain.slots[chain.last]
    answer = store.get(key)
    if not isinstance(answer, Found):
        return False
    if _is_tombstone(answer.body):
        return True
    tail = segments.tail_of(answer.body, key)
    if tail.sealed != segments.PRUNED and answer.version != entry.version:
        return False
    if tail.sealed is None:
        body = answer.body + _seal(answer.body, tail.epoch, tail.seq, store_time)
        return _replace(store, key, body, answer.version) and _fence(store, chain, store_time)
    # Whoever sealed it, or saw that it is sealed, could open the next slot; so that has to be ours.
    # It repeats the opening before, for no process speaks here, and its time is no sign of life.
    digest = sha256(answer.body).hexdigest()
    opened = {
        **tail.opened,
        "seq": tail.seq,
        "segment": chain.last + 1,
        "epoch": tail.epoch,
        "prev": {"segment": chain.last, "bytes": answer.size, "sha256": digest},
    }
    chain.last += 1
    body = events.encode(opened)
    body += _seal(body, tail.epoch, tail.seq, store_time)
    return _replace(store, chain.key(chain.last), body, ABSENT)


def _bury(store: Store, key: str, store_time: float) -> None:
    """Leave a tombstone of a segment: its opening and the seal."""
    answer = store.get(key)
    if not isinstance(answer, Found) or _is_tombstone(answer.body):
        return
    tail = segments.tail_of(answer.body, key)
    body = answer.body[: answer.body.index(b"\n") + 1]
    body += _seal(body, tail.epoch, tail.opened["seq"], store_time)
    if not _replace(store, key, body, answer.version):
        raise Conflict(f"{key} was changed while its run was pruned; look who writes there")


def _seal(body: bytes, epoch: int, seq: int, store_time: float) -> bytes:
    digest, ts = sha256(body).hexdigest(), stamp(store_time)
    return segments.sealed_line(len(body), digest, reason="pruned", epoch=epoch, seq=seq, ts=ts)


def _replace(store: Store, key: str, body: bytes, expect: Expectation) -> bool:
    """Put what ends with a prune's seal; False if there is something else now.

    Raises Unavailable: the next prune finds out what became of it.
    """
    for _ in range(UNMOVED_CONFLICTS):
        try:
            store.put(key, body, expect=expect)
        except Conflict:
            answer = store.get(key)
            if isinstance(answer, Found):
                if answer.version != expect:
                    return segments.is_pruned(answer.body)  # another prune's will do
            elif expect is not ABSENT:
                return False
        else:
            return True
    if expect is ABSENT:
        raise Unavailable(f"{key} was refused as existing, and is absent")
    raise unreliable(key)
