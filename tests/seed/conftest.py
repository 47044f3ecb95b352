"""The fixtures of these tests: four preparations, side by side, and what was seen of each."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from recorder.processes import Child, python
from seed.minutes import MINUTE
from seed.mirror import Mirror, mirror
from seed.onlooker import Life, Look

PREPARATION = Path(__file__).with_name("preparation.py")
TESTS = Path(__file__).parents[1]
WATCHED = 80 * MINUTE  # at most: what has not come by then does not come

Lives = dict[str, Life]


@pytest.fixture(scope="module")
def lives(
    weed_server: servers.S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives]:
    """Four runs of the same preparation, looked at once a minute until all is said of each."""
    with pytest.MonkeyPatch.context() as patch, mirror() as site:
        for name, value in weed_server.environment.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", f"{TESTS}:{TESTS.parent}")
        root, directory = weed_server.root(), tmp_path_factory.mktemp("seed")
        found = {
            trouble: Life(
                root,
                trouble,
                Child(python(PREPARATION, root, trouble, f"{site.endpoint}/{trouble}"), directory),
            )
            for trouble in ("slow", "black-hole", "killed", "held")
        }
        try:
            _watch(found, site)
            yield found
        finally:
            for life in found.values():
                life.child.kill()


def _watch(lives: Lives, site: Mirror) -> None:
    watched = dict(lives)
    began = time.monotonic()
    while watched and time.monotonic() < began + WATCHED:
        for name, life in list(watched.items()):
            look = life.look()
            if name == "killed" and "killed" in site.reached:
                life.child.kill()
            if look is not None and _is_over(name, look):
                del watched[name]
        time.sleep(MINUTE)


def _is_over(name: str, look: Look) -> bool:
    """Tell whether all is said of a run: it has finished, or the old monitor has given it up."""
    if name in ("slow", "held"):
        return look.verdict.state == "completed"
    return look.monitor == "TIMED_OUT"
