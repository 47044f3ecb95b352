"""How long a process may promise to be silent at most."""

from journal.limits import PROMISE_MAX_SECONDS, PROMISE_SLACK_SECONDS


def check_promise(heartbeat_seconds: float, flush_seconds: float) -> None:
    """Raise ValueError for what are no seconds, or more than the old monitor bears with."""
    for name, value in (("heartbeat_seconds", heartbeat_seconds), ("flush_seconds", flush_seconds)):
        if not isinstance(value, int | float) or not 0 < value < PROMISE_MAX_SECONDS:
            raise ValueError(f"{name} must be a number above 0, not {value!r}")
    promised = heartbeat_seconds + flush_seconds + PROMISE_SLACK_SECONDS
    if promised > PROMISE_MAX_SECONDS:
        raise ValueError(
            f"heartbeat_seconds + flush_seconds + {PROMISE_SLACK_SECONDS:.0f} is {promised:g}; the "
            f"old monitor allows no silence longer than {PROMISE_MAX_SECONDS:.0f} s"
        )
