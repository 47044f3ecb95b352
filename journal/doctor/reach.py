"""The way to an endpoint: its host has an address, and something takes connections there."""

import socket
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from journal import clock
from journal.doctor.finding import Finding
from journal.limits import CONNECT_SECONDS

_PORTS: Final = {"http": 80, "https": 443}
_ENDPOINT: Final = "check the endpoint (AWS_ENDPOINT_URL_S3)"


def examine(url: str) -> Iterator[Finding]:
    """Yield whether the host of a URL has an address and takes connections; ends at what is bad."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if proxy := _proxy(parts):
        yield Finding("address", "note", f"requests to {host} go through the proxy {proxy}")
        return
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        yield Finding(
            "address",
            "bad",
            f"the host {host} has no address ({_reason(error)})",
            f"{_ENDPOINT} and this host's name service",
        )
        return
    addresses = sorted({str(one[4][0]) for one in found})
    yield Finding("address", "ok", f"the host {host} is {', '.join(addresses)}")
    began = clock.monotonic()
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        yield Finding(
            "connect",
            "bad",
            f"{host} port {port} takes no connection ({_reason(error)})",
            f"{_ENDPOINT}, that the server runs, and what filters lie between",
        )
        return
    milliseconds = (clock.monotonic() - began) * 1000
    yield Finding("connect", "ok", f"{host} port {port} took a connection in {milliseconds:.0f} ms")


def _proxy(parts: SplitResult) -> str:
    """Return the proxy that requests go through, without a password it may hold; empty if none."""
    proxy = getproxies().get(parts.scheme, "")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return ""
    return urlsplit(proxy if "://" in proxy else f"//{proxy}").netloc.rpartition("@")[2]


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing for {CONNECT_SECONDS:.0f} s"
    return getattr(error, "strerror", None) or str(error)
