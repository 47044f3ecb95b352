"""Whatever happens to requests on their way, nothing that was acknowledged is lost or doubled.

The id of a run is its seed. `pytest tests/wire -m long -s` prints how much of what was survived.
"""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random

import pytest
from wire.faults import Fault, Storm
from wire.trial import Outcome, trial

KINDS = {
    "RESETS": (Fault.RESET_BEFORE, Fault.RESET_AFTER),
    "CUTS": (Fault.UPLOAD_CUT, Fault.ANSWER_CUT, Fault.HEAD_CUT),
    "ERRORS": (Fault.ERROR, Fault.SLOW_DOWN, Fault.SLOW_DOWN_AFTER, Fault.TOO_MANY, Fault.STRAY),
    "UNSURE": (Fault.BUSY, Fault.BUSY_AFTER, Fault.LATE, Fault.DOUBLED),
    "SLOW": (Fault.LATENCY, Fault.TRICKLE, Fault.BLACK_HOLE),
}
RUNS_AT_ONCE = 12
MANY_RUNS = 120
DEAREST = 0.1  # the rate of what takes a whole time-out


def few_storms():
    """A storm of each kind, and one of all."""
    rates = dict.fromkeys(KINDS, 0.25) | {"SLOW": DEAREST}
    storms = {f"trial-{name}-0": (faults, rates[name]) for name, faults in KINDS.items()}
    return storms | {"trial-ALL-0": (Fault, 0.15)}


def single_storms():
    """A storm of each fault alone."""
    rates = dict.fromkeys(Fault, 0.3) | {Fault.BLACK_HOLE: DEAREST}
    return {f"trial-{fault.name}-0": ((fault,), rate) for fault, rate in rates.items()}


def many_storms():
    """Storms of a few faults or of all, weak ones and strong ones."""
    storms = {}
    for number in range(MANY_RUNS):
        chance = Random(number)
        faults = list(Fault) if chance.random() < 0.5 else chance.sample(list(Fault), 3)
        rate = DEAREST if Fault.BLACK_HOLE in faults else chance.choice((0.05, 0.2, 0.4))
        storms[f"trial-MANY-{number}"] = faults, rate
    return storms


def work(job, flushes=6):
    """Say a few hundred events, and now and then wait for them."""
    chance = Random(job.run.run_id)
    for _ in range(flushes):
        job.say(chance.randint(1, 100))
        job.flush(looks=chance.random() < 0.3)  # at each it would cost more than the rest


@dataclass
class Campaign:
    """What came of many runs, and what they met."""

    outcomes: list[Outcome]
    faults: Counter[Fault]


@pytest.fixture(
    scope="module",
    params=[
        few_storms,
        pytest.param(single_storms, marks=pytest.mark.long),
        pytest.param(many_storms, marks=pytest.mark.long),
    ],
)
def campaign(request, wire):
    """Runs in storms, many at once."""
    storms = {
        run_id: Storm(run_id, faults, rate=rate)
        for run_id, (faults, rate) in request.param().items()
    }
    wire.fates.fates.update(storms)
    with ThreadPoolExecutor(RUNS_AT_ONCE) as pool:
        outcomes = list(pool.map(partial(trial, wire.root, wire.past, work=work), storms))
    return Campaign(outcomes, sum((storm.counts for storm in storms.values()), Counter()))


def test_no_promise_is_broken(campaign):
    """Durable, once, in order, sound, unfenced, never waiting; seen once, folded right."""
    assert {one.run_id: one.breaches for one in campaign.outcomes if one.breaches} == {}


def test_every_kind_of_fault_happens(campaign):
    told = ", ".join(f"{fault.value}: {count}" for fault, count in campaign.faults.items())
    events = sum(one.acknowledged for one in campaign.outcomes)
    sys.stdout.write(f"\n{len(campaign.outcomes)} runs, {events} events acknowledged, {told}\n")

    assert {fault for fault in Fault if not campaign.faults[fault]} == set()
