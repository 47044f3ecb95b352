"""The fixtures of these tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recorder.fixtures import local_root, start
from recorder.processes import wait_until
from recorder.stored import body
from rights.guarded import GUARDS, Guarded

from journal.cli import main
from journal.recorder.start import start_run
from journal.stores import connect
from journal.stores.contract import ABSENT

__all__ = ["local_root", "start"]

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All objects of a finished run, `run-1`."""
    root = str(tmp_path_factory.mktemp("story"))
    with start_run("run-1", root=root, job="prep") as run:
        run.phase("data_prep", "downloading_policy")
        with run.source("federal", files=1) as source:
            source.file_done("a.pdf", bytes=1000)
    return {entry.key: body(root, entry.key) or b"" for entry in connect(root).list("")}


@pytest.fixture
def unprobed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody remembers that a store was probed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushes do not wait for each other."""
    monkeypatch.setattr("journal.recorder.sender.FLUSH_PAUSE_SECONDS", 0.02)


@pytest.fixture(params=["weed", "moto"])
def guarded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """A root on each server that enforces rights, for a user that has none yet."""
    server = request.getfixturevalue(f"{request.param}_server")
    with GUARDS[request.param](server, monkeypatch) as one:
        yield one


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the journal has logged so far; moto logs each request."""
    return lambda: [one.getMessage() for one in caplog.records if one.name == "journal"]


@pytest.fixture
def finished(guarded: Guarded, story: dict[str, bytes]) -> str:
    """The id of a finished run of the owner's."""
    with guarded.owner():
        store = connect(guarded.root)
        for key, content in story.items():
            store.put(key, content, expect=ABSENT)
    return "run-1"


@pytest.fixture
def old(guarded: Guarded, finished: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a finished run that may be pruned at once."""
    monkeypatch.setattr("journal.prune.PRUNE_MIN_SECONDS", 0)
    with guarded.owner():
        # Servers say when an object was written in whole seconds, or in parts of one.
        wait_until(lambda: "to prune: 1 segment" in command("prune", "--older-than", "0m")[1])
    return finished


@pytest.fixture
def command(guarded: Guarded, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command over the guarded root: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as done:
            main([*arguments, "--root", guarded.root])
        out, err = capfd.readouterr()
        # moto writes down each request.
        said = [line for line in err.splitlines() if "HTTP/1." not in line]
        code = done.value.code
        return (code if isinstance(code, int) else 0), out, "\n".join(said)

    return run
