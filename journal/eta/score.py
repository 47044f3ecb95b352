"""Predictions kept while a run goes on, so that they can be held against what came true. Pure.

One is made whenever the run is a twelfth older than at the last. Which of them will have been
made at a tenth, a quarter, half of the run is known at its end only; so all of the last eleven
twelfths are kept, which are some thirty, however long the run is.
"""

from typing import Any, Final

from journal.clock import stamp_seconds
from journal.eta.forecast import forecast
from journal.limits import PREDICTIONS_KEPT, TIME_MAX
from journal.state import Prediction, StreamState

FRACTIONS: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_STEP: Final = 13 / 12
_KEPT_SHARE: Final = 1 / 12  # of the time so far: older ones cannot be at a tenth of the whole
_SOON_SECONDS: Final = 1.0  # after its start a run has its first prediction


def predict(state: StreamState, at: float) -> None:
    """Keep what is said at this instant, and set when it is to be said again."""
    begun = state.attempt_started
    if begun is None or state.finish is not None:
        state.predict_at = TIME_MAX
        return
    elapsed = max(at - begun, _SOON_SECONDS)
    state.predict_at = begun + elapsed * _STEP
    run = forecast([state], at).run
    if run is None:
        return
    oldest = begun + elapsed * _KEPT_SHARE
    kept = [one for one in state.predictions if one.at >= oldest]
    kept.append(Prediction(at, *(_bounded(at + s) for s in (run.remaining, run.low, run.high))))
    state.predictions = kept[-PREDICTIONS_KEPT:]


def _bounded(instant: float) -> float:
    return min(instant, TIME_MAX)


def select(state: StreamState, at: float) -> None:
    """Keep those predictions that the score is of: the run ends at this instant."""
    begun = state.attempt_started
    if begun is None:
        return
    chosen: list[Prediction] = []
    for fraction in FRACTIONS:
        said = [one for one in state.predictions if one.at <= begun + fraction * (at - begun)]
        if said and said[-1] not in chosen:
            chosen.append(said[-1])
    state.predictions = chosen


def score_of(state: StreamState) -> list[dict[str, Any]]:
    """Return the predictions of a finished run beside what came true."""
    if state.finish is None or state.attempt_started is None:
        return []
    end, begun = state.finish.at, state.attempt_started
    return [
        {
            "fraction": round((one.at - begun) / max(end - begun, 1e-9), 3),
            "at": stamp_seconds(one.at),
            "predicted": stamp_seconds(one.end),
            "low": stamp_seconds(one.low),
            "high": stamp_seconds(one.high),
            "real": stamp_seconds(end),
        }
        for one in state.predictions
    ]
