"""The estimates of a run at an instant, from the states of its streams. Pure."""

from collections.abc import Sequence

from journal.eta.estimate import Forecast
from journal.eta.simple import estimate
from journal.state import StreamState


def forecast(states: Sequence[StreamState], at: float | None = None) -> Forecast:
    """Estimate what is left of a run at an instant, by default that of its newest record.

    The first of the states speaks for the run.
    """
    reached = max((state.last_record or 0.0 for state in states), default=0.0)
    at = reached if at is None else at
    lead = states[0]
    begun = lead.attempt_started
    if lead.finish is not None or not begun:
        return Forecast(at)
    sources = [source for state in states for source in state.sources]
    run = estimate(sources, lead.sources_total, at - begun)
    return Forecast(at, run)
