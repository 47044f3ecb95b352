"""A preparation of eight sources, downloaded one after the other: `preparation.py ROOT RUN URL`.

Knows nothing of what becomes of its downloads: there is no time-out, as there was none.
"""

import ctypes
import logging
import sys
import urllib.request

from seed.minutes import FLUSH, HEARTBEAT, HELD, STALL_AFTER

import journal

ROOT, RUN, URL = sys.argv[1:]
SOURCES = [f"corpus-{number}" for number in range(8)]
FILES = 3


def download(source, path):
    with urllib.request.urlopen(f"{URL}/{path}") as response:
        with source.file(path, size=int(response.headers["Content-Length"])) as file:
            while chunk := response.read1():
                file.advance(len(chunk))
        return response.headers["X-After"]


def hold_the_interpreter():
    """Sleep in C without giving the interpreter's lock away, as a careless extension does."""
    ctypes.PyDLL(None).usleep(int(HELD * 1e6))


logging.basicConfig()
with journal.start_run(
    RUN, root=ROOT, sources=SOURCES, heartbeat_seconds=HEARTBEAT, flush_seconds=FLUSH
) as run:
    run.phase("data_prep", "downloading_policy", stall_after=STALL_AFTER)
    for name in SOURCES:
        with run.source(name, files=FILES) as source:
            for number in range(FILES):
                if download(source, f"{name}/{number}.tar") == "hold":
                    hold_the_interpreter()
