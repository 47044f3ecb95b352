"""When the work now known will end. Pure: from the states of the streams and an instant alone."""

from journal.eta.estimate import Estimate, Forecast
from journal.eta.forecast import forecast
from journal.eta.simple import estimate

__all__ = ["Estimate", "Forecast", "estimate", "forecast"]
