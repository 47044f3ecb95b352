"""One of several that start the same run at once: `contender.py ROOT GO`, GO a file to wait for."""

import os
import sys
import time
from functools import partial
from pathlib import Path

import journal
import journal.recorder.start

tell = partial(print, flush=True)

ROOT, GO = sys.argv[1:]
tell("ready")
while not Path(GO).exists():
    time.sleep(0.001)
try:
    with journal.start_run("run-1", root=ROOT, job="contender"):
        tell(f"runs {os.getpid()}")
except journal.Held as held:
    tell(f"held by {held.pid} on {held.host}")
