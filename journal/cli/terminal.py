"""What a command prints on: how wide it is, in which colours and with which characters.

Human output is the same text on a pipe: without colour, and never cut, since nobody knows how wide
whoever reads it is.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import click

from readers.text import cells

LEAST_COLUMNS: Final = 40

# Of the basic sixteen colours, which every theme, dark or light, keeps readable; no plain white,
# yellow or black, which some theme has as its ground.
_STYLES: Final = {
    "ok": "32",
    "warn": "33",
    "critical": "31;1",
    "done": "36",
    "strong": "1",
    "dim": "2",
}
_COLOURS: Final = re.compile("\x1b\\[[0-9;]*m")
# What an encoding without them shows instead.
_PLAIN: Final = str.maketrans(
    {"…": "...", "×": "x", "─": "-", "—": "-", "█": "#", "░": ".", "±": "+-", "·": "-"}
    | {"✓": "+", "✗": "x", "–": "-", "→": "->", "▶": ">", "│": "|"}
)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where output goes. `columns` is None where it is not a terminal: nothing is cut there."""

    columns: int | None
    has_colour: bool
    encoding: str = "utf-8"

    @property
    def is_interactive(self) -> bool:
        """Whether somebody looks at it: bars and pagers are for them alone."""
        return self.columns is not None

    def styled(self, text: str, style: str) -> str:
        """Return a text in a style of `_STYLES`; as it is where there is no colour."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.has_colour else text

    def fitted(self, text: str) -> str:
        """Return a line cut to the columns there are, with an ellipsis where it was."""
        return text if self.columns is None else cut(text, self.columns)

    def encoded(self, text: str) -> bytes:
        """Return a text in the encoding of the output; what that lacks is shown plainly."""
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            return text.translate(_PLAIN).encode(self.encoding, "backslashreplace")

    def bar(self, share: float, columns: int) -> str:
        """Return a bar of so many columns, filled by a share of 0 to 1."""
        filled = round(min(max(share, 0.0), 1.0) * columns)
        return "█" * filled + "░" * (columns - filled)

    def say(self, line: str) -> None:
        """Print a line that is fit for a terminal: cut to its width, in its encoding."""
        out = sys.stdout.buffer
        out.write(self.encoded(self.fitted(line)) + b"\n")


PIPE: Final = Terminal(None, has_colour=False)


def terminal(
    color: str = "auto", out: IO[Any] | None = None, environment: Mapping[str, str] = os.environ
) -> Terminal:
    """Return what standard output, or `out`, is, by what was asked for and the environment.

    `--color` counts more than NO_COLOR (no-color.org), that more than FORCE_COLOR
    (force-color.org), that more than whether it is a terminal.
    """
    out = sys.stdout if out is None else out
    is_tty = out.isatty()
    columns = None
    if is_tty:
        columns = max(LEAST_COLUMNS, shutil.get_terminal_size((80, 24)).columns)
    return Terminal(columns, _has_colour(color, environment, is_tty=is_tty), _encoding(out))


def _has_colour(color: str, environment: Mapping[str, str], *, is_tty: bool) -> bool:
    if color != "auto":
        return color == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return environment["FORCE_COLOR"] != "0"
    return is_tty and environment.get("TERM") != "dumb"


def _encoding(out: IO[Any]) -> str:
    return getattr(out, "encoding", None) or "utf-8"


color_option = click.option(
    "--color",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="Colours; `auto` heeds NO_COLOR, FORCE_COLOR and whether it is a terminal.",
)


def cut(text: str, columns: int) -> str:
    """Return a text of at most so many columns; what colours it stays whole."""
    if cells(_COLOURS.sub("", text)) <= columns:
        return text
    kept, used, at = [], 0, 0
    while at < len(text):
        colour = _COLOURS.match(text, at)
        if colour is not None:
            kept.append(colour[0])
            at = colour.end()
            continue
        wide = cells(text[at])
        if used + wide > columns - 1:
            break
        kept.append(text[at])
        used += wide
        at += 1
    ends = "".join(_COLOURS.findall(text, at))
    return "".join(kept) + "…" + ends


def cut_inside(text: str, columns: int) -> str:
    """Return an uncoloured text of at most so many columns; its end, which tells most, stays.

    Names that stand in a column differ at their ends as a rule: times of runs, numbers of files.
    """
    if cells(text) <= columns:
        return text
    end, used = len(text), 0
    while used + cells(text[end - 1]) <= (columns - 1) // 2:
        end -= 1
        used += cells(text[end])
    return cut(text[:end], columns - used) + text[end:]


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Return a text filled up with blanks to so many columns, in front if it is to stand right."""
    blanks = " " * max(0, columns - cells(_COLOURS.sub("", text)))
    return blanks + text if right else text + blanks


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int,
    columns: int | None = None,
    spare: int | None = None,
) -> list[str]:
    """Lay out rows under their heads, the first `left` columns flush left.

    A last column that nobody has filled is left out. Too wide for `columns`, the column `spare`
    goes, then the first one, whose cells have no colour, is cut down to a third of them, and then
    whole columns are left out from the end.
    """
    rows = [head, *rows]
    if not any(row[-1] for row in rows[1:]):
        rows = [row[:-1] for row in rows]
    widths = [max(cells(_COLOURS.sub("", row[at])) for row in rows) for at in range(len(rows[0]))]
    shown = list(range(len(widths)))

    def missing() -> int:
        return 0 if columns is None else sum(widths[at] + 2 for at in shown) - 2 - columns

    if missing() > 0 and spare is not None:
        shown.remove(spare)
    if columns is not None and missing() > 0:
        wanted, widths[0] = widths[0], min(widths[0], columns // 3)
        while len(shown) > 1 and missing() > 0:
            shown.pop()
        widths[0] = min(wanted, widths[0] - missing())  # what room is left is its own again
    return [
        "  ".join(
            padded(cut(row[at], widths[at]), widths[at], right=at >= left)
            if at
            else padded(cut_inside(row[0], widths[0]), widths[0], right=left == 0)
            for at in shown
        ).rstrip()
        for row in rows
    ]
