"""Long output for somebody at a terminal goes through a pager, as it comes."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Final

import click

from journal.cli.terminal import Terminal


@dataclass(frozen=True, slots=True)
class Page:
    """Where output goes: to a pager, or on at once."""

    screen: Terminal
    out: IO[bytes]
    is_cut: bool  # a terminal's lines are; a pager has ways to show them whole

    def say(self, line: str) -> None:
        """Print a line."""
        shown = self.screen.fitted(line) if self.is_cut else line
        self.out.write(self.screen.encoded(shown) + b"\n")

    def write(self, lines: bytes) -> None:
        """Print lines that were made ready, now."""
        self.out.write(lines)
        self.out.flush()


# Quit if it fits on a screen, let colours through, leave the text there: as git does.
_LESS: Final = "FRX"

no_pager_option = click.option("--no-pager", is_flag=True, help="Print at once, without a pager.")


@contextmanager
def paged(screen: Terminal, *, wanted: bool = True) -> Iterator[Page]:
    """Return what prints: through JOURNAL_PAGER, else PAGER, else less, at a terminal only.

    Whoever quits the pager ends the block, without a word.
    """
    command = _command() if wanted and screen.is_interactive else []
    if not command:
        yield Page(screen, sys.stdout.buffer, is_cut=True)
        sys.stdout.buffer.flush()
        return
    environment = {"LESS": _LESS, **os.environ}
    with subprocess.Popen(  # noqa: S603 - the user names their pager
        command, stdin=subprocess.PIPE, env=environment
    ) as pager:
        pipe = pager.stdin
        if pipe is None:
            raise ValueError("the pager has no input")
        try:
            with suppress(BrokenPipeError):  # it was quit
                yield Page(screen, pipe, is_cut=False)
        finally:
            interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pager's own affair now
            with suppress(BrokenPipeError):
                pipe.close()
            pager.wait()
            signal.signal(signal.SIGINT, interrupt)


def _command() -> list[str]:
    for name in ("JOURNAL_PAGER", "PAGER"):
        if name in os.environ:
            command = shlex.split(os.environ[name])
            return [] if command in ([], ["cat"]) else command
    less = shutil.which("less")
    return [less] if less else []
