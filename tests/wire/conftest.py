"""The fixtures of these tests: a proxy before each server, and waits that tests can bear."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import servers
from recorder.fixtures import spawn
from wire.faults import ByRun
from wire.proxy import Proxy, proxy
from wire.trial import patient

from journal.stores import Store, connect
from journal.stores.probe import ensure_probed

__all__ = ["spawn"]


@dataclass
class Wire:
    """A proxy before a real server: the root through it, and the store of that root past it."""

    proxy: Proxy
    fates: ByRun
    root: str
    past: Store


@pytest.fixture(scope="module")
def swift() -> Iterator[pytest.MonkeyPatch]:
    """Waits for the store are a tenth of what they are in life or less; ends wait longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journal.stores.s3.READ_SECONDS", 1.0)
        patch.setattr("journal.stores.s3.CONNECT_SECONDS", 0.5)
        patch.setattr("journal.recorder.sender.RETRY_FIRST_SECONDS", 0.05)
        patch.setattr("journal.recorder.sender.RETRY_MAX_SECONDS", 0.3)
        patch.setattr("journal.recorder.sender.FLUSH_PAUSE_SECONDS", 0.05)
        patch.setattr("journal.recorder.start.START_SECONDS", 0.5)
        patch.setattr("journal.recorder.run.EXIT_SECONDS", 60.0)
        patch.setattr("journal.stream.SEGMENT_ROLL_BYTES", 30_000)
        patch.setattr("readers.tail.POLL_MAX_SECONDS", 0.5)
        patch.setattr("readers.outage.RETRY_SECONDS", 0.5)
        yield patch


@pytest.fixture(scope="module", params=["moto", "weed"])
def wire(request: pytest.FixtureRequest, swift: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A proxy before each of the servers, the environment set for going through it."""
    server: servers.S3Server = request.getfixturevalue(f"{request.param}_server")
    with proxy(server.endpoint) as one:
        for name, value in server.environment.items():
            swift.setenv(name, value)
        root = server.root()
        past = patient(root)
        swift.setenv("AWS_ENDPOINT_URL_S3", one.endpoint)
        ensure_probed(connect(root))  # once for all of the many runs
        one.fate = fates = ByRun()
        yield Wire(one, fates, root, past)
