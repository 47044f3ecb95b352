"""Requests and answers of HTTP/1.1 as bytes: just enough to know where each ends."""

from dataclasses import dataclass
from typing import BinaryIO

_BODILESS = (b"204", b"304")


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer as it came: `head` ends with the empty line, `body` is as framed."""

    head: bytes
    body: bytes

    @property
    def words(self) -> list[bytes]:
        """The words of the first line."""
        return self.head[: self.head.index(b"\r\n")].split()

    @property
    def is_last(self) -> bool:
        """Whether its sender closes the connection behind it."""
        return _header(self.head, b"connection") == b"close"


def read_request(stream: BinaryIO) -> Message | None:
    """Read the next request, None if there is none any more."""
    head = _read_head(stream)
    return Message(head, _read_body(stream, head, b"0")) if head else None


def read_answer(stream: BinaryIO, verb: bytes) -> Message:
    """Read the answer to a request of that verb. Raises EOFError if it breaks off."""
    head = _read_head(stream)
    if not head:
        raise EOFError("no answer")
    bodiless = verb == b"HEAD" or head.split()[1] in _BODILESS
    return Message(head, b"" if bodiless else _read_body(stream, head, b"-1"))


def _read_head(stream: BinaryIO) -> bytes:
    lines = [stream.readline()]
    while lines[-1] not in (b"\r\n", b""):
        lines.append(stream.readline())
    return b"".join(lines) if lines[-1] else b""


def _read_body(stream: BinaryIO, head: bytes, otherwise: bytes) -> bytes:
    """Read a body as it is framed; -1 bytes are all until the connection ends."""
    if _header(head, b"transfer-encoding") == b"chunked":
        return _read_chunks(stream)
    size = int(_header(head, b"content-length") or otherwise)
    body = stream.read(size)
    if len(body) < size:
        raise EOFError("the body breaks off")
    return body


def _read_chunks(stream: BinaryIO) -> bytes:
    lines = [stream.readline()]
    while size := int(lines[-1].partition(b";")[0] or b"0", 16):
        lines += [stream.read(size + 2), stream.readline()]
    while lines[-1] not in (b"\r\n", b""):
        lines.append(stream.readline())
    return b"".join(lines)


def _header(head: bytes, name: bytes) -> bytes:
    """The value of a header in lower case, empty if it is not there."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip().lower()
    return b""
