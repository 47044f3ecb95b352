"""A job that says notes until it is killed, or a limit is reached and it finishes.

`writer.py ROOT GENERATION [LIMIT]`; generation 0 starts the run, later ones resume it. Prints how
many of its notes are durable after each flush that says so.
"""

import random
import sys
from functools import partial

import journal

tell = partial(print, flush=True)

ROOT, GENERATION = sys.argv[1:3]
LIMIT = int(sys.argv[3]) if len(sys.argv) > 3 else None

chance = random.Random(GENERATION)
said = 0
run = journal.start_run(
    "run-1", root=ROOT, job="writer", resume=GENERATION != "0", flush_seconds=0.05
)
while LIMIT is None or said < LIMIT:
    for _ in range(chance.randint(1, 40)):
        run.emit("note", by=GENERATION, number=said, text="x" * chance.randint(0, 400))
        said += 1
    if run.flush():
        tell(said)
run.finish()
