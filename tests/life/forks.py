"""A job that forks in the way its second argument names: `forks.py ROOT HOW`."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import journal
import journal.recorder.run
import journal.recorder.start

tell = partial(print, flush=True)

ROOT, HOW = sys.argv[1:]
FILES = 40


def start(run_id="run-1", **options):
    return journal.start_run(run_id, root=ROOT, job="forks", flush_seconds=0.1, **options)


def fork(work):
    """Fork; return the child's process id. The child does its work and falls off its end."""
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit(0)
    return pid


def reap(*pids):
    for pid in pids:
        tell("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def say_files(source, name, count=3):
    for number in range(count):
        source.file_done(f"{name}-{number}", bytes=10)


def started_source(run, files=None):
    run.phase("data_prep", "downloading")
    return run.source("images", files=files)


def silent():
    """A child that says nothing, and has nothing to wait for."""

    def look():
        tell("threads", threading.active_count())

    with start():
        reap(fork(look))


def speaks():
    with start() as run, started_source(run, files=6) as source:
        say_files(source, "parent")
        reap(fork(lambda: say_files(source, "child")))


def leaves_blocks():
    """A child that leaves the blocks its parent is in."""
    with start() as run, started_source(run) as source, source.file("whole", size=7):
        pid = os.fork()
        if pid == 0:
            source.file_done("part", bytes=10)
            sys.exit(0)
        reap(pid)


def leaves_blocks_silently():
    with start() as run, started_source(run) as source, source.file("whole", size=7):
        reap(fork(lambda: None))


def fails_in_blocks():
    """A child that an exception drives out of the blocks its parent is in."""
    with start() as run, started_source(run) as source, source.file("whole", size=7):
        pid = os.fork()
        if pid == 0:
            raise ValueError("bad input")
        reap(pid)


def opens_a_file():
    """A child with a block of its own, long enough for its bytes to be told."""
    with start() as run, started_source(run) as source:

        def download():
            with source.file("big", size=100) as file:
                file.advance(100)
                assert run.flush()

        reap(fork(download))


def has_grandchildren():
    with start() as run, started_source(run) as source:

        def work():
            say_files(source, "child")
            reap(fork(lambda: say_files(source, "grandchild")))

        reap(fork(work))


def has_grandchildren_alone():
    """Grandchildren of a child that never said a word."""
    with start() as run, started_source(run) as source:
        reap(fork(lambda: reap(fork(lambda: say_files(source, "grandchild")))))


def finishes():
    """A child whose `finish` ends its own stream only."""
    with start() as run:

        def work():
            run.phase("of the child")
            run.finish("failed", "the child's")

        reap(fork(work))
        run.phase("of the parent")


def after_the_end():
    """A child of a run that has ended says nothing."""
    run = start()
    run.finish()
    reap(fork(lambda: (run.phase("too late"), tell("flush", run.flush()), run.finish())))


def starts_anew():
    with start():

        def work():
            with start("run-2") as own:
                own.phase("of the child")

        reap(fork(work))


def by_a_thread():
    with start() as run, started_source(run) as source:
        thread = threading.Thread(target=lambda: reap(fork(lambda: say_files(source, "child"))))
        thread.start()
        thread.join()


def in_the_thick_of_it():
    """Forks while four threads never pause; each child has something to say."""
    is_over = threading.Event()
    with start() as run, started_source(run) as source:

        def chatter():
            while not is_over.wait(0.0001):
                run.emit("note", text="from the parent")

        threads = [threading.Thread(target=chatter) for _ in range(4)]
        [thread.start() for thread in threads]
        for number in range(FORKS):
            reap(fork(partial(say_files, source, number, 1)))
        is_over.set()
        [thread.join() for thread in threads]


FORKS = int(os.environ.get("FORKS", "4"))


def killed():
    """A child that ends without a chance to say so."""
    with start() as run, started_source(run) as source:
        pid = os.fork()
        if pid == 0:
            say_files(source, "child")
            run.flush()
            os._exit(0)
        reap(pid)


def terminated():
    """A child that is ended by SIGTERM, beside one that has said nothing."""
    with start() as run:
        pids = [fork(partial(wait_for_the_end, run, name)) for name in ("", "speaks")]
        time.sleep(0.5)
        [os.kill(pid, signal.SIGTERM) for pid in pids]
        reap(*pids)


def wait_for_the_end(run, name):
    if name:
        run.phase(name)
        run.flush()
    for _ in range(1200):
        time.sleep(0.05)  # a signal that comes just before a sleep is noticed behind it


def daemon_started_before():
    """A run that is started, then its process goes into the background and is all there is."""
    run = start()
    source = started_source(run)
    run.flush()
    for _ in range(2):
        if os.fork() > 0:
            os._exit(0)
        os.setsid()
    say_files(source, "daemon")
    sys.exit(0)


def daemon_started_after():
    for _ in range(2):
        if os.fork() > 0:
            os._exit(0)
        os.setsid()
    with start() as run:
        say_files(started_source(run), "daemon")


def in_processes(method, target, *arguments):
    """Two processes of multiprocessing, which name the run they belong to."""
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=target, args=(*arguments, n)) for n in range(2)]
    [process.start() for process in processes]
    [process.join() for process in processes]
    tell("children", *[process.exitcode for process in processes])


def multiprocessing_fork():
    with start() as run, started_source(run) as source:
        in_processes("fork", partial(say_files, source))


def multiprocessing_fails():
    with start() as run:
        in_processes("fork", partial(say_and_fail, run))


def say_and_fail(run, number):
    run.phase(f"phase-{number}")
    raise ValueError("bad input")


def join_and_say(number):
    with start() as run:
        run.emit("note", number=number)


def join_and_forget(number):
    start().emit("note", number=number)


def multiprocessing_spawn():
    with start():
        os.environ["JOURNAL_RUN_ID"] = "run-1"
        in_processes("spawn", join_and_say)


def multiprocessing_forkserver():
    with start():
        os.environ["JOURNAL_RUN_ID"] = "run-1"
        in_processes("forkserver", join_and_forget)


def process_pool():
    global SOURCE  # noqa: PLW0603 - how a task of a forked pool finds what it inherited
    with start() as run:
        SOURCE = started_source(run, files=FILES)
        context = multiprocessing.get_context("fork")
        with SOURCE, ProcessPoolExecutor(4, mp_context=context) as pool:
            tell("done", sum(pool.map(one_file, range(FILES))))


SOURCE = None


def one_file(number):
    with SOURCE.file(f"{number}.jpg", size=10):
        time.sleep(0.01)
    return 1


def loader():
    """Eight workers with a queue of indices each, ended in the way of a data loader."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    with start() as run, started_source(run, files=FILES) as source:
        indices = [context.Queue() for _ in range(8)]
        workers = [
            context.Process(target=load, args=(source, queue, results), daemon=True)
            for queue in indices
        ]
        [worker.start() for worker in workers]
        [indices[number % 8].put(number) for number in range(FILES)]
        tell("done", len([results.get(timeout=50) for _ in range(FILES)]))
        [queue.put(None) for queue in indices[:4]]
        [worker.join(20) for worker in workers[:4]]
        [worker.terminate() for worker in workers[4:]]
        [worker.join(20) for worker in workers]
        tell("children", *sorted(worker.exitcode for worker in workers))


def load(source, indices, results):
    while (number := indices.get()) is not None:
        source.file_done(f"{number}.jpg", bytes=10)
        results.put(number)


if "HASTE" in os.environ:  # the waits for a dead store, in life ten seconds each
    journal.recorder.run.EXIT_SECONDS = 1.0
    journal.recorder.start.START_SECONDS = 0.5

if __name__ == "__main__":
    logging.basicConfig()
    globals()[HOW]()
