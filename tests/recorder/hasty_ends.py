"""`ends.py` with waits for the store of a second or less: `hasty_ends.py ROOT HOW`."""

import runpy
from pathlib import Path

import journal.recorder.run
import journal.recorder.start

journal.recorder.run.EXIT_SECONDS = 1.0
journal.recorder.start.START_SECONDS = 0.5
runpy.run_path(str(Path(__file__).with_name("ends.py")), run_name="__main__")
