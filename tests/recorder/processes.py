"""Child programs: started, listened to, waited for; never for ever."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0  # a shared machine may be slow; nothing takes nearly as long


def wait_until(condition: Callable[[], Any], what: str = "") -> Any:
    """Return the first true answer of a condition; fail after a generous time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"it never came true: {what or condition}"
        time.sleep(0.02)
    return answer


def stop(pid: int, root: str) -> None:
    """Stop a child process, and not while it holds a lock of a local store at `root`."""

    def is_stopped_without_a_lock() -> bool:
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        is_free = not any(_is_locked(lock) for lock in Path(root).glob("_locks/*"))
        if not is_free:
            os.kill(pid, signal.SIGCONT)
        return is_free

    wait_until(is_stopped_without_a_lock)


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class Child:
    """A process whose output goes to files, so that nobody has to read for it to go on."""

    def __init__(
        self, command: list[str], directory: Path, *, own_group: bool = False, **environment: str
    ) -> None:
        """Start it; in a group of its own signals stop it even where nobody could go on with ours.

        The kernel stops no orphaned group: one whose members' parents are all of another session.
        """
        number = len(list(directory.glob("*.out")))
        self._out, self._err = directory / f"{number}.out", directory / f"{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=directory,
                env=os.environ | environment, process_group=0 if own_group else None,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    @property
    def said(self) -> list[str]:
        """The whole lines on stdout so far."""
        return [
            line.rstrip("\n") for line in self.out.splitlines(keepends=True) if line[-1] == "\n"
        ]

    def wait(self) -> int:
        """Return the exit status."""
        return self.process.wait(PATIENCE_SECONDS)

    def until_said(self, line: str) -> None:
        """Wait until it has printed a line, or fail with what it complained of."""
        wait_until(lambda: line in self.said or self.process.poll() is not None, f"child: {line}")
        assert line in self.said, self.err

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def stop(self, root: str) -> None:
        """Stop it, and not while it holds a lock of a local store: all others would wait for it."""
        stop(self.pid, root)

    def kill(self) -> None:
        """End it whatever it is doing, a stopped one too."""
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        self.process.wait()


def python(program: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(program), *arguments]


def journal(*arguments: str) -> list[str]:
    """The command line of the journal, whatever is on the PATH."""
    return [sys.executable, "-c", "from journal.cli import main; main()", *arguments]
