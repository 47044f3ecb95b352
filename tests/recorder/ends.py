"""A job that ends in the way its second argument names: `ends.py ROOT HOW`."""

import logging
import os
import signal
import sys
import threading
import time
from functools import partial

import journal

tell = partial(print, flush=True)

ROOT, HOW = sys.argv[1:]


def start(run_id="run-1"):
    return journal.start_run(run_id, root=ROOT, job="ends", flush_seconds=0.1)


def work():
    """Work until a signal comes."""
    tell("ready")
    # Python notices a signal between two sleeps, not one that comes just before a sleep begins.
    for _ in range(1200):
        time.sleep(0.05)


def normal():
    with start():
        pass


def exception():
    with start():
        raise ValueError("bad input")


def interrupted():
    with start():
        work()


def interrupted_without_block():
    start()
    work()


def handled_with(code):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(code))
    with start():
        work()


def handled_by_shell_convention():
    handled_with(143)


def handled_as_failure():
    handled_with(1)


def handled_without_block():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    start()
    work()


def ignored():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with start():
        os.kill(os.getpid(), signal.SIGTERM)


def exit_zero():
    with start():
        sys.exit(0)


def exit_three():
    with start():
        sys.exit(3)


def exit_words():
    with start():
        sys.exit("no input given")


def exit_zero_without_block():
    start()
    sys.exit(0)


def exit_three_without_block():
    start()
    sys.exit(3)


def uncaught():
    start()
    raise ValueError("bad input")


def uncaught_by_own_hook():
    start()
    sys.excepthook = lambda *_: tell("reported")
    raise ValueError("bad input")


def forgotten():
    start()


def finished_twice():
    run = start()
    run.finish("failed", "the first word")
    run.finish("completed")


def nested():
    with start() as run:
        with run:
            pass
        run.phase("too late")


def handed_over():
    with start() as run:
        run.hand_over()


def two_runs():
    start("run-2")
    with start():
        sys.exit(3)


def in_a_thread():
    thread = threading.Thread(target=normal)
    thread.start()
    thread.join()


def forked():
    run = start()
    if os.fork() == 0:
        run.phase("from the child")
        sys.exit(0)
    os.wait()
    run.finish("completed", "by the parent")


def ended_twice_by_signals():
    with start():
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        work()


logging.basicConfig()
globals()[HOW]()
