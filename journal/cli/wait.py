"""`journal wait RUN`."""

import re
from dataclasses import dataclass
from typing import Any, Final

import click
import orjson

from journal import layout
from journal.cli.document import print_document
from journal.cli.exits import complain, exit_status
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option, run_argument_or_latest
from journal.cli.status import as_json
from journal.cli.stopping import Stopping
from journal.cli.when import seconds_of
from journal.clock import monotonic, sleep
from journal.errors import Missing, Unavailable
from journal.stores import ReadStore, connect, read_only
from readers.runs import parse_place
from readers.status import Status, status

_FINAL: Final = ("completed", "failed", "aborted", "preempted")
_TIMED_OUT: Final = 124
_LOST: Final = 23
_LEAST_SECONDS: Final = 1.0
_MOST_SECONDS: Final = 15.0
_FORM: Final = re.compile(r"completed|ended|started|phase=.+|source=.+:done")


@click.command()
@run_argument_or_latest
@root_option
@click.option(
    "--for",
    "condition",
    default="ended",
    show_default=True,
    metavar="CONDITION",
    help="started, ended, completed, phase=NAME, source=NAME:done.",
)
@click.option("--timeout", metavar="TIME", help="Give up then: 90s, 30m, 2h.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while waiting.")
@output_option("human", "json")
def command(
    run: str, root: str | None, condition: str, timeout: str | None, *, quiet: bool, output: str
) -> int:
    """Wait until a run has come so far.

    The exit code is 0 when it has; 20 or 21 at once when it ended otherwise, 23 when it is lost,
    124 when the time was up. `--for started` waits for a run that is not there yet, too.

    \b
    Examples:
      journal wait latest --for completed && python train.py
      journal wait mistral-20250805-142652 --for source=federal:done --timeout 2h
      journal wait mistral-20250805-142652 --for phase=training -q
    """
    if _FORM.fullmatch(condition) is None:
        raise click.BadParameter(
            f"{condition!r} is none of started, ended, completed, phase=NAME, source=NAME:done",
            param_hint="--for",
        )
    limit = None if timeout is None else seconds_of(timeout)
    waiting = _Waiting(condition, limit, quiet=quiet, output=output)
    place = parse_place(root, run)
    if condition == "started" and place.run != "latest":
        return waiting.wait(read_only(connect(place.root)), layout.check_name("run id", place.run))
    return with_run(root, run, waiting.wait)


@dataclass(slots=True)
class _Waiting:
    """Looks at a run until a condition holds, or can no more hold."""

    condition: str
    timeout: float | None
    quiet: bool
    output: str
    _said: str = ""
    _passed: bool = False

    def wait(self, store: ReadStore, run_id: str) -> int:
        """Wait, and return the exit code. Raises Missing, Refused, Corrupt."""
        stopping, pause = Stopping(), _LEAST_SECONDS
        end = None if self.timeout is None else monotonic() + self.timeout
        with stopping.heeded():
            while True:
                with stopping.interruptible():
                    found = self._look(store, run_id)
                    code = None if found is None else self._code(found)
                    if code is not None or (end is not None and monotonic() >= end):
                        break
                    left = _MOST_SECONDS if end is None else max(0.0, end - monotonic())
                    sleep(min(pause, left))
                pause = min(pause * 1.3, _MOST_SECONDS)
        if stopping.code is not None:
            return stopping.code
        if found is not None and self.output == "json":
            print_document(as_json(found))
        if code is None:
            self._tell(f"{self.condition} has not come within the time")
            return _TIMED_OUT
        return code

    def _look(self, store: ReadStore, run_id: str) -> Status | None:
        """Return how the run stands, None if nobody knows now. Raises Missing, Refused, Corrupt."""
        try:
            found = status(store, run_id)
        except Unavailable as failed:
            self._tell(f"the store does not answer, waiting on: {failed}")
            return None
        except Missing:
            if self.condition != "started":
                raise
            self._tell(f"run {run_id} is not there yet")
            return None
        verdict = found.verdict
        stands = "lost" if verdict.liveness == "lost" else verdict.state
        words = f"{run_id} is {stands}, {verdict.health}"
        self._tell(f"{words}; waiting for {self.condition}" if self._code(found) is None else words)
        return found

    def _code(self, found: Status) -> int | None:
        """Return what to exit with, None to wait on."""
        document, state = found.document, found.verdict.state
        if self._holds(document, state):
            return 0
        if state in _FINAL:
            return exit_status(found.verdict) or 20
        return _LOST if found.verdict.liveness == "lost" else None

    def _holds(self, document: dict[str, Any], state: str) -> bool:
        name, _, value = self.condition.partition("=")
        match name:
            case "started":
                return state != "pending"
            case "ended":
                return state in _FINAL
            case "completed":
                return state == "completed"
            case "phase":
                return _has_reached(document, value)
            case _:
                source = value.removesuffix(":done")
                rows = document.get("sources")
                return any(
                    isinstance(row, dict)
                    and row.get("source") == source
                    and row.get("state") == "done"
                    for row in (rows if isinstance(rows, list) else [])
                )

    def _tell(self, words: str) -> None:
        if words != self._said and not self.quiet:
            complain(words)
        self._said = words


def _has_reached(document: dict[str, Any], phase: str) -> bool:
    """Whether a run is in a phase or sub-phase, or has been in it."""
    # A document as it was just derived holds states, one that was read holds what they became.
    whole = orjson.loads(orjson.dumps(document))
    known = [whole.get("phase"), whole.get("sub_phase")]
    own = whole.get("journal")
    streams = own.get("streams") if isinstance(own, dict) else None
    for part in streams.values() if isinstance(streams, dict) else ():
        state = part.get("state") if isinstance(part, dict) else None
        for one in state.get("phases", ()) if isinstance(state, dict) else ():
            known += [one.get("phase"), one.get("sub_phase")]
    return phase in known
