"""A job that is stopped and goes on: `stopped.py ROOT`. It tells how long a call took at most."""

import logging
import sys
import time
from functools import partial

import journal

tell = partial(print, flush=True)

logging.basicConfig()
run = journal.start_run("run-1", root=sys.argv[1], job="stopped", flush_seconds=0.1)
number = 0
while number == 0 or run.flush(60):
    run.emit("note", number=number)
    tell("acknowledged", number - 1)
    number += 1
    time.sleep(0.05)
slowest = 0.0
for _ in range(1000):
    began = time.monotonic()
    run.emit("note", number=-1)
    slowest = max(slowest, time.monotonic() - began)
run.finish()
tell("slowest", slowest)
