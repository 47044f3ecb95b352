"""The figures as tables of Markdown."""

import math
from collections.abc import Iterable, Mapping, Sequence

from tools.bench.backtest.measure import (
    ALIKE,
    IN_PROPORTION,
    OURS,
    OWN_BAR,
    WITHOUT,
    Scores,
    pooled,
)
from tools.bench.backtest.neighbours import CONTROL
from tools.bench.backtest.recording import MODES


def errors(scores: Scores) -> str:
    """Return everybody's errors: ours, the neighbours by theirs, the control.

    Those who say the same share a line.
    """
    names = {name for name, _ in scores}
    controls = {name for name in names if name.startswith(CONTROL)}
    others = sorted(
        names - controls - {OURS}, key=lambda name: (round(pooled(scores, name).mae, 3), name)
    )
    ordered = (*names & {OURS}, *others, *sorted(controls))
    head = ["", "MAE/T", *MODES, "ALR", *MODES, "jitter", "no estimate", "bias"]
    rows: dict[tuple[str, ...], list[str]] = {}
    for name in ordered:
        label, _, unit = name.partition(", ")
        rows.setdefault((unit, *_errors_of(scores, name)), []).append(label)
    return _table(
        head,
        [
            [f"{', '.join(labels)} ({unit})" if unit else f"**{labels[0]}**", *cells]
            for (unit, *cells), labels in rows.items()
        ],
    )


def _errors_of(scores: Scores, name: str) -> list[str]:
    modes = [scores.get((name, mode)) for mode in MODES]
    whole = pooled(scores, name)
    return [
        _places(whole.mae),
        *(_places(one.mae if one else math.nan) for one in modes),
        _places(whole.alr),
        *(_places(one.alr if one else math.nan) for one in modes),
        f"{whole.jitter:.1f}",
        f"{whole.none:.1%}",
        f"{whole.bias:+.3f}",
    ]


def intervals(scores: Scores) -> str:
    """Return what our 80 % intervals held."""
    rows = [(mode, scores[OURS, mode]) for mode in MODES]
    return _table(
        ["", "held", "in the first third", "width / T", "interval score / T"],
        [
            [mode, f"{one.cover:.0%}", f"{one.early:.0%}", _places(one.width), _places(one.winkler)]
            for mode, one in rows
        ],
    )


def of_source(found: Mapping[tuple[str, str], float]) -> str:
    """Return the errors of the current source's estimates."""
    return _table(
        ["the current source", "with bytes", "without"],
        [
            [name, _places(found[name, "all"]), _places(found[name, "files_only"])]
            for name in (OURS, OWN_BAR)
        ],
    )


def of_history(found: Mapping[tuple[str, str], float]) -> str:
    """Return the errors with and without the journal of an earlier run."""
    return _table(
        ["second run of a job", *MODES],
        [
            [name, *(_places(found[name, mode]) for mode in MODES)]
            for name in (WITHOUT, ALIKE, IN_PROPORTION)
        ],
    )


def of_clocks(by_clock: Mapping[str, Scores]) -> str:
    """Return our errors when the same runs take a minute, an hour, ten hours."""
    return _table(
        ["the same runs in", "MAE/T", "ALR", "jitter", "no estimate"],
        [
            [clock, _places(one.mae), _places(one.alr), f"{one.jitter:.1f}", f"{one.none:.1%}"]
            for clock, one in ((clock, pooled(scores, OURS)) for clock, scores in by_clock.items())
        ],
    )


def of_orders(by_order: Mapping[str, Scores]) -> str:
    """Return our errors when the same files come in another order."""
    return _table(
        ["", *(f"MAE/T {mode}" for mode in MODES), *(f"ALR {mode}" for mode in MODES)],
        [
            [
                order,
                *(_places(scores[OURS, mode].mae) for mode in MODES),
                *(_places(scores[OURS, mode].alr) for mode in MODES),
            ]
            for order, scores in by_order.items()
        ],
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _places(number: float) -> str:
    """Show a share to three places, `.254`; a dash for what there is not."""
    if math.isnan(number):
        return "\N{EN DASH}"
    shown = f"{number:.3f}"
    return shown.removeprefix("0") if shown.startswith("0.") else shown
