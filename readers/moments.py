"""The order in which the events of several streams are merged. Pure."""

from journal.events import CONTROL
from readers.event import Event


class Moments:
    """Orders events by time; each stream's own order is kept by a stable merge.

    A control line goes with the record before it. Its own time is that of a claim or a flush, after
    an outage hours later than the records behind it, which must not wait for that.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], str] = {}

    def __call__(self, event: Event) -> str:
        """Return the key of an event; called once for each, in the order of its stream."""
        place = event[:2]
        if event.record["type"] in CONTROL:
            return self._latest.get(place, "")
        moment: str = event.record["ts"]
        self._latest[place] = moment
        return moment
