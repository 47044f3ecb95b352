"""A job that goes on saying files through an outage of its store, until it is killed.

`outage_job.py ROOT ATTEMPT [resume]`. Prints `up` when `start_run` is back, then after each hundred
files and a moment, how many it has said; those it must not lose.
"""

import logging
import sys
import time
from functools import partial

import journal
from journal.recorder import sender, start

tell = partial(print, flush=True)

ROOT, ATTEMPT, *MODE = sys.argv[1:]

logging.basicConfig(level=logging.ERROR)
start.START_SECONDS = 0.5
sender.FLUSH_PAUSE_SECONDS = 0.05
run = journal.start_run("run-1", root=ROOT, job="prep", resume="resume" in MODE, flush_seconds=0.1)
tell("up")
said = 0
source = run.source(f"source-{ATTEMPT}")
while True:
    for _ in range(100):
        source.file_done(f"{ATTEMPT}:{said}", bytes=1, seconds=0.1)
        said += 1
    time.sleep(0.3)  # "a moment"
    tell(said)
