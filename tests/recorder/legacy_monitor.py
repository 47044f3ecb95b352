"""The old monitor, as FORMAT.md and its operators describe it; it shares no code with the journal.

`verdict` is its decision about a run. It knows a bucket as a mapping of keys to
(body, last modified) and its own clock.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

STALE = timedelta(minutes=10)

Objects = Mapping[str, tuple[bytes, datetime]]


def verdict(objects: Objects, run_id: str, now: datetime) -> tuple[str, str]:
    """Return the state and the detail that goes into an alert."""
    if f"{run_id}/_error" in objects:
        return "FAILED", "Error: " + objects[f"{run_id}/_error"][0].decode()
    if f"{run_id}/_complete" in objects:
        return "SUCCEEDED", objects[f"{run_id}/_complete"][0].decode()
    names = [f"{run_id}/metadata.json", f"{run_id}/progress.json"]
    beats = [_beat(*objects[name]) for name in names if name in objects]
    if not beats:
        return "TIMED_OUT", "No heartbeat files found"
    if all(now - beat > STALE for beat in beats):
        return "TIMED_OUT", "Both heartbeats stale"
    return "RUNNING", ""


def _beat(body: bytes, modified: datetime) -> datetime:
    try:
        document = json.loads(body)
        fields = ("last_update", "last_updated", "timestamp")
        text = next(document[field] for field in fields if field in document)
        return _python39_fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, TypeError, AttributeError, StopIteration):
        return modified


def _python39_fromisoformat(text: str) -> datetime:
    """Parse as Python 3.9 does: no fraction, or one of exactly 3 or 6 digits."""
    fraction = text[19:].partition("+")[0].partition("-")[0]
    if fraction and (fraction[0] != "." or len(fraction) - 1 not in (3, 6)):
        raise ValueError(text)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
