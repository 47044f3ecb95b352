"""The estimates of a run at an instant, from the states of its streams. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from journal.eta.agenda import Item, agenda
from journal.eta.analogy import Again, Guesses, again, guesses, remember
from journal.eta.cost import Cost, costs
from journal.eta.estimate import Estimate, Forecast
from journal.eta.interval import Outlook, interval
from journal.eta.schedule import concurrency, in_turns, makespan
from journal.limits import COUNT_MAX, WAIT_MAX_SECONDS
from journal.state import StreamState

_INSTANT: Final = 1e-6  # seconds: no time at all has passed is no denominator


def forecast(states: Sequence[StreamState], at: float | None = None) -> Forecast:
    """Estimate what is left of a run at an instant, by default that of its newest record.

    The first of the states speaks for the run. There is no estimate of what there is no ground for:
    before anything was done, unless the last time is known, and while nobody knows how much there
    is to do.
    """
    reached = max((state.last_record or 0.0 for state in states), default=0.0)
    at = reached if at is None else at
    if not states or states[0].finish is not None or states[0].attempt_started is None:
        return Forecast(at)
    rest, working = _wait(states, at)
    course = _Course(agenda(states), working)
    whole = course.whole()
    elapsed = max(working - states[0].attempt_started - states[0].waited, _INSTANT)
    run = _told(whole, elapsed, rest)
    told = Forecast(at, run)
    for sub_phase in course.phases:
        # Where only one is left, it is the whole.
        is_whole = run is not None and len(course.phases) == 1
        estimate = run if is_whole else _told(course.plan([sub_phase]), elapsed, rest)
        if estimate is not None:
            told.phases[sub_phase] = estimate
    for cost in course.at_work:
        passed = max(working - (cost.item.begun or working), _INSTANT)
        low, middle, high = interval(Outlook(cost.left, cost.variance), passed)
        said = Estimate(middle + rest, low + rest, high + rest, _basis([cost.item]), "fit")
        told.sources[cost.item.sub_phase, cost.item.source] = said
    return told


def _wait(states: Sequence[StreamState], at: float) -> tuple[float, float]:
    """Return what is left of a declared wait, and until when there was work."""
    waits = [state.wait for state in states if state.wait is not None]
    busy = [s for s in states if s.wait is None and any(x.ended is None for x in s.sources)]
    if not waits or busy:
        return 0.0, at
    since = min(wait.since for wait in waits)
    if at <= since:
        return 0.0, at
    until = max(wait.until for wait in waits)
    if until - since >= WAIT_MAX_SECONDS and len(waits) == 1:
        # Nobody said how long; the hour is when it will be doubted, not when it ends.
        until = min(until, at) if abs(until - since - WAIT_MAX_SECONDS) < 1e-3 else until
    return max(until - at, 0.0), min(at, since) + max(at - until, 0.0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is left of some sub-phases: an outlook, and the items it is of."""

    outlook: Outlook
    items: list[Item]
    has_coming: bool


class _Course:
    """What is known of a run's items at an instant, by sub-phase."""

    def __init__(self, items: Sequence[Item], at: float) -> None:
        self._at = at
        self._items: dict[str, list[Item]] = {}
        for item in items:
            self._items.setdefault(item.sub_phase, []).append(item)
        self._costs = {
            sub_phase: costs([item for item in group if item.begun is not None], at)
            for sub_phase, group in self._items.items()
        }
        self._known = [
            cost for group in self._costs.values() for cost in group if not _is_open(cost.item)
        ]
        self._again = again(self._known) if any(item.former for item in items) else Again()
        remember(self._known, self._again, at)

    @property
    def phases(self) -> list[str]:
        """The sub-phases in which something is left to do."""
        return [
            sub_phase
            for sub_phase, group in self._items.items()
            if not all(item.is_done for item in group)
        ]

    @property
    def at_work(self) -> list[Cost]:
        """What the sources at work cost, of those whose end is in sight."""
        return [cost for cost in self._known if not cost.item.is_done and cost.left > 0.0]

    def whole(self) -> _Plan | None:
        """Plan all that is left: sub-phases that have begun go side by side, others after them."""
        phases = self.phases
        begun = [phase for phase in phases if any(x.begun is not None for x in self._items[phase])]
        parts = [begun] if begun else []
        parts += [[phase] for phase in phases if phase not in begun]
        plans = [self.plan(part) for part in parts]
        if not plans or any(plan is None for plan in plans):
            return None
        return _one_after_another([plan for plan in plans if plan is not None])

    def plan(self, phases: Sequence[str]) -> _Plan | None:
        """Plan what is left of sub-phases that go on side by side; None without ground."""
        items = [item for phase in phases for item in self._items[phase]]
        at_work, coming, variance = [], [], 0.0
        common, medians, spread = 0.0, 0.0, 0.0
        each: list[float] = []
        for phase in phases:
            working, guessed = self._left_in(phase)
            if working is None:
                return None
            at_work += working
            if guessed is not None:
                median = guessed.median
                medians += median
                coming += guessed.each
                scale = median / max(sum(guess.seconds for guess in guessed.each), _INSTANT)
                each += [guess.seconds * scale for guess in guessed.each]
                spread += median**2 * guessed.variance
                common += median
        known = sum(left for left, _ in at_work)
        if known > 0.0:
            variance = sum((left / known) ** 2 * each_one for left, each_one in at_work)
        outlook = self._scheduled(items, [left for left, _ in at_work], each, variance)
        if medians > 0.0:
            outlook = Outlook(
                outlook.known,
                outlook.known_variance,
                outlook.coming,
                spread / medians**2,
                outlook.least,
            )
        return _Plan(outlook, [item for item in items if not item.is_done], bool(coming))

    def _left_in(self, phase: str) -> tuple[list[tuple[float, float]] | None, Guesses | None]:
        """Return what is left of what is at work in a sub-phase, and a guess of what is to come."""
        items = self._items[phase]
        likes = [cost for cost in self._costs[phase] if not _is_open(cost.item)]
        has_likes = bool(likes)
        likes = likes or self._known
        at_work = [
            (cost.left, cost.variance)
            for cost in self._costs[phase]
            if not cost.item.is_done and cost.left > 0.0 and not _is_open(cost.item)
        ]
        counted = {id(cost.item) for cost in self._costs[phase]}
        for item in items:
            if item.is_done or item.begun is None or (id(item) in counted and not _is_open(item)):
                continue
            # Nobody knows how much it is, or nothing is done yet: by others, and by the last time.
            guessed = guesses([item], likes, self._again, elsewhere=not has_likes)
            if guessed is None:
                return None, None
            passed = max(self._at - item.begun, 0.0)
            whole = guessed.median
            at_work.append((whole * whole / (whole + passed), guessed.variance))
        coming = [item for item in items if item.begun is None and not item.is_done]
        if not coming:
            return at_work, None
        guessed = guesses(coming, likes, self._again, elsewhere=not has_likes)
        return (None, None) if guessed is None else (at_work, guessed)

    def _scheduled(
        self, items: Sequence[Item], at_work: list[float], coming: list[float], variance: float
    ) -> Outlook:
        """Spread what is left over as many places as were at work so far."""
        begun = [item for item in items if item.begun is not None]
        if not begun:
            begun = [cost.item for cost in self._known]
        turns = in_turns(begun, self._at)
        if turns is None:
            places = max(1, len(at_work), min(round(concurrency(begun, self._at)), len(items)))
        else:
            places = max(1, min(round(turns), len(items)))
            longest_first = sorted(at_work, reverse=True)
            at_work, coming = longest_first[:places], [*longest_first[places:], *coming]
        last = makespan(at_work, coming, places)
        least = max(at_work, default=0.0)
        known, more = sum(at_work) / places, sum(coming) / places
        evenly = max(known + more, least)
        scale = last / evenly if evenly > 0.0 else 1.0
        return Outlook(known * scale, variance, more * scale, 0.0, least * scale)


def _is_open(item: Item) -> bool:
    """Tell whether a source is at work of which nobody knows how much it is."""
    return not item.is_done and item.files is None and item.bytes is None


def _one_after_another(plans: Sequence[_Plan]) -> _Plan:
    first = plans[0]
    later = [plan.outlook for plan in plans[1:]]
    parts = [(first.outlook.coming, first.outlook.coming_variance)]
    parts += [(part.coming, part.coming_variance) for part in later]
    coming = sum(seconds for seconds, _ in parts)
    variance = (
        sum(seconds**2 * each for seconds, each in parts) / coming**2 if coming > 0.0 else 0.0
    )
    outlook = Outlook(
        first.outlook.known,
        first.outlook.known_variance,
        coming,
        variance,
        first.outlook.least,
    )
    items = [item for plan in plans for item in plan.items]
    return _Plan(outlook, items, any(plan.has_coming for plan in plans))


def _told(plan: _Plan | None, elapsed: float, rest: float) -> Estimate | None:
    if plan is None or not plan.items:
        return None
    low, middle, high = (
        min(seconds + rest, COUNT_MAX) for seconds in interval(plan.outlook, elapsed)
    )
    method = "analogy" if plan.has_coming else "fit"
    return Estimate(middle, low, high, _basis(plan.items), method)


def _basis(items: Sequence[Item]) -> str:
    if any(item.former is not None for item in items):
        return "history"
    if all(item.bytes is not None for item in items):
        return "bytes"
    return "files" if all(item.files is not None for item in items) else "sources"
