#!/usr/bin/env bash
# Makes the environment and runs everything that CI runs: format, lint, types, imports, tests.
#   bash tools/test.sh             the gate
#   bash tools/test.sh --long      the long runs too (many minutes)
#   bash tools/test.sh ARGS…       the gate with other arguments for pytest
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/environment.sh dev

bin=.venv/bin
"$bin/ruff" format --check .
"$bin/ruff" check .
"$bin/mypy"
"$bin/lint-imports"

selection=(-m "not long")
if [ "${1:-}" = "--long" ]; then
    shift
    selection=(-m "long or not long")
fi
# Two at once, file by file in their order: half the time is waiting. Fixtures of a module or of
# the session are made once for each of the two.
exec "$bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder "${selection[@]}" "$@"
