"""`journal status RUN --as-legacy`: what the deployed monitor would say at this moment, and why."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
import orjson

from journal import layout
from journal.cli.document import print_document
from journal.clock import stamp_seconds
from journal.errors import Missing
from journal.stores import ReadStore
from journal.words import duration
from readers import legacy
from readers.text import printable
from readers.viewer import View, view

_DETAIL_CHARS = 500  # of a marker's text, whoever wrote it


def show(store: ReadStore, run_id: str, *, stale_minutes: float, output: str) -> int:
    """Print the opinion, the alert that would be sent, and what the console viewer shows.

    The monitor judges by its own clock; here it is the store's. Raises Missing, Unavailable,
    Refused.
    """
    objects = legacy.look(store, run_id)
    if objects == legacy.Objects() and not any(store.list(layout.run_prefix(run_id))):
        raise Missing(f"no run {run_id} under this root; `journal ls` shows those there are")
    now = store.get(layout.snapshot_key(run_id)).store_time
    said = legacy.opinion(objects, now, stale_minutes * 60)
    alert = legacy.alert(objects, now, said)
    metadata = objects.metadata.body if objects.metadata else None
    progress = objects.progress.body if objects.progress else None
    seen = view((metadata, None), progress, now)
    if output == "json":
        shown: dict[str, Any] = {
            "run_id": run_id,
            "at": stamp_seconds(now),
            "stale_minutes": stale_minutes,
            **asdict(said),
            "alert": alert and asdict(alert),
            "viewer": asdict(seen),
        }
        print_document(_writable(shown))
    else:
        for line in _lines(run_id, said, alert, seen, stale_minutes):
            click.echo(printable(line))
    return 0


def _lines(
    run_id: str, said: legacy.Opinion, alert: legacy.Alert | None, seen: View, stale_minutes: float
) -> Iterator[str]:
    yield f"{run_id}  {said.state}  by the old monitor's rules"
    yield f"  {said.why}"
    if said.state in ("RUNNING", "TIMED_OUT"):
        yield f"  stale is what is older than {duration(stale_minutes * 60)}"
    yield ""
    if said.detail:
        yield f"detail    {_cut(said.detail)}"
    if alert is not None:
        minutes = "?" if alert.minutes is None else alert.minutes
        yield (
            f"alert     {alert.state}, instance {alert.instance_id}, phase {alert.phase}, "
            f"{minutes} minutes since the start"
        )
        if alert.last_line is not None:
            yield f"          {_cut(alert.last_line)}"
    told = ", ".join(f"{name} {_cut(str(value))}" for name, value in seen.shown.items())
    yield f"viewer    {told or 'shows nothing'}"
    for complaint in [*seen.warnings, *seen.stumbles]:
        yield f"          {_cut(complaint)}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DETAIL_CHARS else f"{line[:_DETAIL_CHARS]}…"


def _writable(value: Any) -> Any:
    """Replace what no JSON can hold: halves of a surrogate pair, endless numbers, deep values."""
    try:
        orjson.dumps(value)
    except TypeError:
        if isinstance(value, dict):
            return {_plain(key): _writable(item) for key, item in value.items()}
        return [_writable(item) for item in value] if isinstance(value, list) else _plain(value)
    return value


def _plain(value: object) -> str:
    return str(value)[:_DETAIL_CHARS].encode(errors="backslashreplace").decode()
