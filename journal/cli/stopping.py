"""Ctrl-C and SIGTERM for a command that prints as it goes: never in the middle of a line."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(Exception):
    """A signal asked to stop."""


class Stopping:
    """Remembers a signal until it may interrupt; a second one interrupts whatever goes on."""

    def __init__(self) -> None:
        self.code: int | None = None  # what to exit with, once a signal came
        self._may_interrupt = False

    @contextmanager
    def heeded(self) -> Iterator["Stopping"]:
        """Take SIGINT and SIGTERM over for the time of the block."""
        taken = [(one, signal.signal(one, self._stop)) for one in (signal.SIGINT, signal.SIGTERM)]
        try:
            yield self
        except Stopped:
            pass  # `code` says which
        finally:
            for one, before in taken:
                signal.signal(one, before)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal end the block, at once if it came before."""
        self._may_interrupt = True
        try:
            if self.code is not None:
                raise Stopped
            yield
        finally:
            self._may_interrupt = False

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        is_second, self.code = self.code is not None, 128 + number
        if self._may_interrupt or is_second:
            raise Stopped
