#!/usr/bin/env bash
# Try everything on this machine: make .venv, install, prepare a dataset of the standard library
# with the embedded store (no account, no network beyond the installation), and look at the run.
#
#     bash tools/run.sh [DIR]      # the dataset stays in DIR; without it, it is removed at the end
set -euo pipefail

kept=${1:-}
if [ -n "$kept" ]; then
    mkdir -p -- "$kept"
    kept=$(cd -- "$kept" && pwd)
fi
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
unset JOURNAL_ROOT JOURNAL_RUN_ID JOURNAL_MODE

bash tools/environment.sh

work=${kept:-$(mktemp -d)}
trap '[ -n "$kept" ] || rm -rf -- "$work"' EXIT

code=0
.venv/bin/python tools/prepare_dataset.py tools/dataset/standard_library.toml \
    --work-dir "$work" || code=$?
[ -n "$kept" ] || echo "(removed at the end; bash tools/run.sh DIR keeps it)"

echo
.venv/bin/journal status latest
echo
.venv/bin/journal tail latest -n 12
exit "$code"
