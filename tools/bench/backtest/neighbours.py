"""Everything that ours is compared with, by name: libraries, rules of other tools, the control."""

from collections.abc import Callable
from functools import partial
from typing import Final

from tools.bench.backtest import libraries, rules
from tools.bench.backtest.score import Estimator

UNITS: Final = ("bytes", "files")
CONTROL: Final = "control"

_RULES: Final[dict[str, Callable[[str], Estimator]]] = {
    "mean": rules.Mean,
    "indicatif": rules.Indicatif,
    "restic": rules.Restic,
    "rclone": rules.Rclone,
    "pv (30 s)": lambda unit: rules.Window(unit, 30.0),
    "aria2 (10 s)": lambda unit: rules.Window(unit, 10.0),
    "rsync (5 s)": lambda unit: rules.Window(unit, 5.0),
    "Hadoop SES": rules.Hadoop,
    "Holt": rules.Holt,
    "Parallax": rules.Parallax,
    CONTROL: rules.Control,
}


def neighbours() -> dict[str, Callable[[], Estimator]]:
    """Return a factory for each name; a name ends with its unit."""
    made: dict[str, Callable[[], Estimator]] = {"sources done, sources": rules.SourcesDone}
    for name, rule in {**libraries.installed(), **_RULES}.items():
        for unit in UNITS:
            made[f"{name}, {unit}"] = partial(rule, unit)
    return made


def answers_in(name: str, mode: str) -> bool:
    """Tell whether an estimator has anything to count in a mode."""
    return mode != "files_only" or not name.endswith(", bytes")
