"""A TCP proxy before a real server, through which an outage can be had at will."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit


class Gate(socketserver.ThreadingTCPServer):
    """`open` passes bytes on, `shut` cuts connections, `silent` takes requests and says nothing."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        parts = urlsplit(behind)
        self.behind = (str(parts.hostname), int(parts.port or 80))
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self.mode = "open"
        self.connections = 0
        self.is_over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that break are what a gate is for."""


class _Passage(socketserver.BaseRequestHandler):
    server: Gate

    def handle(self) -> None:
        gate = self.server
        gate.connections += 1
        with socket.socket() as out:
            if gate.mode == "open":
                out.connect(gate.behind)
                self._relay(out)
            while gate.mode == "silent" and not gate.is_over.wait(0.02):
                pass

    def _relay(self, out: socket.socket) -> None:
        other = {self.request: out, out: self.request}
        while self.server.mode == "open":
            ready, _, _ = select.select(list(other), [], [], 0.02)
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                other[one].sendall(data)


@contextlib.contextmanager
def gate(behind: str) -> Iterator[Gate]:
    """A gate before the server at the endpoint `behind`."""
    with Gate(behind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
            thread.join()
