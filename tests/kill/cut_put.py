"""A put whose process is killed on the way: `cut_put.py ROOT KEY SENT`, SENT bytes of the body."""

import http.client
import os
import signal
import sys
import time

from journal.stores import connect

ROOT, KEY, SENT = sys.argv[1:]
store = connect(ROOT)
there = store.get(KEY)
send = http.client.HTTPConnection.send


def cut(connection, data):
    """Send the headers whole, and the body until it is time to die."""
    is_body = len(data) >= 100_000
    send(connection, bytes(data[: int(SENT)]) if is_body else data)
    if is_body:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)


http.client.HTTPConnection.send = cut
store.put(KEY, there.body + b"x" * 100_000, expect=there.version)
