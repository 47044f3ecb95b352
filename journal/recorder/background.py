"""Doing something in a process of its own, which goes on when this one ends.

It stays in the process group of whoever starts it: what kills the job as a whole kills it, too.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

Reply = Callable[[bytes], None]


def detach(work: Callable[[Reply], None], log: Path, *, wait: bool = True) -> bytes:
    """Do `work` in the background; return what it replies, empty if it ends before.

    Without `wait` nobody hears the reply. What it logs, and what ends it, goes to the file `log`.
    Raises OSError if there can be no process.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        # Twice, so that nobody has to wait for it.
        if os.fork():
            os._exit(0)
        _work(work, writing, log)
    os.close(writing)
    os.waitpid(pid, 0)
    told = bytearray()
    while wait and (part := os.read(reading, 65536)):
        told += part
    os.close(reading)
    return bytes(told)


def _work(work: Callable[[Reply], None], writing: int, log: Path) -> NoReturn:
    import logging  # noqa: PLC0415 - whoever waits, or does not, needs none of it

    try:
        _leave(writing)
        logging.basicConfig(filename=log, filemode="w", format="%(asctime)s %(message)s")
        work(lambda told: _reply(writing, told))
    except BaseException:
        logging.getLogger("journal").exception("what went on in the background has ended")
    finally:
        os._exit(0)


def _reply(writing: int, told: bytes) -> None:
    with suppress(OSError):  # who asked may have gone
        os.write(writing, told)
        os.close(writing)


def _leave(kept: int) -> None:
    """Let go of all that was inherited: a pipe or a lock kept open would hold up others."""
    os.chdir("/")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what it does is decided by whoever works here
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    for open_file in list(Path("/dev/fd").iterdir()):
        number = int(open_file.name)
        if number > 2 and number != kept:
            with suppress(OSError):
                os.close(number)
