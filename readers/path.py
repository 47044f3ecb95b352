"""A field of a document by its path: `progress.files_done`, `sources[0].eta.at`. Pure."""

import re
from typing import Any, Final

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")
_NAMES_SHOWN: Final = 12


def field_at(document: Any, path: str) -> Any:
    """Return what lies at a path. Raises ValueError, naming what there is where it ends."""
    value, so_far = document, ""
    steps = _steps(path)
    for name, number in steps:
        try:
            value = value[int(number)] if number else _named(value, name)
        except (LookupError, TypeError):
            where = so_far or "the document"
            raise ValueError(f"there is no {path}: {where} {_described(value)}") from None
        so_far += f"[{number}]" if number else f".{name}" if so_far else name
    return value


def _steps(path: str) -> list[tuple[str, str]]:
    steps = [(match[1] or "", match[2] or "") for match in _STEP.finditer(path)]
    written = "".join(f"[{number}]" if number else f".{name}" for name, number in steps)
    if not steps or written.removeprefix(".") != path:
        raise ValueError(
            f"{path!a} is no path; give one like progress.files_done or sources[0].eta"
        )
    return steps


def _named(value: Any, name: str) -> Any:
    if isinstance(value, list) and name.isdecimal():
        return value[int(name)]
    if not isinstance(value, dict):
        raise LookupError(name)
    return value[name]


def _described(value: Any) -> str:
    if isinstance(value, dict):
        names = list(map(str, value))
        more = ", …" if len(names) > _NAMES_SHOWN else ""
        return f"has {', '.join(names[:_NAMES_SHOWN])}{more}"
    if isinstance(value, list):
        return f"is a list of {len(value)}"
    return "is a plain value"
