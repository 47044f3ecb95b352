"""Where the sources lie: an HTTP server that sends most files at once, and one very slowly."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from seed.minutes import BLACK_HOLE, LATE, LONG_FILE

BAD_FILE = "corpus-3/1.tar"
_BYTES = 20_000
_PIECES = 200


@dataclass
class Mirror:
    """A site that has all files under the name of each trouble; `BAD_FILE` is where it comes.

    `slow` sends that file for LONG_FILE, `black-hole` stops in the middle and leaves the connection
    open, `held` sends it late and makes who asked for it hold its interpreter then.
    """

    endpoint: str = ""
    reached: set[str] = field(default_factory=set)  # troubles that somebody has come to
    ended: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def mirror() -> Iterator[Mirror]:
    """Serve until the block is left."""
    one = Mirror()

    class Handler(_Handler):
        mirror = one

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        one.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield one
        finally:
            one.ended.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    mirror: Mirror

    def do_GET(self) -> None:
        _, trouble, path = self.path.split("/", 2)
        is_bad = path == BAD_FILE
        self.send_response(200)
        self.send_header("Content-Length", str(_BYTES))
        self.send_header("X-After", "hold" if is_bad and trouble == "held" else "")
        self.end_headers()
        if is_bad:
            self.mirror.reached.add(trouble)
        # Whoever downloads may have been killed.
        with contextlib.suppress(OSError):
            self._send(trouble if is_bad else "")

    def _send(self, trouble: str) -> None:
        if trouble == "held":
            self.mirror.ended.wait(LATE)
        if trouble in ("", "held"):
            self.wfile.write(bytes(_BYTES))
            return
        pause, began = LONG_FILE / _PIECES, time.monotonic()
        for piece in range(_PIECES):
            self.wfile.write(bytes(_BYTES // _PIECES))
            # By the clock, or all that the pauses take too long would add up.
            if self.mirror.ended.wait(max(0.0, began + (piece + 1) * pause - time.monotonic())):
                return
            if trouble == "black-hole" and time.monotonic() - began > BLACK_HOLE:
                self.mirror.ended.wait()
                return

    def log_message(self, format: str, *args: object) -> None:
        pass
