"""Where the sources lie: an HTTP server with small files, one big slow one, and many that are gone.

`/fast/NAME.jsonl` comes at once, `/slow/NAME.tar` over DOWNLOAD; there is nothing else.
"""

import base64
import contextlib
import io
import random
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from story.minutes import DOWNLOAD

_MEMBERS = 16
_PIECES = 260  # of the slow file


@dataclass
class Site:
    """An address, and what it sends."""

    archive: bytes
    endpoint: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def manifest(self, *, gone: bool = False) -> str:
        """Return a manifest of eight sources, one big and slow; or with one that is no more."""
        urls = {f"corpus_{number}": f"fast/{number}.jsonl" for number in range(7)}
        urls["corpus_federal"] = "gone/federal.tar" if gone else "slow/federal.tar"
        return "".join(
            f'[[sources]]\nname = "{name}"\nurl = "{self.endpoint}/{url}"\n\n'
            for name, url in urls.items()
        )


@contextlib.contextmanager
def site() -> Iterator[Site]:
    """Serve until the block is left."""
    one = Site(_archive())

    class Handler(_Handler):
        site = one

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


def _archive() -> bytes:
    """A tar of text files, a megabyte each."""
    written, chance = io.BytesIO(), random.Random(0)
    with tarfile.open(fileobj=written, mode="w") as archive:
        for number in range(_MEMBERS):
            text = base64.encodebytes(chance.randbytes(768 * 1024))
            member = tarfile.TarInfo(f"{number}.txt")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return written.getvalue()


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        _, kind, name = self.path.split("/", 2)
        body = {
            "fast": "".join(f'{{"text": "{name} {line}"}}\n' for line in range(50)).encode(),
            "slow": self.site.archive,
        }.get(kind)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        # Whoever downloads may have been killed, or only wanted to know the size.
        with contextlib.suppress(OSError):
            self._send(body or b"", DOWNLOAD if kind == "slow" else 0.0)

    def _send(self, body: bytes, seconds: float) -> None:
        step, began = len(body) // _PIECES + 1, time.monotonic()
        for piece, at in enumerate(range(0, len(body), step)):
            # By the clock, or all that the pauses take too long would add up.
            due = began + seconds * piece / _PIECES
            if self.site.ended.wait(max(0.0, due - time.monotonic())):
                return
            self.wfile.write(body[at : at + step])

    def log_message(self, format: str, *args: object) -> None:
        pass
