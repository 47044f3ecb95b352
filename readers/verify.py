"""Is a run as it was written? Chain, seals and sequence of its streams, its snapshot, its markers.

The snapshot and the markers are read first. Whatever they claim was in the journal before them, so
it is among what is read next, however much is written meanwhile.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Final

import orjson

from journal import carried, layout, log, markers, snapshot
from journal.errors import Missing
from journal.layout import MAIN
from journal.log import Damage
from journal.segments import PRUNED, Cursor, is_pruned
from journal.snapshot import Folded, Snapshot
from journal.stores import Found, ReadStore
from readers.chain import Chain, Report

_CONTRADICTIONS_KEPT: Final = 8  # of one part of the snapshot
_MARKER_CHARS: Final = 1000  # of a line of a marker, whoever wrote it
_MISSING: Final = object()


@dataclass(slots=True)
class Verification:
    """What was checked of a run, what is wrong with it, and what is worth knowing beside it.

    `behind` is by how many records the snapshot lags; None if it was not compared with all streams.
    """

    run_id: str
    streams: list[Report] = field(default_factory=list)
    markers: list[str] = field(default_factory=list)
    behind: int | None = None
    damages: list[Damage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damages

    @property
    def is_pruned(self) -> bool:
        """Whether of a stream nothing but its tombstone is meant to be left."""
        return any(report.pruned for report in self.streams)


def verify(store: ReadStore, run_id: str) -> Verification:
    """Check all of a run that can be checked.

    Of the last segment nothing vouches for the lines before it is sealed, and for the seal's own
    line nothing but the snapshot does. Raises Missing, Unavailable, Refused.
    """
    document = store.get(layout.snapshot_key(run_id))
    marked = _markers(store, run_id)
    stored = snapshot.decode(document.body) if isinstance(document, Found) else None
    known = (stored.streams if stored is not None else None) or {}
    listing = log.listing(store, run_id)
    if not known and not listing.streams:
        raise Missing(f"run {run_id} has no journal under this root; `journal ls` shows the runs")
    done = Verification(run_id, markers=list(marked))
    done.notes += [f"{key}: not the journal's, ignored" for key in listing.foreign]
    chains: dict[str, Chain] = {}
    for name, last in sorted(listing.streams.items()):
        place = known[name].cursor if name in known else None
        chain = chains[name] = _read_chain(store, run_id, name, last, place)
        done.streams.append(chain.report)
        done.damages += chain.damages
    if stored is None:
        done.notes.append(f"{layout.snapshot_key(run_id)}: there is none yet")
    else:
        _check_snapshot(done, stored, chains)
    _check_markers(done, store, marked, chains.get(MAIN), known.get(MAIN))
    return done


def _read_chain(store: ReadStore, run_id: str, name: str, last: int, place: Cursor | None) -> Chain:
    """Read a stream, and once more if it was pruned meanwhile."""
    chain = Chain(store, run_id, name, last, place)
    chain.read()
    # It shows as a tombstone at the end, an end before what was listed, or a hole.
    is_cut = chain.state.sealed == PRUNED or (chain.cursor.segment, chain.cursor.bytes) <= (last, 0)
    is_cut = is_cut or any(damage.kind == "missing" for damage in chain.damages)
    if is_cut and not chain.report.pruned:
        first = store.get(layout.segment_key(run_id, name, 0))
        if isinstance(first, Found) and is_pruned(first.body):
            chain = Chain(store, run_id, name, last, place)
            chain.read()
    return chain


def _markers(store: ReadStore, run_id: str) -> dict[str, bytes]:
    """Return the end markers of a run that there are."""
    found = {}
    for name in (layout.ERROR_MARKER, layout.COMPLETE_MARKER):
        answer = store.get(layout.marker_key(run_id, name))
        if isinstance(answer, Found):
            found[name] = answer.body
    return found


def _check_snapshot(done: Verification, stored: Snapshot, chains: dict[str, Chain]) -> None:
    """Hold the stored document against the fold of what its cursor covers, and no more."""
    key = layout.snapshot_key(done.run_id)
    if stored.streams is None:
        if stored.document and "journal" not in stored.document:
            done.notes.append(f"{key}: {stored.complaint}, not compared")
        else:
            done.damages.append(Damage(key, "snapshot", str(stored.complaint)))
        return
    if stored.outdated:
        done.notes.append(f"{key}: folded by another version's rules, not compared")
        return
    said = stored.document.get("run_id")
    if said != done.run_id:
        what = f"it is the snapshot of run {said}"
        done.damages.append(Damage(key, "snapshot", what, expected=done.run_id, found=said))
        return
    parts = stored.document["journal"]["streams"]
    run: dict[str, Folded] = {}
    behind, is_whole = 0, True
    for name, folded in stored.streams.items():
        run[name] = folded
        chain = chains.get(name)
        if chain is None:
            what = f"it has read stream {name}, of which there is no segment"
            done.damages.append(Damage(key, "snapshot", what))
        elif chain.report.pruned:
            is_whole = False  # the snapshot's state is all that is left of it
        else:
            run[name] = chain.then or folded
            damages = list(_contradictions(key, name, folded.cursor, parts[name]["state"], chain))
            if damages and any(bad.first <= folded.cursor.segment for bad in chain.report.spoilt):
                done.notes.append(
                    f"{key}: stream {name} is damaged before its cursor, not compared"
                )
                run[name], is_whole = folded, False
            else:
                done.damages += damages
                behind += chain.cursor.seq - folded.cursor.seq
    if not any(damage.kind == "snapshot" for damage in done.damages):
        # Otherwise it would be the same again, in the document's words.
        damages = _contradictions_of_document(key, done.run_id, run, stored)
        done.damages += damages
        done.behind = behind if is_whole and not damages else None


def _contradictions(
    key: str, name: str, place: Cursor, stored: object, chain: Chain
) -> Iterator[Damage]:
    """Yield how a stream's stored state differs from the fold up to its cursor."""
    end, then = chain.cursor, chain.then
    if (place.segment, place.bytes) > (end.segment, end.bytes):
        what = (
            f"it has read stream {name} up to segment {place.segment}, byte {place.bytes}, "
            f"where the journal ends at segment {end.segment}, byte {end.bytes}"
        )
        yield Damage(key, "snapshot", what, expected=asdict(end), found=asdict(place))
    elif then is None:
        what = f"its cursor for stream {name} is not behind a line"
        yield Damage(key, "snapshot", what, found=asdict(place))
    elif then.cursor.seq != place.seq:
        what = f"its cursor for stream {name} has seq {place.seq} where {then.cursor.seq} is next"
        yield Damage(key, "snapshot", what, expected=then.cursor.seq, found=place.seq)
    else:
        folded = orjson.loads(orjson.dumps(then.state))
        # A state may lack what a later version of this program keeps in it.
        found = [one for one in _differences("", folded, stored) if one[2] is not _MISSING]
        for path, expected, said in found[:_CONTRADICTIONS_KEPT]:
            what = f"{path} of its state of stream {name} is not what the journal folds to"
            yield Damage(key, "snapshot", what, expected=expected, found=said)


def _contradictions_of_document(
    key: str, run_id: str, run: dict[str, Folded], stored: Snapshot
) -> list[Damage]:
    """Return how the document differs from what its streams give."""
    try:
        # What another program wrote since the last record may have been newer.
        since = carried.updated(stored.document) or 0.0
        rendered = snapshot.render(run_id, run, stored.document, since=since)
        document = orjson.loads(snapshot.encode(rendered))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as wrong:
        # Of what was not compared, the stored state was taken as it is, whoever wrote it.
        return [Damage(key, "snapshot", f"its journal part is damaged ({wrong!r})")]
    del document["journal"]
    return [
        Damage(
            key,
            "snapshot",
            f"its field {path} is not what the journal gives",
            expected=expected,
            found=None if said is _MISSING else said,
        )
        for path, expected, said in islice(
            _differences("", document, stored.document), _CONTRADICTIONS_KEPT
        )
    ]


def _differences(path: str, expected: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the places at which two JSON values differ; what only `found` has is passed over."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            below = f"{path}.{name}" if path else name
            yield from _differences(below, value, found.get(name, _MISSING))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(f"{path}[{number}]", one, other)
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield path, expected, found


def _check_markers(
    done: Verification,
    store: ReadStore,
    marked: dict[str, bytes],
    chain: Chain | None,
    known: Folded | None,
) -> None:
    """Hold the end markers against main's `finished`."""
    if chain is None or (chain.report.pruned and known is None):
        return
    main = known.state if known is not None and chain.report.pruned else chain.state
    if chain.report.spoilt:
        keys = (layout.marker_key(done.run_id, name) for name in marked)
        done.notes += [f"{key}: main is damaged, not compared" for key in keys]
        return
    wanted = markers.wanted(main)
    due = [line[:_MARKER_CHARS] for line in markers.body(main).decode().splitlines()[:2]]
    ended = due[0] if main.finish else "not at its end"
    for name, body in marked.items():
        said = [line[:_MARKER_CHARS] for line in body.decode(errors="replace").splitlines()[:2]]
        is_ours = any(line.startswith("attempt: ") for line in said)
        # Who works on where main handed over may be another program, with its own markers.
        is_elsewhere = main.finish is None and main.sealed == "close"
        if (said == due or not is_ours) if name == wanted else (is_elsewhere and not is_ours):
            continue
        key = layout.marker_key(done.run_id, name)
        again = store.get(key)  # an attempt that has begun meanwhile removes it
        if isinstance(again, Found) and again.body == body:
            what = f"it says `{'; '.join(said)}`, and main is: {ended}, attempt {main.attempt}"
            done.damages.append(
                Damage(key, "marker", what, expected=due if name == wanted else None, found=said)
            )
    if wanted is not None and not chain.report.pruned and wanted not in marked:
        key = layout.marker_key(done.run_id, wanted)
        if not isinstance(store.get(key), Found):
            done.notes.append(f"{key}: it is missing; `journal compact {done.run_id}` puts it")
