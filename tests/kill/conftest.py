"""The fixtures of these tests, and roots that outlive one of them."""

from collections.abc import Iterator

import pytest
from recorder.fixtures import hasty, local_root, moto_gate, root, spawn, start

__all__ = ["hasty", "local_root", "module_root", "moto_gate", "root", "spawn", "start"]


@pytest.fixture(scope="module")
def module_root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A root for all tests of a module, on the store that `request.param` names."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "local":
            yield str(tmp_path_factory.mktemp("local") / "root")
        else:
            server = request.getfixturevalue("weed_server")
            [patch.setenv(name, value) for name, value in server.environment.items()]
            yield server.root()
