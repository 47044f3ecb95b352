"""What is left of a run at an instant: how long the sub-phases take, laid side by side. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from journal.eta.agenda import Item
from journal.eta.analogy import Again, Guesses, again, guesses, remember
from journal.eta.cost import Cost, costs
from journal.eta.interval import Outlook
from journal.eta.schedule import concurrency, in_turns, makespan

_INSTANT: Final = 1e-6  # seconds: no time at all has passed is no denominator


@dataclass(frozen=True, slots=True)
class Plan:
    """What is left of some sub-phases: an outlook, and the items it is of."""

    outlook: Outlook
    items: list[Item]
    has_coming: bool


class Course:
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

    def whole(self) -> Plan | None:
        """Plan all that is left: sub-phases that have begun go side by side, others after them."""
        phases = self.phases
        begun = [phase for phase in phases if any(x.begun is not None for x in self._items[phase])]
        parts = [begun] if begun else []
        parts += [[phase] for phase in phases if phase not in begun]
        plans = [self.plan(part) for part in parts]
        if not plans or any(plan is None for plan in plans):
            return None
        return _one_after_another([plan for plan in plans if plan is not None])

    def plan(self, phases: Sequence[str]) -> Plan | None:
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
        return Plan(outlook, [item for item in items if not item.is_done], bool(coming))

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


def _one_after_another(plans: Sequence[Plan]) -> Plan:
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
    return Plan(outlook, items, any(plan.has_coming for plan in plans))
