"""The old monitor's end markers, `_error` and `_complete`, put after an acknowledged end.

Their first line is the reason, then attempt and writer. They lie outside the fence, so somebody
who is slow may put one when the next attempt is at work already. So whoever has put one looks again
(`journal.upkeep.mark_end`), and the next attempt removes what a killed one could not take back.
"""

from journal import layout
from journal.errors import Conflict, Unavailable
from journal.state import StreamState
from journal.stores.contract import ABSENT, Absent, Found, Store

_TRIES = 3


def wanted(main: StreamState) -> str | None:
    """Return the marker that a run in this state has to have, None if none."""
    if main.finish is None:
        return None
    return {
        "completed": layout.COMPLETE_MARKER,
        "failed": layout.ERROR_MARKER,
        "aborted": layout.ERROR_MARKER,
    }.get(main.finish.status)


def body(main: StreamState) -> bytes:
    """Return the marker's text for a run that has ended."""
    finish = main.finish
    words = [finish.status, *([finish.message] if finish.message else [])] if finish else []
    reason = ": ".join(" ".join(word.split()) for word in words)
    return f"{reason}\nattempt: {main.attempt}\nwriter: {main.writer}\n".encode()


def install(store: Store, run_id: str, main: StreamState) -> None:
    """Put the marker that the run's end asks for, if it is not there yet.

    Raises Unavailable or Refused.
    """
    name = wanted(main)
    if name is None:
        return
    key, text = layout.marker_key(run_id, name), body(main)
    for _ in range(_TRIES):
        found = store.get(key)
        if isinstance(found, Found) and found.body == text:
            return
        try:
            store.put(key, text, expect=found.version if isinstance(found, Found) else ABSENT)
        except Conflict:
            continue
        return
    raise Unavailable(f"{key} is being replaced by others too fast")


def take_back(store: Store, run_id: str, main: StreamState) -> None:
    """Remove the marker that was put for this end, unless another one is there by now."""
    name = wanted(main)
    if name is not None:
        key = layout.marker_key(run_id, name)
        found = store.get(key)
        if isinstance(found, Found) and found.body == body(main):
            store.delete(key)


def remove(store: Store, run_id: str) -> list[str]:
    """Remove the markers that earlier attempts left, whoever wrote them; return their names."""
    removed = []
    for name in (layout.ERROR_MARKER, layout.COMPLETE_MARKER):
        key = layout.marker_key(run_id, name)
        if not isinstance(store.get(key), Absent):
            store.delete(key)
            removed.append(name)
    return removed
