"""The network connections that a process can have, read from `/proc/PID/net` (proc(5))."""

import ipaddress
import sys
from typing import Final

_STATES: Final = dict(
    enumerate(
        [
            *("established", "connecting", "accepting", "ending", "ending", "ending", "closed"),
            *("half closed", "ending", "listening", "ending"),
        ],
        start=1,
    )
)
_MOST: Final = 4096  # connections of the host that are looked through


def connections(pid: int) -> dict[str, str]:
    """Return inode → what is known of the connection, of the process's network."""
    found: dict[str, str] = {}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        try:
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:  # noqa: PTH123
                for line, _ in zip(file, range(_MOST), strict=False):
                    words = line.split()
                    if len(words) > 9 and words[9].isdecimal():
                        found[words[9]] = _told(table, words)
        except (OSError, ValueError):
            continue
    return found


def _told(table: str, words: list[str]) -> str:
    unsent, _, unread = words[4].partition(":")
    state = _STATES.get(int(words[3], 16), words[3]) if table.startswith("tcp") else "udp"
    return (
        f"{_address(words[1])} to {_address(words[2])}, {state}, "
        f"{int(unread, 16)} bytes unread, {int(unsent, 16)} unsent"
    )


def _address(text: str) -> str:
    """Return an address as people write it: the system writes words of the host's byte order."""
    number, _, port = text.partition(":")
    words = [bytes.fromhex(number[at : at + 8]) for at in range(0, len(number), 8)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    address = ipaddress.ip_address(b"".join(words))
    shown = f"[{address}]" if address.version == 6 else str(address)
    return f"{shown}:{int(port, 16)}"
