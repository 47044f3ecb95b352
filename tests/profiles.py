"""Hypothesis profiles: how long the property tests look, chosen by HYPOTHESIS_PROFILE.

dev      seconds; what a plain `pytest` runs
ci       the gate: no chance in it, the same examples every time
nightly  long, and printing the blob that reproduces what it finds
"""

import os

from hypothesis import HealthCheck, settings

# A shared machine may be slow for a while: that is no finding.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("dev", max_examples=25, stateful_step_count=30, **_PATIENT)
settings.register_profile(
    "ci", max_examples=60, stateful_step_count=40, derandomize=True, database=None, **_PATIENT
)
settings.register_profile(
    "nightly", max_examples=3000, stateful_step_count=80, print_blob=True, **_PATIENT
)


def load() -> None:
    """Load the profile that the environment names, `dev` if it names none."""
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
