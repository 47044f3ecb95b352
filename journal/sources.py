"""The sources of a run, each of them once, whatever streams speak of it. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from journal.limits import CLOCK_SLACK_SECONDS, COUNT_MAX
from journal.state import SourceState, StreamState

_Number = TypeVar("_Number", int, float)


def sources_of(states: Iterable[StreamState], lead: StreamState) -> list[SourceState]:
    """Return the sources of a run in the order of their beginning, each of them once.

    What several streams say of one is put together. `attempt` is the lead's in those that the
    present attempt of a stream is at, and lower in all others.
    """
    begun = (lead.attempt_started or 0.0) - CLOCK_SLACK_SECONDS
    together: dict[tuple[str, str], SourceState] = {}
    at_work_again: set[tuple[str, str]] = set()
    for state in sorted(states, key=lambda state: state is not lead):
        for source in state.sources:
            key = source.sub_phase, source.source
            is_present = source.attempt == state.attempt
            if state is lead and is_present:
                at_work_again.add(key)
            elif key in at_work_again and source.started < begun:
                continue  # of an earlier attempt: the lead said what it found done of it
            part = replace(source, attempt=lead.attempt - (0 if is_present else 1))
            together[key] = _together(together[key], part) if key in together else part
    return sorted(together.values(), key=lambda source: source.started)


def counted(lead: StreamState, states: Iterable[StreamState]) -> int:
    """Return how many sources there will be as the lead said it, else who works beside it."""
    if lead.sources_total is not None:
        return lead.sources_total
    begun = (lead.attempt_started or 0.0) - CLOCK_SLACK_SECONDS
    said = [state.sources_total or 0 for state in states if (state.attempt_started or 0.0) >= begun]
    return max(said, default=0)


def _together(one: SourceState, other: SourceState) -> SourceState:
    """Add up what two streams did of one source; what there is to do is the same for both."""
    return replace(
        one,
        attempt=max(one.attempt, other.attempt),
        started=min(one.started, other.started),
        spoke=max(one.spoke, other.spoke),
        files_total=_larger(one.files_total, other.files_total),
        bytes_total=_larger(one.bytes_total, other.bytes_total),
        found_files=max(one.found_files, other.found_files),
        found_bytes=max(one.found_bytes, other.found_bytes),
        files=sum_of((one.files, other.files)),
        bytes=sum_of((one.bytes, other.bytes)),
        file_bytes=sum_of((one.file_bytes, other.file_bytes)),
        skipped=one.skipped + other.skipped,
        errors=one.errors + other.errors,
        # Whoever began it may end it for all, and so may the one that was left to do it.
        ended=_larger(one.ended, other.ended),
        failed=one.failed or other.failed,
        work=one.work.together(
            other.work, max(one.spoke, other.spoke) - min(one.started, other.started)
        ),
        has_grown=one.has_grown or other.has_grown,
    )


def _larger(one: _Number | None, other: _Number | None) -> _Number | None:
    return other if one is None else one if other is None else max(one, other)


def sum_of(counts: Iterable[int]) -> int:
    """Add counts; a sum stays a number that every JSON reader holds exactly."""
    return min(sum(counts), COUNT_MAX)
