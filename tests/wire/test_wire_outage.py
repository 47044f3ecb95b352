"""A store that is away for a while: connections cut, requests unanswered, nobody there at all."""

import time

import pytest
from wire.trial import trial

pytestmark = pytest.mark.parametrize(
    "wire", ["weed", pytest.param("moto", marks=pytest.mark.long)], indirect=True
)


def outages(job, proxy, seconds, events):
    """Work through an outage of each kind, one after the other."""
    for mode in ("shut", "silent", "deaf"):
        job.say(50)
        job.flush()
        proxy.mode = mode
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            job.say(events // 10)
            time.sleep(seconds / 10)
        proxy.mode = "open"
        job.flush()


@pytest.mark.parametrize(
    ("number", "seconds", "events"),
    [(0, 1.0, 100), pytest.param(1, 40.0, 20_000, marks=pytest.mark.long)],
)
def test_an_outage_loses_and_doubles_nothing(wire, number, seconds, events):
    """What was said while the store was away is there once it is back, and a tail rode it out."""
    outcome = trial(
        wire.root,
        wire.past,
        f"trial-OUTAGE-{number}",
        lambda job: outages(job, wire.proxy, seconds, events),
    )

    assert outcome.breaches == []
