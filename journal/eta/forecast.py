"""The estimates of a run at an instant, from the states of its streams. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from journal.eta.estimate import Estimate, Forecast
from journal.limits import COUNT_MAX, WAIT_MAX_SECONDS
from journal.state import StreamState

if TYPE_CHECKING:
    from journal.eta.agenda import Item
    from journal.eta.course import Plan

_INSTANT: Final = 1e-6  # seconds: no time at all has passed is no denominator


def forecast(states: Sequence[StreamState], at: float | None = None) -> Forecast:
    """Estimate what is left of a run at an instant, by default that of its newest record.

    The first of the states speaks for the run. There is no estimate of what there is no ground for:
    before anything was done, unless the last time is known, and while nobody knows how much there
    is to do.
    """
    reached = max((state.last_record or 0.0 for state in states), default=0.0)
    at = reached if at is None else at
    if not states or states[0].finish is not None or states[0].attempt_started is None:
        return Forecast(at)
    if not any(map(_has_sources, states)):
        return Forecast(at)
    # Here and not above: a run without sources, a short command's, need not wait for it.
    from journal.eta.agenda import agenda  # noqa: PLC0415
    from journal.eta.course import Course  # noqa: PLC0415
    from journal.eta.interval import Outlook, interval  # noqa: PLC0415

    rest, working = _wait(states, at)
    course = Course(agenda(states), working)
    whole = course.whole()
    elapsed = max(working - states[0].attempt_started - states[0].waited, _INSTANT)
    run = _told(whole, elapsed, rest)
    told = Forecast(at, run)
    for sub_phase in course.phases:
        # Where only one is left, it is the whole.
        is_whole = run is not None and len(course.phases) == 1
        estimate = run if is_whole else _told(course.plan([sub_phase]), elapsed, rest)
        if estimate is not None:
            told.phases[sub_phase] = estimate
    for cost in course.at_work:
        passed = max(working - (cost.item.begun or working), _INSTANT)
        low, middle, high = interval(Outlook(cost.left, cost.variance), passed)
        said = Estimate(middle + rest, low + rest, high + rest, _basis([cost.item]), "fit")
        told.sources[cost.item.sub_phase, cost.item.source] = said
    return told


def _has_sources(state: StreamState) -> bool:
    """Tell whether anything is known of what there is to do, or was."""
    known = (state.sources, state.others, state.planned, state.former, state.sources_total)
    return any(known)


def _wait(states: Sequence[StreamState], at: float) -> tuple[float, float]:
    """Return what is left of a declared wait, and until when there was work."""
    waits = [state.wait for state in states if state.wait is not None]
    busy = [s for s in states if s.wait is None and any(x.ended is None for x in s.sources)]
    if not waits or busy:
        return 0.0, at
    since = min(wait.since for wait in waits)
    if at <= since:
        return 0.0, at
    until = max(wait.until for wait in waits)
    if until - since >= WAIT_MAX_SECONDS and len(waits) == 1:
        # Nobody said how long; the hour is when it will be doubted, not when it ends.
        until = min(until, at) if abs(until - since - WAIT_MAX_SECONDS) < 1e-3 else until
    return max(until - at, 0.0), min(at, since) + max(at - until, 0.0)


def _told(plan: "Plan | None", elapsed: float, rest: float) -> Estimate | None:
    if plan is None or not plan.items:
        return None
    from journal.eta.interval import interval  # noqa: PLC0415 - with the rest

    low, middle, high = (
        min(seconds + rest, COUNT_MAX) for seconds in interval(plan.outlook, elapsed)
    )
    method = "analogy" if plan.has_coming else "fit"
    return Estimate(middle, low, high, _basis(plan.items), method)


def _basis(items: Sequence["Item"]) -> str:
    if any(item.former is not None for item in items):
        return "history"
    if all(item.bytes is not None for item in items):
        return "bytes"
    return "files" if all(item.files is not None for item in items) else "sources"
