"""The command line: parse, call, print.

A command's module is imported only when that command is run, so that the first line of output does
not wait for imports that it does not need.
"""

import gc
import sys
from typing import Final

GARBAGE_THRESHOLD: Final = 100_000
"""What a start imports stays; looking through it for garbage is an eighth of its cost."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code (README, "exit code")."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> int:
    # A wrapped program must not wait for what its wrapper does not need.
    if arguments[:1] == ["exec"]:
        from journal.cli.exec import run_exec  # noqa: PLC0415

        return run_exec(arguments[1:])
    from journal.cli.commands import run  # noqa: PLC0415

    return run(arguments)
