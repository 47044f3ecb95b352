"""What the operating system knows of the process: CPU, I/O, memory; its children's too.

Read from `/proc` (proc(5)), elsewhere through psutil, which knows I/O on some systems only. The
journal's own threads are taken off, or the journal would be taken for the job's work.
"""

import os
import resource
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_MAX_PROCESSES: Final = 64  # of the tree; beyond it the sample is a lower bound


@dataclass(frozen=True, slots=True)
class Vitals:
    """Totals since the process began, in seconds and bytes; `rss_bytes` is now's."""

    cpu_seconds: float
    read_bytes: int
    write_bytes: int
    rss_bytes: int


def sample(pid: int, own_threads: Iterable[int]) -> Vitals:
    """Sample a process and its children, less the threads (native ids) that are the journal's."""
    return (
        _by_proc(pid, own_threads)
        if _PROC.joinpath("self").exists()
        else _by_psutil(pid, set(own_threads))
    )


def _by_proc(pid: int, own_threads: Iterable[int]) -> Vitals:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime  # of children that have ended
    read = written = 0
    for member in _tree(pid):
        cpu += _cpu_seconds(_PROC / str(member) / "stat")
        more_read, more_written = _io(_PROC / str(member) / "io")
        read += more_read
        written += more_written
    for thread in own_threads:
        cpu -= _cpu_seconds(_PROC / str(pid) / "task" / str(thread) / "stat")
        own_read, own_written = _io(_PROC / str(pid) / "task" / str(thread) / "io")
        read -= own_read
        written -= own_written
    return Vitals(max(cpu, 0.0), max(read, 0), max(written, 0), _rss(pid))


def _by_psutil(pid: int, own_threads: set[int]) -> Vitals:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime
    read = written = resident = 0
    try:
        import psutil  # noqa: PLC0415 - not needed where there is /proc

        process = psutil.Process(pid)
        resident = process.memory_info().rss
        for member in [process, *process.children(recursive=True)][:_MAX_PROCESSES]:
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
        own = resource.getrusage(resource.RUSAGE_SELF)
        cpu += own.ru_utime + own.ru_stime
    except psutil.Error:
        return Vitals(cpu, read, written, resident)
    return Vitals(max(cpu, 0.0), read, written, resident)


def _tree(pid: int) -> list[int]:
    """Return a process and its living descendants."""
    members = [pid]
    for member in members:
        if len(members) >= _MAX_PROCESSES:
            break
        for children in _PROC.glob(f"{member}/task/*/children"):
            members += [int(child) for child in _text(children).split()]
    return members[:_MAX_PROCESSES]


def _cpu_seconds(stat: Path) -> float:
    # The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
    fields = _text(stat).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS if len(fields) > 12 else 0.0


def _io(path: Path) -> tuple[int, int]:
    fields = dict(line.split(": ", 1) for line in _text(path).splitlines() if ": " in line)
    return int(fields.get("rchar", 0)), int(fields.get("wchar", 0))


def _rss(pid: int) -> int:
    fields = _text(_PROC / str(pid) / "statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # it has ended, or it is not ours to see
