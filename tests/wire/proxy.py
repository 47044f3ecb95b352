"""A proxy before a real server, through which every kind of fault can be had at will."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from email.utils import formatdate
from typing import Literal
from urllib.parse import urlsplit

from wire.faults import Blow, Fate, Fault, Request, calm
from wire.messages import Message, read_answer, read_request

_POLL_SECONDS = 0.02
_SERVER_SECONDS = 60.0  # what stands behind may be frozen for long
_LATENCY_SECONDS = 0.3
_LATE_SECONDS = 2.0
_TRICKLED = 20  # pieces of an answer

_ANSWERS = {
    Fault.ERROR: (500, "InternalError"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.SLOW_DOWN_AFTER: (503, "SlowDown"),
    Fault.TOO_MANY: (429, "TooManyRequests"),
    Fault.BUSY: (409, "ConditionalRequestConflict"),
    Fault.BUSY_AFTER: (409, "ConditionalRequestConflict"),
    Fault.STRAY: (404, ""),
}
_APPLIED = (Fault.SLOW_DOWN_AFTER, Fault.BUSY_AFTER)
_RESETS = (Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.UPLOAD_CUT, Fault.LATE)


class Proxy:
    """Passes requests on, each as `fate` has it, while it is `open`.

    `shut` cuts connections, `silent` takes them and says nothing, `deaf` takes none: what connects
    runs into its time-out.
    """

    def __init__(self, behind: str, fate: Fate = calm) -> None:
        """Listen in front of the server at the endpoint `behind`."""
        parts = urlsplit(behind)
        self.behind = (str(parts.hostname), int(parts.port or 80))
        self.fate = fate
        self._mode: Literal["open", "shut", "silent", "deaf"] = "open"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._is_over = threading.Event()

    @property
    def mode(self) -> str:
        """How it treats everybody at the moment."""
        return self._mode

    @mode.setter
    def mode(self, mode: Literal["open", "shut", "silent", "deaf"]) -> None:
        self._mode = mode
        # With nobody to accept and no room to queue, the system itself drops what comes.
        self._listener.listen(0 if mode == "deaf" else 128)

    def serve(self) -> None:
        """Take connections until `end`."""
        with self._listener:
            while not self._is_over.is_set():
                ready, _, _ = select.select([self._listener], [], [], _POLL_SECONDS)
                if self.mode == "deaf":
                    self._is_over.wait(_POLL_SECONDS)
                elif ready:
                    client, _ = self._listener.accept()
                    threading.Thread(target=self._attend, args=(client,), daemon=True).start()

    def end(self) -> None:
        """Let nothing through any more, not even what is late."""
        self._is_over.set()

    def _attend(self, client: socket.socket) -> None:
        """Serve a connection. That it breaks is what a proxy like this is for."""
        with client, client.makefile("rb") as stream, contextlib.suppress(OSError, EOFError):
            while self._is_asked(client):
                request = read_request(stream)
                if request is None or not self._answer(client, request):
                    return

    def _is_asked(self, client: socket.socket) -> bool:
        """Wait for a request; False if there will be none."""
        while self.mode == "open" and not self._is_over.is_set():
            if select.select([client], [], [], _POLL_SECONDS)[0]:
                return True
        self._hold()
        return False

    def _hold(self) -> None:
        """Keep a connection and say nothing on it, as long as nothing is said at all."""
        while self.mode in ("silent", "deaf") and not self._is_over.wait(_POLL_SECONDS):
            pass

    def _answer(self, client: socket.socket, request: Message) -> bool:
        """Let a request meet its fate; tell whether the connection is good for another."""
        verb, target = request.words[0].decode(), request.words[1].decode()
        blow = self.fate(Request(verb, target))
        if blow is None:
            return self._pass_on(client, self._asked(request))
        if blow.fault in (Fault.LATENCY, Fault.DOUBLED):
            return self._meddle(client, request, blow)
        if blow.fault in _ANSWERS:
            self._refuse(client, request, blow.fault)
        elif blow.fault in _RESETS:
            self._break_off(client, request, blow)
        else:
            self._spoil(client, request, blow)
        return False

    def _meddle(self, client: socket.socket, request: Message, blow: Blow) -> bool:
        """Let a request through, too late or too often."""
        if blow.fault is Fault.DOUBLED:
            self._asked(request)
        else:
            self._is_over.wait(_LATENCY_SECONDS * blow.share)
        return self._pass_on(client, self._asked(request))

    def _refuse(self, client: socket.socket, request: Message, fault: Fault) -> None:
        """Answer with an error, whether the request was applied or not."""
        status, code = _ANSWERS[fault]
        if fault in _APPLIED:
            self._asked(request)
        error = f"<Error><Code>{code}</Code><Message>by the proxy</Message></Error>"
        client.sendall(_canned(status, error if code else "page not found"))

    def _break_off(self, client: socket.socket, request: Message, blow: Blow) -> None:
        """Reset the connection of a request that never arrives, or arrives all the same."""
        match blow.fault:
            case Fault.RESET_AFTER:
                self._asked(request)
            case Fault.UPLOAD_CUT:
                self._send_part(request, blow.share)
        _reset(client)
        if blow.fault is Fault.LATE and not self._is_over.wait(_LATE_SECONDS * blow.share):
            self._asked(request)

    def _spoil(self, client: socket.socket, request: Message, blow: Blow) -> None:
        """Give an answer by halves, by and by, or never."""
        if blow.fault is Fault.BLACK_HOLE:
            self._sink(client)
            return
        answer = self._asked(request)
        whole = answer.head + answer.body
        match blow.fault:
            case Fault.ANSWER_CUT:
                client.sendall(whole[: int(len(whole) * blow.share)])
            case Fault.HEAD_CUT:
                client.sendall(whole[: int(len(answer.head) * blow.share)])
            case Fault.TRICKLE:
                self._trickle(client, whole, _LATENCY_SECONDS * blow.share)

    def _asked(self, request: Message) -> Message:
        """Return what the server answers to a request."""
        with socket.create_connection(self.behind, _SERVER_SECONDS) as out:
            out.sendall(request.head + request.body)
            with out.makefile("rb") as stream:
                return read_answer(stream, request.words[0])

    def _send_part(self, request: Message, share: float) -> None:
        """Let the server have its head and a share of its body, and then nothing more."""
        with socket.create_connection(self.behind, _SERVER_SECONDS) as out:
            out.sendall(request.head + request.body[: int(len(request.body) * share)])
            _reset(out)

    def _pass_on(self, client: socket.socket, answer: Message) -> bool:
        if self.mode != "open":
            self._hold()
            return False
        client.sendall(answer.head + answer.body)
        return not answer.is_last

    def _trickle(self, client: socket.socket, whole: bytes, seconds: float) -> None:
        step = len(whole) // _TRICKLED + 1
        for at in range(0, len(whole), step):
            client.sendall(whole[at : at + step])
            self._is_over.wait(seconds / _TRICKLED)

    def _sink(self, client: socket.socket) -> None:
        """Say nothing until the client gives up."""
        while not self._is_over.is_set():
            if select.select([client], [], [], _POLL_SECONDS)[0]:
                return


def _reset(connection: socket.socket) -> None:
    """Close a connection so that the other side is told of it as a reset, now."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # A socket whose file is still open is closed only with it.
    socket.close(connection.detach())


def _canned(status: int, text: str) -> bytes:
    headers = [
        f"HTTP/1.1 {status} Told to",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Length: {len(text)}",
        "Connection: close",
    ]
    return "\r\n".join([*headers, "", text]).encode()


@contextlib.contextmanager
def proxy(behind: str, fate: Fate = calm) -> Iterator[Proxy]:
    """A proxy before the server at the endpoint `behind`."""
    one = Proxy(behind, fate)
    thread = threading.Thread(target=one.serve, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        one.end()
        thread.join()
