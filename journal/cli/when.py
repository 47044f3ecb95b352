"""Times that people give: how long ago, a time of today, or an instant."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import click

from journal import clock
from journal.clock import local, parse_stamp, stamp_seconds

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGO: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_OF_TODAY: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")


def seconds_of(text: str) -> float:
    """Return the seconds of a length of time like `90s`, `10m`, `1h30m`. Raises ValueError."""
    if _AGO.fullmatch(text) is None:
        raise ValueError(f"{text!a} is no length of time; give one like 90s, 10m, 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def instant(text: str, now: float) -> float:
    """Return the instant, in seconds since the epoch, that a text means at `now`.

    `10m` and `1h30m` are before now, `HH:MM` the last time that the clock showed it, and an ISO
    8601 time without an offset is local. Raises ValueError.
    """
    text = text.strip()
    if text == "now":
        return now
    if _AGO.fullmatch(text):
        return now - seconds_of(text)
    at = _OF_TODAY.fullmatch(text)
    here = local(now)
    try:
        if at is not None:
            hour, minute, second = (int(part or 0) for part in at.groups())
            that = here.replace(hour=hour, minute=minute, second=second, microsecond=0)
            return (that if that.timestamp() <= now else that - timedelta(days=1)).timestamp()
        that = datetime.fromisoformat(text)
        return that.timestamp()  # without an offset it is taken as local
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text!a} is no time; give 10m, 1h30m, HH:MM or one like 2026-08-05T19:26:30Z"
        ) from None


def span(options: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return the instants that a command's `since` and `until` mean now, None for what is open."""
    here = clock.now()
    since, until = (
        None if options[name] is None else instant(options[name], here)
        for name in ("since", "until")
    )
    return since, until


def time_form(*, utc: bool, to: str = "seconds") -> Callable[[Any], str]:
    """Return what shows a `ts` or a document's time: local with its offset, or UTC with a `Z`.

    What is no time is shown as it is.
    """

    def form(text: Any) -> str:
        try:
            at = parse_stamp(text)
            return stamp_seconds(at) if utc else local(at).isoformat(" ", to)
        except (ValueError, TypeError, OverflowError):
            return str(text)

    return form


utc_option = click.option("--utc", is_flag=True, help="Times in UTC, not in your time zone.")
