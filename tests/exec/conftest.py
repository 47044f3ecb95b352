"""The fixtures of these tests."""

from collections.abc import Callable

import pytest
from recorder.fixtures import Spawn, local_root, moto_gate, spawn, start
from recorder.processes import Child, journal

__all__ = ["local_root", "moto_gate", "spawn", "start", "wrap"]

Wrap = Callable[..., Child]


@pytest.fixture
def wrap(spawn: Spawn, local_root: str) -> Wrap:
    """Start `journal exec` of a command in `run-1`, in a fresh directory."""

    def wrap(
        *words: str, options: tuple[str, ...] = (), own_group: bool = False, **environment: str
    ) -> Child:
        given = {"JOURNAL_RUN_ID": "run-1", "JOURNAL_ROOT": local_root, **environment}
        return spawn(journal("exec", *options, "--", *words), own_group=own_group, **given)

    return wrap
