"""What a job says of sources to come: checked, and divided over events of bounded length."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from journal import events
from journal.limits import PLAN_BYTES, PLAN_SOURCES

SourcePlan = Sequence[str | Mapping[str, Any]]


def is_plan(sources: object) -> bool:
    """Tell whether it is a list of anything: one name alone, which is a sequence too, is none."""
    return isinstance(sources, Sequence) and not isinstance(sources, str | bytes)


def planned(sources: SourcePlan) -> list[dict[str, Any]]:
    """Return what is said of each source: its name, and `files` and `bytes` as far as known.

    Raises ValueError for what is no plan.
    """
    if not is_plan(sources):
        raise ValueError("sources must be a list of names, or of mappings")
    return [_checked(plan) for plan in sources]


def parts_of(plans: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Divide a plan so that each part fits into one line: a line that is too long is cut."""
    part: list[dict[str, Any]] = []
    room = PLAN_BYTES
    for plan in plans:
        size = len(orjson.dumps(plan))
        if part and (len(part) == PLAN_SOURCES or size > room):
            yield part
            part, room = [], PLAN_BYTES
        part.append(plan)
        room -= size
    if part:
        yield part


def check_counts(fields: dict[str, Any]) -> None:
    """Raise ValueError if one of the fields is neither None nor a whole number."""
    for name, value in fields.items():
        if value is not None and (type(value) is not int or value < 0):
            raise ValueError(f"{name} must be a whole number, not {value!r}")


def _checked(plan: object) -> dict[str, Any]:
    if isinstance(plan, str):
        plan = {"source": plan}
    if not isinstance(plan, Mapping) or not isinstance(plan.get("source"), str):
        raise ValueError("each of sources must be a name or a mapping with its name in 'source'")
    check_counts({name: plan.get(name) for name in ("files", "bytes")})
    # Plain values, which the job cannot change any more. What matters comes first: the rest may
    # be of any size, and is cut then.
    first = {name: plan[name] for name in ("source", "files", "bytes") if name in plan}
    copied: dict[str, Any] = events.plain({**first, **plan})
    return copied
