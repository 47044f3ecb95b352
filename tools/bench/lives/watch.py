"""Readers of a life: they poll, fold what is new, and ask for the verdict.

This is the only place that calls the product's fold, its vitals and its verdict.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor
from random import Random
from typing import Any, Final

from journal import health, sections, snapshot
from journal.clock import stamp_seconds
from journal.events import Record
from journal.fold import fold
from journal.health import Verdict
from journal.segments import START
from journal.snapshot import Folded
from journal.state import StreamState
from tools.bench.lives.life import Life

POLL_SECONDS: Final = 60.0
_JITTER_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one poll saw at a true time. `fresh` are the arrivals since the last one."""

    at: float
    verdict: Verdict
    document: Mapping[str, Any]
    states: Mapping[str, StreamState]
    is_blind: bool


def document_of(states: Mapping[str, StreamState]) -> dict[str, Any]:
    """Return what of the snapshot the verdict reads: rendering all of it takes far longer."""
    lead = snapshot.lead_of({name: Folded(START, state) for name, state in states.items()})
    ordered = [state for _, state in sorted(states.items())]
    finish = lead.finish
    status = "running" if lead.started is not None else "initializing"
    if finish is not None:
        status = "completed" if finish.status == "completed" else "failed"
    return {
        "status": status,
        "finished": finish and {"status": finish.status, "message": finish.message},
        "last_update": _last_update(ordered),
        "vitals": {
            **sections.vitals_of(lead, ordered),
            "quiet_streams": sections.quiet_of(lead, sorted(states.items())),
        },
    }


def whole_document_of(states: Mapping[str, StreamState]) -> dict[str, Any]:
    """Return the document as it is installed."""
    run = {name: Folded(START, state) for name, state in states.items()}
    return snapshot.render("bench", run, {})


def _last_update(states: list[StreamState]) -> str:
    return stamp_seconds(max(s.opened if s.alive is None else s.alive for s in states))


class Store:
    """What lies in the store, as time goes by."""

    def __init__(self, life: Life) -> None:
        self._streams: dict[str, list[tuple[float, list[Record]]]] = {}
        installs: list[tuple[float, str | None]] = []
        for voice in life.voices:
            self._streams.setdefault(voice.stream, []).extend(voice.arrivals)
            installs += [(at, None if whole else voice.stream) for at, whole in voice.compactions]
        self._installs = sorted(installs, key=lambda install: install[0])
        self._next_install = 0
        self._taken = dict.fromkeys(self._streams, 0)
        self._installed = dict.fromkeys(self._streams, 0.0)
        self._reads_log = life.reads_log

    def fresh(self, at: float) -> Iterator[tuple[str, float, list[Record]]]:
        """Yield what a reader can see at a time and did not see before."""
        installs = self._installs
        while self._next_install < len(installs) and installs[self._next_install][0] <= at:
            when, only = installs[self._next_install]
            self._next_install += 1
            for stream in self._installed if only is None else (only,):
                self._installed[stream] = when
        for stream, arrivals in self._streams.items():
            upto = at if self._reads_log else self._installed[stream]
            place = self._taken[stream]
            while place < len(arrivals) and arrivals[place][0] <= upto:
                yield stream, *arrivals[place]
                place += 1
            self._taken[stream] = place


def polls(life: Life) -> Iterator[float]:
    """Yield when the reader polls: it came at some time and stays."""
    chance = Random(~life.seed)
    at = life.begin + chance.uniform(0, POLL_SECONDS)
    while at < life.end:
        yield at
        at += POLL_SECONDS + chance.uniform(-_JITTER_SECONDS, _JITTER_SECONDS)


class Reader:
    """Folds a life as it goes and judges it; tells each batch of records to who listens."""

    def __init__(self, life: Life) -> None:
        self.states: dict[str, StreamState] = {}
        self.arrived: list[tuple[float, list[Record]]] = []  # what the last poll brought
        self._life = life
        self._store = Store(life)
        self._document: dict[str, Any] | None = None
        self._blind_since: float | None = None
        self._answered_since: float | None = None

    def looks(self) -> Iterator[Look]:
        """Yield what each poll saw, from the first that saw anything."""
        for at in polls(self._life):
            # A reply's `Date` has whole seconds.
            store_time = float(floor(at))
            if self._life.is_blind(at):
                self.arrived = []
                self._blind_since = self._blind_since or store_time
                yield self._blind(at, store_time)
                continue
            if self._blind_since is not None:
                self._answered_since, self._blind_since = store_time, None
            self._take(at)
            if self._document is None:
                continue
            verdict = health.verdict(
                self._document, store_time, answered_since=self._answered_since
            )
            yield Look(at, verdict, self._document, self.states, is_blind=False)

    def _take(self, at: float) -> None:
        self.arrived = []
        for stream, when, records in self._store.fresh(at):
            self.states[stream] = fold(self.states.get(stream, StreamState()), records)
            self.arrived.append((when, records))
        if self.arrived:
            self._document = document_of(self.states)

    def _blind(self, at: float, store_time: float) -> Look:
        since = self._blind_since if self._blind_since is not None else store_time
        verdict = health.unreachable(self._document, since, store_time)
        return Look(at, verdict, self._document or {}, self.states, is_blind=True)
