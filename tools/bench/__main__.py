"""`python -m tools.bench NAME`: measure, print, and exit with 1 if a limit is missed.

One line for each number: its value, its limit, ok or MISSED, and how it was taken. Times are CPU
times. Run it from the repository's root with the development dependencies installed.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

from tools.bench.measure import Effort
from tools.bench.result import Result

BENCHES = (
    *(
        "caller",
        "pump",
        "tail",
        "tailcli",
        "help",
        "requests",
        "idle",
        "recover",
        "eta",
        "health",
        "exec",
        "verify",
        "tailjson",
        "follow",
        "latency",
    ),
)
_ALL_SECONDS = 600.0  # no bench takes longer


def main() -> int:
    options = _parsed()
    if options.name == "all":
        return _all(sys.argv[1:])
    judged = not options.quick
    missed = 0
    results: Iterator[Result] = import_module(f"tools.bench.{options.name}").run(
        Effort(options.rounds, options.quick)
    )
    for result in results:
        fields = result.fields(judged=judged)
        print(json.dumps(fields) if options.json else result.line(judged=judged), flush=True)
        missed += judged and not result.is_met
    return 1 if missed else 0


def _all(arguments: list[str]) -> int:
    """Run each bench in a process of its own: what one leaves behind must not slow the next."""
    codes = []
    for name in BENCHES:
        given = [name if argument == "all" else argument for argument in arguments]
        command = [sys.executable, "-m", "tools.bench", *given]
        codes.append(subprocess.run(command, check=False, timeout=_ALL_SECONDS).returncode)
    return max(codes)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description=str(__doc__).partition("\n\n")[2],
        epilog=str(import_module("tools.bench").__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=(*BENCHES, "all"))
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of the bench's own number")
    parser.add_argument("--quick", action="store_true", help="show that it works; judge nothing")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
