"""What the operating system knows of the process: CPU, I/O, memory; its children's too.

Read from `/proc` (proc(5)), elsewhere through psutil, which knows I/O on some systems only. The
journal's own threads are taken off, or the journal would be taken for the job's work.
"""

import os
import resource
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from journal.limits import TREE_PROCESSES
from journal.recorder.processes import cpu_seconds, fields, text, tree

_PROC: Final = Path("/proc")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Vitals:
    """Totals since the process began, in seconds and bytes; `rss_bytes` is now's."""

    cpu_seconds: float
    read_bytes: int
    write_bytes: int
    rss_bytes: int


def sample(pid: int, own_threads: Iterable[int] = (), left_out: Collection[int] = ()) -> Vitals:
    """Sample a process and its descendants.

    The threads (native ids) that are the journal's do not count, nor do the processes in `left_out`
    and theirs: they tell of themselves. Of more than TREE_PROCESSES it is a lower bound.
    """
    if _PROC.joinpath("self").exists():
        return _by_proc(pid, own_threads, left_out)
    return _by_psutil(pid, set(own_threads), left_out)


def _by_proc(pid: int, own_threads: Iterable[int], left_out: Collection[int]) -> Vitals:
    cpu, read, written = 0.0, 0, 0
    for member in tree(pid, left_out):
        # What its ended children took is counted there from the moment they were waited for: of
        # the CPU in places of its own, of the traffic in its own.
        cpu += cpu_seconds(fields(member), with_children=True)
        more_read, more_written = _io(f"/proc/{member}/io")
        read += more_read
        written += more_written
    for thread in own_threads:
        cpu -= cpu_seconds(fields(pid, f"/task/{thread}"))
        own_read, own_written = _io(f"/proc/{pid}/task/{thread}/io")
        read -= own_read
        written -= own_written
    return Vitals(max(cpu, 0.0), max(read, 0), max(written, 0), _rss(pid))


def _by_psutil(pid: int, own_threads: set[int], left_out: Collection[int]) -> Vitals:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime if pid == os.getpid() else 0.0
    read = written = resident = 0
    try:
        import psutil  # noqa: PLC0415 - not needed where there is /proc

        process = psutil.Process(pid)
        resident = process.memory_info().rss
        for member in _living(process, left_out):
            with suppress(psutil.Error):  # it has ended, or it is not ours to see
                times = member.cpu_times()
                cpu += times.user + times.system
                # macOS tells nobody.
                traffic = member.io_counters() if hasattr(member, "io_counters") else None
                read += traffic.read_bytes if traffic else 0
                written += traffic.write_bytes if traffic else 0
        for thread in process.threads():
            cpu -= thread.user_time + thread.system_time if thread.id in own_threads else 0.0
    except (ImportError, OSError, RuntimeError):
        if pid != os.getpid():
            return Vitals(0.0, 0, 0, 0)
        own = resource.getrusage(resource.RUSAGE_SELF)
        cpu += own.ru_utime + own.ru_stime
    except psutil.Error:
        return Vitals(cpu, read, written, resident)
    return Vitals(max(cpu, 0.0), read, written, resident)


def _living(process: Any, left_out: Collection[int]) -> list[Any]:
    members = [process]
    for member in members:
        if len(members) >= TREE_PROCESSES:
            break
        members += [child for child in member.children() if child.pid not in left_out]
    return members[:TREE_PROCESSES]


def _io(path: str) -> tuple[int, int]:
    told = dict(line.split(": ", 1) for line in text(path).splitlines() if ": " in line)
    return int(told.get("rchar", 0)), int(told.get("wchar", 0))


def _rss(pid: int) -> int:
    told = text(f"/proc/{pid}/statm").split()
    return int(told[1]) * _PAGE if len(told) > 1 else 0
