"""The processes of a tree, read from `/proc` (proc(5)): who they are, and what they are doing."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from journal.limits import DUMP_CHARS, DUMP_COMMAND_CHARS, DUMP_FILES, TREE_FILES, TREE_PROCESSES
from journal.redaction import Redaction

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_STATES: Final = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a disk or a file system",
    "T": "stopped",
    "t": "stopped by a debugger",
    "Z": "ended, not waited for",
    "I": "idle",
}
# By the machine; of others the number is told.
_CALLS: Final = {
    "x86_64": """
        read 0 write 1 poll 7 pread 17 pwrite 18 select 23 nanosleep 35 connect 42 accept 43
        sendto 44 recvfrom 45 sendmsg 46 recvmsg 47 wait4 61 flock 73 fsync 74 fdatasync 75
        futex 202 clock_nanosleep 230 epoll_wait 232 waitid 247 openat 257 pselect 270 ppoll 271
        epoll_pwait 281""",
    "aarch64": """
        epoll_pwait 22 flock 32 openat 56 read 63 write 64 pread 67 pwrite 68 pselect 72 ppoll 73
        fsync 82 fdatasync 83 waitid 95 futex 98 nanosleep 101 clock_nanosleep 115 accept 202
        connect 203 sendto 206 recvfrom 207 sendmsg 211 recvmsg 212 wait4 260""",
}
_ON_FILES: Final = (
    *("read", "write", "pread", "pwrite", "flock", "fsync", "fdatasync"),
    *("connect", "accept", "sendto", "recvfrom", "sendmsg", "recvmsg"),
)


def tree(pid: int, left_out: Iterable[int] = ()) -> list[int]:
    """Return a process and its living descendants, TREE_PROCESSES of them at most.

    Those in `left_out` are not among them, nor what descends from them.
    """
    members, others = [pid], set(left_out)
    for member in members:
        if len(members) >= TREE_PROCESSES:
            break
        for task in _names(f"/proc/{member}/task"):
            children = text(f"/proc/{member}/task/{task}/children").split()
            members += [int(child) for child in children if int(child) not in others]
    return members[:TREE_PROCESSES]


def written_files(pids: Iterable[int]) -> set[tuple[int, int]]:
    """Return what processes hold open for writing, TREE_FILES looked at: device and inode."""
    found = set()
    for count, path in enumerate(_open_files(pids)):
        if count >= TREE_FILES:
            break
        with suppress(OSError):  # it was closed meanwhile
            # The link's own mode says how it was opened.
            if os.lstat(path).st_mode & 0o200:
                status = os.stat(path)  # noqa: PTH116
                found.add((status.st_dev, status.st_ino))
    return found


def description(pid: int, redaction: Redaction) -> str:
    """Return what each process of a tree is doing, for people; secrets hidden, DUMP_CHARS long."""
    told, room = [], DUMP_CHARS
    for member in tree(pid):
        words = "\n".join(_told_of(member, redaction))
        if len(words) > room:
            told.append("…")
            break
        told.append(words)
        room -= len(words)
    return "\n".join(one for one in told if one) or f"process {pid} has ended, or cannot be seen"


def fields(pid: int, task: str = "") -> list[str]:
    """Return the fields of a process's `stat` behind its name: state first, then its parent."""
    # The name in parentheses may hold spaces, and parentheses.
    return text(f"/proc/{pid}{task}/stat").rpartition(")")[2].split()


def cpu_seconds(stat: list[str], *, with_children: bool = False) -> float:
    """Return the CPU time in `fields`; with that of children that it has waited for."""
    ticks = stat[11:15] if with_children else stat[11:13]
    return sum(map(int, ticks)) / _TICKS


def text(path: str) -> str:
    """Return the text of a file of the system's, empty if it is not ours to see, or gone."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""


def _told_of(pid: int, redaction: Redaction) -> Iterator[str]:
    stat = fields(pid)
    if len(stat) < 18:
        return
    name = text(f"/proc/{pid}/comm").strip()
    yield (
        f"process {pid} {name}, of {stat[1]}: {_STATES.get(stat[0], stat[0])}, "
        f"{cpu_seconds(stat):.1f} s of CPU, {stat[17]} threads"
    )
    words = redaction.text(text(f"/proc/{pid}/cmdline").replace("\0", " ").strip())
    if words:
        cut = "…" if len(words) > DUMP_COMMAND_CHARS else ""
        yield f"  command: {words[:DUMP_COMMAND_CHARS]}{cut}"
    for place, threads in Counter(_places(pid)).most_common(DUMP_FILES):
        yield f"  in {place}" + (f" ({threads} threads)" if threads > 1 else "")
    yield from (f"  {line}" for line in _files(pid, redaction))


def _places(pid: int) -> Iterator[str]:
    """Yield where each thread stands: its system call, or what it waits for in the system."""
    for task in _names(f"/proc/{pid}/task")[:TREE_PROCESSES]:
        called = text(f"/proc/{pid}/task/{task}/syscall").split()
        channel = text(f"/proc/{pid}/task/{task}/wchan").strip()
        waits = f", waiting in {channel}" if channel not in ("", "0") else ""
        if not called or called[0] == "running":
            yield "its own code" if called else f"a place not to be seen{waits}"
            continue
        call = _name_of_call(called[0])
        if call in _ON_FILES and len(called) > 1:
            call += f" of file {int(called[1], 16)}"
        yield call + waits


def _name_of_call(number: str) -> str:
    words = _CALLS.get(os.uname().machine, "").split()
    names = dict(zip(words[1::2], words[::2], strict=True))
    return names.get(number, f"system call {number}")


def _files(pid: int, redaction: Redaction) -> Iterator[str]:
    """Yield which regular files are open, how far they are, and which sockets."""
    connected: dict[str, str] | None = None
    told = 0
    for path in _open_files([pid]):
        with suppress(OSError):
            target = os.readlink(path)  # noqa: PTH115
            number = path.rpartition("/")[2]
            if target.startswith("socket:["):
                from journal.recorder import sockets  # noqa: PLC0415 - at a stall only

                connected = sockets.connections(pid) if connected is None else connected
                peer = connected.get(target[8:-1])
                line = f"socket {peer}" if peer else ""
            elif target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
                is_written = os.lstat(path).st_mode & 0o200
                size = os.stat(path).st_size  # noqa: PTH116
                at = text(f"/proc/{pid}/fdinfo/{number}").partition("pos:")[2].split()[:1]
                how = "written" if is_written else "read"
                line = f"{redaction.text(target)}, {how} at {''.join(at)} of {size}"
            else:
                line = ""
            if line:
                yield f"file {number}: {line}"
                told += 1
        if told >= DUMP_FILES:
            yield "…"
            return


def _open_files(pids: Iterable[int]) -> Iterator[str]:
    for pid in pids:
        for number in _names(f"/proc/{pid}/fd"):
            yield f"/proc/{pid}/fd/{number}"


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return []
