"""Fixtures that the folders `recorder`, `kill` and `cli` share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import servers
from recorder.processes import Child
from wire.proxy import Proxy, proxy

from journal.recorder.run import Run
from journal.recorder.start import start_run

Start = Callable[..., Run]
Spawn = Callable[..., Child]


@pytest.fixture
def local_root(tmp_path: Path) -> str:
    """A directory that does not exist yet."""
    return str(tmp_path / "root")


@pytest.fixture(params=["local", "moto"])
def root(request: pytest.FixtureRequest) -> str:
    """A fresh root, in a directory and on S3."""
    name = "local_root" if request.param == "local" else "moto_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """`start_run` of `run-1`, flushing soon; runs that the test leaves open are let go."""
    runs: list[Run] = []

    def start(root: str, run_id: str | None = "run-1", **options: object) -> Run:
        run = start_run(run_id, root=root, **{"flush_seconds": 0.1, "job": "prep", **options})
        runs.append(run)
        return run

    yield start
    for run in runs:
        let_go(run)


def let_go(run: Run) -> None:
    """End a run's threads as the death of its process would: without a word."""
    carrier = run._carrier
    carrier.sender.is_done = True
    carrier.outbox.filled.set()
    run.abandon()
    carrier.threads[0].join()


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Start child programs; those that are left at the end are killed."""
    children: list[Child] = []
    directory = tmp_path / "children"
    directory.mkdir()

    def spawn(command: list[str], *, own_group: bool = False, **environment: str) -> Child:
        children.append(Child(command, directory, own_group=own_group, **environment))
        return children[-1]

    yield spawn
    for child in children:
        child.kill()


@pytest.fixture
def moto_gate(
    moto_server: servers.S3Server, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """A proxy before moto, the environment set for it; `moto_url` is the root behind it."""
    with proxy(moto_server.endpoint) as one:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", one.endpoint)
        yield one


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries and waits for the store are a hundredth of what they are in life, or so."""
    monkeypatch.setattr("journal.recorder.sender.RETRY_FIRST_SECONDS", 0.02)
    monkeypatch.setattr("journal.recorder.sender.RETRY_MAX_SECONDS", 0.1)
    monkeypatch.setattr("journal.recorder.sender.FLUSH_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr("journal.recorder.start.START_SECONDS", 0.5)
    monkeypatch.setattr("journal.recorder.run.EXIT_SECONDS", 0.5)
