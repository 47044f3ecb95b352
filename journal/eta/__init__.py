"""When the work now known will end. Pure: from the states of the streams and an instant alone.

`agenda` lists what is done and what is to come, `cost` fits what files cost, `analogy` guesses what
unseen sources cost, `schedule` lays them side by side, `interval` turns sums and their variances
into an estimate, and `forecast` puts it together.
"""

from journal.eta.estimate import Estimate, Forecast
from journal.eta.forecast import forecast
from journal.eta.score import score_of

__all__ = ["Estimate", "Forecast", "forecast", "score_of"]
