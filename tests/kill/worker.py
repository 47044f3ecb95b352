"""A job that says a note now and then: `worker.py ROOT NAME [resume]`.

It works until it has said twenty notes, or is fenced; then it goes on for a while and finishes.
Prints `durable N` or `fenced SECONDS` for each flush, and `done`. At each fifth note it rests.
"""

import sys
import time
from functools import partial

import journal

tell = partial(print, flush=True)

ROOT, NAME = sys.argv[1:3]
RESTS = (5,)


def flushed(number):
    began = time.monotonic()
    if run.flush():
        tell(f"durable {number}")
        return True
    tell(f"fenced {time.monotonic() - began:.1f}")
    return False


run = journal.start_run(
    "run-1", root=ROOT, job="worker", resume="resume" in sys.argv, flush_seconds=100
)
number, is_ours = 0, True
while is_ours and (NAME == "first" or number < 20):
    run.emit("note", by=NAME, number=number)
    is_ours = flushed(number)
    number += 1
    if number in RESTS:
        tell("resting")
        time.sleep(1)
    time.sleep(0.02)
for late in range(10):
    run.emit("note", by=NAME, number=number + late)
assert flushed("late") is is_ours
run.finish()
tell("done")
