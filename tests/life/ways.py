"""A job that ends in the way its second argument names: `ways.py ROOT HOW [EXIT_SECONDS]`.

With EXIT_SECONDS the wait for the store at the end is that long. When an end begins is told.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import journal
import journal.recorder.run
import journal.recorder.start

tell = partial(print, flush=True)

ROOT, HOW, *HASTE = sys.argv[1:]


def start(run_id="run-1", **options):
    return journal.start_run(run_id, root=ROOT, job="ways", flush_seconds=0.1, **options)


def work():
    """Work until a signal comes."""
    tell("ready")
    # Python notices a signal between two sleeps, not one that comes just before a sleep begins.
    for _ in range(1200):
        time.sleep(0.05)


def a_thread_fails():
    with start():
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()


def a_thread_fails_in_a_block():
    def download(source):
        with source.file("a"):
            raise ValueError("bad input")

    with start() as run:
        thread = threading.Thread(target=download, args=(run.source("images"),))
        thread.start()
        thread.join()


def threads_by_the_dozen():
    with start() as run:

        def speak(number):
            for _ in range(200):
                run.emit("note", by=number)

        threads = [threading.Thread(target=speak, args=(n,)) for n in range(36)]
        [thread.start() for thread in threads]


def a_thread_flushes_for_ever():
    """The interpreter shuts down while a thread waits for the store."""
    run = start()

    def flush():
        while True:
            run.emit("note")
            run.flush()

    threading.Thread(target=flush, daemon=True).start()
    time.sleep(0.3)


def programs_are_run():
    """Programs started by fork and exec have nothing of the run, with a step before exec or not."""
    with start() as run:
        run.phase("data_prep")
        subprocess.run(["true"], check=True)
        subprocess.run(["true"], check=True, preexec_fn=os.setsid)


def exits_by_name():
    start()
    exit(3)  # noqa: PLR1722 - this is the one that is tried


def handler_exits_in_block(code=0):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(code))
    with start():
        work()


def handler_exits():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    start()
    work()


def handler_raises():
    def end(number, frame):
        raise TimeoutError("told to end")

    signal.signal(signal.SIGTERM, end)
    with start():
        work()


def handler_interrupts():
    def end(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    with start():
        work()


def works():
    with start():
        work()


def works_on_several():
    for number in range(3):
        start(f"run-{number}")
    work()


def asyncio_interrupted():
    async def main():
        with start():
            tell("ready")
            for _ in range(1200):
                await asyncio.sleep(0.05)

    asyncio.run(main())


def asyncio_handled():
    """A loop's own handler ends the work in good order."""

    async def main():
        is_over = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, is_over.set)
        with start():
            tell("ready")
            await is_over.wait()

    asyncio.run(main())


def asyncio_task_cancelled():
    """A cancelled task's file is not done, and the run goes on."""

    async def download(source):
        with source.file("a"):
            await asyncio.sleep(60)

    async def main():
        with start() as run, run.source("images") as source:
            task = asyncio.create_task(download(source))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(main())


def executes():
    """The process becomes another program while its run is open, and that one goes on with it."""
    if "RESUMED" in os.environ:
        with start(resume=True) as run:
            run.phase("of the new program")
        return
    run = start()
    run.phase("of the old program")
    run.flush()
    os.environ["RESUMED"] = "1"
    os.execv(sys.executable, [sys.executable, *sys.argv])


def several_runs():
    for number in range(3):
        start(f"run-{number}")
    begin_to_end()


def returns():
    with start():
        begin_to_end()


def raises():
    with start():
        begin_to_end()
        raise ValueError("bad input")


def exits():
    start()
    begin_to_end()
    sys.exit(3)


def worker_of_multiprocessing():
    run = start()

    def speak():
        run.phase("of the child")
        begin_to_end()

    process = multiprocessing.get_context("fork").Process(target=speak)
    process.start()
    process.join()
    os._exit(process.exitcode)


def begin_to_end():
    """Tell when the end begins; the clock is the same in all processes."""
    tell("ending", time.monotonic())


if __name__ == "__main__":
    logging.basicConfig()
    if HASTE:
        journal.recorder.run.EXIT_SECONDS = float(HASTE[0])
        journal.recorder.start.START_SECONDS = 0.5
    globals()[HOW]()
