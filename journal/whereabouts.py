"""Where a run is: phase, sub-phase, operation, and which source of how many. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from journal import foreign
from journal.limits import CLOCK_SLACK_SECONDS
from journal.sections import CLOSED
from journal.sources import counted
from journal.state import PhaseState, SourceState, StreamState

_PHASE: Final = {"completed": "complete"}
_OVER: Final = ("complete", "error")  # phases of a run that has ended


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the document says of it, and that it is at source `done` + 1 of `total`."""

    phase: str
    sub_phase: str
    operation: str | None
    done: int
    total: int


def whereabouts(
    lead: StreamState,
    states: Sequence[StreamState],
    sources: Sequence[SourceState],
    posted: object = None,
) -> Whereabouts:
    """Return where a run is: by the lead's word, or the newest if it has said none.

    Until any stream says a phase it is the one `posted` in the document, by whatever program.
    """
    said = lead.phase
    if said is None:
        others = [state.phase for state in states if state.phase is not None]
        said = max(others, key=lambda phase: phase.started, default=None)
    elif not said.sub_phase:
        said = _within(said, lead, states)
    phase = said.phase if said else _posted(posted)
    sub_phase = said.sub_phase if said else ""
    operation = (said.operation if said else None) or _speaking(sources)
    if lead.finish is not None:
        phase, operation = _PHASE.get(lead.finish.status, "error"), None
    here = [source for source in sources if source.sub_phase == sub_phase]
    planned = counted(lead, states) if not sub_phase or sub_phase.startswith("downloading") else 0
    done = sum(source.summed.completed for source in here)
    return Whereabouts(phase, sub_phase, operation, done, max(planned, len(here)))


def _posted(phase: object) -> str:
    """Return the phase that a document names, unless that is over: this run is not."""
    text = foreign.text(phase)
    return text if text and text not in _OVER else "setup"


def _within(said: PhaseState, lead: StreamState, states: Iterable[StreamState]) -> PhaseState:
    """Return where in the lead's phase a stream beside it is: at work still, else the newest.

    A shell script says which phase begins, the program that it calls what it does in it.
    """
    begun = (lead.attempt_started or 0.0) - CLOCK_SLACK_SECONDS
    beside = [
        (state.sealed not in CLOSED, state.phase.started, state.phase)
        for state in states
        if state is not lead and state.phase is not None and state.phase.phase == said.phase
    ]
    deeper = [one for one in beside if one[2].sub_phase and one[1] >= begun]
    return max(deeper, key=lambda one: one[:2])[2] if deeper else said


def _speaking(sources: Iterable[SourceState]) -> str | None:
    """Return the running source that spoke last."""
    running = [source for source in sources if source.ended is None]
    latest = max(running, key=lambda source: (source.spoke, source.source), default=None)
    return latest.source if latest is not None else None
