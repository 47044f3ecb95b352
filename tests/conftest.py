"""Fixtures for all tests: a home of their own, and S3 servers that are started at first use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers

_UNWANTED = ("AWS_", "JOURNAL_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the whole session, so that no test sees or touches the user's."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.upper().startswith(_UNWANTED)]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        # Nor does a test ask the network for credentials.
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield home


@pytest.fixture(scope="session")
def moto_server() -> Iterator[servers.S3Server]:
    """A moto server of the session; `moto_url` is what most tests want."""
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def weed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.S3Server]:
    """A SeaweedFS server of the session; `weed_url` is what most tests want."""
    with servers.weed(tmp_path_factory.mktemp("weed") / "s") as server:
        yield server


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.S3Server]:
    """A server of the session that ignores conditions."""
    with servers.rclone(tmp_path_factory.mktemp("rclone") / "s") as server:
        yield server


@pytest.fixture
def moto_url(moto_server: servers.S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a fresh root on moto, the environment set for it."""
    return _root(moto_server, monkeypatch)


@pytest.fixture
def weed_url(weed_server: servers.S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a fresh root on SeaweedFS, the environment set for it."""
    return _root(weed_server, monkeypatch)


@pytest.fixture
def rclone_url(rclone_server: servers.S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a fresh root on a server that ignores conditions, the environment set for it."""
    return _root(rclone_server, monkeypatch)


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Canned]:
    """A server that answers what it is told, the environment set for it."""
    with servers.canned() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def _root(server: servers.S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server.root()
