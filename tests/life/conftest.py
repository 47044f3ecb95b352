"""The fixtures of these tests."""

import pytest
from recorder.fixtures import local_root, moto_gate, spawn, start

__all__ = ["local_root", "moto_gate", "spawn", "start"]


@pytest.fixture(
    params=[
        "local_root",
        pytest.param("moto_url", marks=pytest.mark.long),
        pytest.param("weed_url", marks=pytest.mark.long),
    ]
)
def root(request: pytest.FixtureRequest) -> str:
    """A fresh root; in the gate a directory, where a process that ends does not take its time."""
    url: str = request.getfixturevalue(request.param)
    return url
