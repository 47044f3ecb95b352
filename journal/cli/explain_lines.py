"""The story of a run as lines for people: how it ended first, then where its time went."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from journal.clock import stamp
from journal.words import duration, size
from readers.course import Move
from readers.postmortem import Cluster, Postmortem, Span
from readers.text import printable


def explain_lines(told: Postmortem, time: Callable[[Any], str]) -> Iterator[str]:
    """Yield the lines; `time` shows a `ts`."""

    def when(at: float) -> str:
        return time(stamp(at))

    took = duration(told.end - told.begin)
    yield printable(f"{told.run_id}: {told.ended} after {took}, {when(told.begin)} on")
    if told.message:
        yield printable(f"  {told.message}")
    if told.first_sign:
        at, _, words = told.first_sign.partition(" ")
        yield printable(f"  first sign of the end: {time(at)} {words}")
    if told.last_work is not None:
        yield f"  last work: {when(told.last_work)}"
    yield from _part("PHASES", (_span(one, when) for one in told.phases))
    yield from _part("LONGEST SILENCES", (_silence(one, when) for one in told.silences))
    yield from _part("SLOWEST FILES", (_span(one, when) for one in told.files))
    yield from _part("SLOWEST SOURCES", (_span(one, when) for one in told.sources))
    yield from _part("ERRORS", (_cluster(one, when) for one in told.errors))
    yield from _part("RATE", (_rate(one, when) for one in told.rates))
    yield from _part("EXPECTED END", (_eta(one, when) for one in told.etas))
    yield from _part("STALL LIMITS", map(_limit, told.limits))


def _part(head: str, lines: Iterator[str]) -> Iterator[str]:
    shown: Sequence[str] = [printable(line) for line in lines]
    if shown:
        yield ""
        yield head
        yield from (f"  {line}" for line in shown)


def _span(one: Span, when: Callable[[float], str]) -> str:
    moved = one.more.get("bytes")
    of = f", {size(moved)}" if moved else ""
    return f"{duration(one.seconds):>10}  {one.name}{of}, from {when(one.begin)}"


def _silence(one: Span, when: Callable[[float], str]) -> str:
    flying = one.more["in_flight"]
    held = f"in flight: {', '.join(flying)}" if flying else "nothing was said to be in flight"
    return f"{duration(one.seconds):>10}  from {when(one.begin)}; {held}"


def _rate(one: Move, when: Callable[[float], str]) -> str:
    return f"{when(one.at)}  {size(one.before)}/s to {size(one.after)}/s: {one.because}"


def _eta(one: Move, when: Callable[[float], str]) -> str:
    later = one.after - one.before
    word = "later" if later > 0 else "earlier"
    return f"{when(one.at)}  {duration(abs(later))} {word}, {when(one.after)}: {one.because}"


def _cluster(one: Cluster, when: Callable[[float], str]) -> str:
    count = f"{one.count} in {duration(one.end - one.begin)}" if one.count > 1 else ""
    again = f"{one.retried} tried again" if one.retried else ""
    kinds = ", ".join(f"{number} {name}" for name, number in one.classes.most_common(3))
    words = ", ".join(word for word in (count, again) if word)
    return f"{when(one.begin)}  {words}{': ' if words else ''}{kinds}"


def _limit(one: tuple[float | None, dict[str, int]]) -> str:
    limit, alarms = one
    name = "adapting" if limit is None else duration(limit)
    found = [f"{count} {kind}" for kind, count in alarms.items() if count]
    return f"{name:>10}  {'no alarm' if not found else 'alarms: ' + ', '.join(found)}"
