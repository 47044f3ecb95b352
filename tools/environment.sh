#!/usr/bin/env bash
# Makes or refreshes .venv with this package; with `dev`, with what the tests need too.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

if ! [ -x .venv/bin/python ]; then
    for python in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    done
    "$python" -m venv .venv
fi

pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
# Only after pyproject.toml changed: what is installed is this directory itself.
if ! [ .venv/installed -nt pyproject.toml ]; then
    "${pip[@]}" --editable .
    touch .venv/installed
fi
if [ "${1:-}" = dev ] && ! [ .venv/installed-dev -nt pyproject.toml ]; then
    "${pip[@]}" --upgrade 'pip>=25.1'  # the first that knows --group
    "${pip[@]}" --group dev
    touch .venv/installed-dev
fi
