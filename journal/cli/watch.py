"""A run's status, live: painted over and over on a terminal, else a line now and then."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from journal import health
from journal.cli.exits import complain, exit_status
from journal.cli.status_lines import StatusLines
from journal.cli.stopping import Stopping
from journal.cli.terminal import Terminal
from journal.cli.when import time_form
from journal.clock import monotonic, now, sleep, stamp
from journal.errors import Unavailable
from journal.health import Verdict
from journal.stores import ReadStore
from readers.status import Status, status
from readers.text import printable

_LOOK_SECONDS: Final = 2.0
_LINE_SECONDS: Final = 30.0
_FINAL: Final = ("completed", "failed", "aborted", "preempted")


def watch(store: ReadStore, run_id: str, *, terminal: Terminal, utc: bool) -> int:
    """Show how a run stands until it has ended; return the exit code of its verdict.

    An outage of the store is ridden out: the last picture stays, and says since when. Raises
    Missing, Refused, Corrupt; Unavailable if the store does not answer at all.
    """
    stopping, verdict = Stopping(), None
    with stopping.heeded(), _paint(terminal, utc=utc) as paint:
        for found, verdict in _looks(store, run_id):
            with stopping.interruptible():
                paint(found, verdict)
                if verdict.state not in _FINAL:
                    sleep(_LOOK_SECONDS)
    if stopping.code is not None:
        return stopping.code
    return exit_status(verdict) if verdict is not None else 0


def _looks(store: ReadStore, run_id: str) -> Iterator[tuple[Status, Verdict]]:
    """Yield the status over and over, the last one being final."""
    found, heard = status(store, run_id), monotonic()
    yield found, found.verdict
    while found.verdict.state not in _FINAL:
        try:
            found = status(store, run_id)
        except Unavailable:
            yield found, health.unreachable(found.document, heard, monotonic())
            continue
        heard = monotonic()
        yield found, found.verdict


Paint = Callable[[Status, Verdict], None]


@contextmanager
def _paint(terminal: Terminal, *, utc: bool) -> Iterator[Paint]:
    """Return what shows a status: a screen if there is one, else lines."""
    if not terminal.is_interactive:
        yield _lines(terminal, utc=utc)
        return
    try:
        from rich.live import Live  # noqa: PLC0415 - an extra
        from rich.text import Text  # noqa: PLC0415
    except ImportError:
        complain('a live screen needs the extra: pip install "progress-journal[watch]"')
        yield _lines(terminal, utc=utc)
        return
    screen = StatusLines(terminal, utc)
    with Live(screen=True, auto_refresh=False) as live:
        last: list[str] = []

        def paint(found: Status, verdict: Verdict) -> None:
            nonlocal last
            found = replace(found, verdict=verdict)
            lines = [terminal.fitted(line) for line in screen.of(found)]
            last = lines
            shown = lines[: live.console.size.height - 1]
            live.update(Text.from_ansi("\n".join(shown)), refresh=True)

        yield paint
    # The screen is gone with what was on it: the last picture stays.
    for line in last:
        terminal.say(line)
    sys.stdout.buffer.flush()


def _lines(terminal: Terminal, *, utc: bool) -> Paint:
    """Return what says a line every LINE_SECONDS, and when the verdict changes."""
    said: tuple[Any, ...] = ()
    due = 0.0
    form = time_form(utc=utc)

    def paint(found: Status, verdict: Verdict) -> None:
        nonlocal said, due
        words = (verdict.state, verdict.liveness, verdict.progress, verdict.health)
        if words == said and monotonic() < due:
            return
        said, due = words, monotonic() + _LINE_SECONDS
        details = found.document.get("details")
        told = f"{verdict.state}  {verdict.health}  {details}; {verdict.why}"
        terminal.say(printable(f"{form(stamp(now()))} {found.run_id}  {told}"))
        sys.stdout.buffer.flush()

    return paint
