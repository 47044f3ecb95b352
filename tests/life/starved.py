"""A job whose calls hold the interpreter's lock: `starved.py ROOT HOW SECONDS`."""

import ctypes
import faulthandler
import logging
import os
import sys
import time
from functools import partial

import journal

tell = partial(print, flush=True)

ROOT, HOW, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])

BEAT_SECONDS = 2.0


def start():
    return journal.start_run(
        "run-1", root=ROOT, job="starved", flush_seconds=0.1, heartbeat_seconds=BEAT_SECONDS
    )


def hold_the_lock():
    """Sleep in C without giving the interpreter's lock away, as a careless extension does."""
    ctypes.PyDLL(None).usleep(int(SECONDS * 1e6))


def held():
    with start() as run:
        run.phase("before")
        run.flush()
        tell("holding")
        hold_the_lock()
        run.phase("after")


def timer_of_the_job():
    """The job has set the timer of `faulthandler` for itself, before the run begins."""
    with open(os.environ["TIMER"], "w") as mine:  # noqa: PTH123
        faulthandler.dump_traceback_later(SECONDS, file=mine)
        with start() as run:
            time.sleep(0.5)
            hold_the_lock()  # it walks the threads' frames, which is safe only while none runs
            run.phase("after")


def timer_taken():
    """The job sets the timer while the journal's own runs."""
    with open(os.environ["TIMER"], "w") as mine, start() as run:  # noqa: PTH123
        time.sleep(0.5)
        faulthandler.dump_traceback_later(SECONDS, file=mine)
        time.sleep(SECONDS + 1)
        hold_the_lock()
        run.phase("after")


def forks():
    """A forked child ends normally while the journal's timer is wound up."""
    with start():
        time.sleep(0.5)
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        tell("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        time.sleep(0.5)  # until the timer is wound up again
        hold_the_lock()


logging.basicConfig()
globals()[HOW]()
