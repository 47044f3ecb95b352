"""The journal's own estimator, told of a recorded run through the journal's own records.

It has no rule of its own: it says a run's events as the recorder would, folds them as the compactor
does, and asks `journal.eta.forecast`.
"""

from typing import Any, Final

from journal import events
from journal.clock import NS, Stamp
from journal.eta import Forecast, forecast
from journal.events import Record
from journal.fold import fold
from journal.history import former_of
from journal.limits import FLUSH_SECONDS, HEARTBEAT_SECONDS
from journal.state import StreamState

_EPOCH: Final = 1_754_400_000  # the second in which every replayed run begins
_HOUR: Final = 3600.0

Event = dict[str, Any]
Said = tuple[float | None, tuple[float, float] | None]


class Journal:
    """The journal's estimator, told of a run through the journal's own records."""

    def __init__(self) -> None:
        self._former: list[dict[str, Any]] = []
        self._begin()

    def _begin(self) -> None:
        self._state = StreamState()
        self.unfolded: list[Record] = []  # said, and not asked about since
        self._stamp = Stamp()
        self._seq = 0
        self._left: dict[str, int] = {}  # files of the sources at work

    def load_history(self, recording: Any, duration: float = _HOUR) -> None:
        """Take what the job's last run took, from its recording on a clock of `duration`."""
        earlier = Journal()
        earlier.start({"name": "", "sources": []})
        last = 0.0
        for t, event in recording.replay("all", duration):
            earlier.observe(event)
            last = t
        earlier._say(last, events.FINISHED, status="completed")
        self._former = former_of([earlier.state])

    def start(self, header: Event) -> None:
        """Begin a run: the journal is opened, the job says what it knows is to come."""
        self._begin()
        self._say(
            0.0,
            events.SEGMENT_OPENED,
            v=1,
            run_id="recorded",
            stream="main",
            segment=0,
            epoch=1,
            writer="recorded",
            host="recorded",
            pid=1,
            clock_offset=0.0,
            flush_seconds=FLUSH_SECONDS,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            prev=None,
        )
        sources = [
            {
                "source": source["name"],
                **_known(source.get("files_total"), source.get("bytes_total")),
            }
            for source in header["sources"]
        ]
        planned = {"sources_total": len(sources), "sources": sources} if sources else {}
        self._say(0.0, events.STARTED, job="recorded", attempt=1, **planned)
        if self._former:
            said = {"run_id": "earlier", "sources": self._former, "by": events.JOURNAL}
            self._say(0.0, events.HISTORY, **said)

    def observe(self, event: Event) -> None:
        """Say what happened; the last file of a source is followed by the source's own end."""
        t, name = event["t"], event["source"]
        if event["ev"] == "source_start":
            known = _known(event["files_total"], event["bytes_total"])
            self._say(t, events.SOURCE_STARTED, source=name, **known)
            self._left[name] = event["files_total"] or 0
            return
        self._seq += 1
        self.unfolded.append(
            {
                "seq": self._seq,
                "ts": self._stamp(int((_EPOCH + t) * NS)),
                "type": events.FILE_DONE,
                "source": name,
                "path": f"{name}/{self._seq:08d}",
                "bytes": event["bytes"] or 0,
                "seconds": event["seconds"],
            }
        )
        self._left[name] -= 1
        if self._left[name] == 0:
            self._say(t, events.SOURCE_DONE, source=name)

    def _say(self, t: float, kind: str, **fields: Any) -> None:
        self._seq += kind not in events.CONTROL
        stamp = self._stamp(int((_EPOCH + t) * NS))
        self.unfolded.append({"seq": self._seq, "ts": stamp, "type": kind, **fields})

    @property
    def state(self) -> StreamState:
        """What the fold has made of all that was said."""
        if self.unfolded:
            self._state = fold(self._state, self.unfolded)
            self.unfolded = []
        return self._state

    def forecast(self, now: float) -> Forecast:
        """Return what the journal says at a moment of the run."""
        return forecast([self.state], _EPOCH + now)

    def estimate(self, now: float) -> Said:
        """Return the seconds left of the run, and their interval."""
        run = self.forecast(now).run
        return (None, None) if run is None else (run.remaining, (run.low, run.high))

    def source_remaining(self, now: float, name: str) -> float | None:
        """Return the seconds left of a source that is at work."""
        for (_, source), estimate in self.forecast(now).sources.items():
            if source == name:
                return estimate.remaining
        return None


def _known(files: int | None, bytes: int | None) -> dict[str, int]:
    """Return the totals that are known, as fields of a record."""
    totals = {"files": files, "bytes": bytes}
    return {key: total for key, total in totals.items() if total is not None}
