"""The stores that the contract suite runs over."""

from pathlib import Path

import pytest

from journal.stores import Store, connect
from journal.stores.memory import MemoryStore


@pytest.fixture
def memory_url() -> None:
    """A store in memory has no URL."""


@pytest.fixture
def local_url(tmp_path: Path) -> str:
    """A directory that does not exist yet."""
    return str(tmp_path / "root")


@pytest.fixture(params=["memory", "local", "moto", "weed"])
def store(request: pytest.FixtureRequest) -> Store:
    """A fresh, empty store of each kind."""
    url = request.getfixturevalue(f"{request.param}_url")
    return MemoryStore() if url is None else connect(url)
