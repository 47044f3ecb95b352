#!/usr/bin/env bash
# Makes or refreshes .venv with the package; with `dev`, also what the tests need.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
wanted="${1:-use} $(cat pyproject.toml | cksum)"
if [ ! -x .venv/bin/python ]; then
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "Python 3.11 or later is needed; say which with PYTHON=/path/to/python" >&2
        exit 2
    }
    "$python" -m venv .venv
fi
# Nothing to do if this very pyproject.toml was installed before.
if [ "$(cat .venv/installed 2>/dev/null)" != "$wanted" ] && [ "$(cat .venv/installed 2>/dev/null)" != "dev ${wanted#* }" ]; then
    .venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
    .venv/bin/python -m pip install --quiet --editable .
    if [ "${1:-}" = dev ]; then
        .venv/bin/python -m pip install --quiet --group dev
    fi
    echo "$wanted" > .venv/installed
fi
