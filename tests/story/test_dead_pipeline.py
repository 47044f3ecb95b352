"""A whole pipeline whose bucket fails from its start to its end, every program of it.

None of them can ask the store who else is at work on the run; they have to know it from each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import servers
from recorder.processes import journal
from recorder.stored import document, marker, records
from story.dead import SMALL, Ended, Place, close, place_of
from story.pipeline import AFTER
from wire.proxy import proxy

PREPARATION = "prepare_dataset-manifest"
TRAINING = "train"


@dataclass
class Story:
    """What became of a pipeline, and of its journal once the store was back."""

    root: str
    place: Place
    ended: Ended
    recovered: Ended
    verified: Ended

    def told(self, stream: str) -> list[tuple[Any, Any]]:
        """What a stream has said of the course: types, each with its phase or status, if any."""
        return [
            (record["type"], record.get("phase") or record.get("status"))
            for record in records(self.root, stream)
            if record["type"] in ("started", "phase", "finished")
        ]


@pytest.fixture(scope="module")
def story(
    moto_server: servers.S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """The pipeline without its store; then the store is back, and `journal recover` runs."""
    with pytest.MonkeyPatch.context() as patch, proxy(moto_server.endpoint) as gate:
        root, place = moto_server.root(), place_of(tmp_path_factory.mktemp("pipeline"), SMALL)
        for name, value in moto_server.environment.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL_S3", gate.endpoint)
        patch.setenv("JOURNAL_SPOOL", str(place.path / "spool"))
        close(gate, "shut")
        ended = place.pipeline(AFTER, root)
        gate.mode = "open"
        yield Story(
            root,
            place,
            ended,
            place.run(journal("recover", "run-1", "--root", root)),
            place.run(journal("replay", "run-1", "--verify", "--root", root)),
        )


def test_a_pipeline_does_not_fail_for_its_bucket(story):
    """Exit code 0, and everything is made that was to be made."""
    assert story.ended.code == 0
    assert len(list((story.place.path / "work" / "checkpoints").iterdir())) == 10


def test_each_program_has_its_own_stream_after_all(story):
    """Recovered, the script's words are in main, and no program's end is taken for the run's."""
    assert story.recovered.code == 0
    assert story.told("main") == [
        ("started", None),
        ("phase", "setup"),
        ("phase", "data_prep"),
        ("phase", "training"),
        ("phase", "training"),
        ("finished", "completed"),
    ]
    assert story.told(PREPARATION)[-1] == ("finished", "completed")
    assert story.told(TRAINING)[-1] == ("finished", "completed")


def test_recovered_the_journal_of_a_pipeline_is_complete(story):
    """Chain, numbers, snapshot and marker are sound, and the run's end is the script's."""
    assert story.verified.code == 0, story.verified.out
    assert document(story.root)["attempt"] == 1
    assert "trained: 10 steps" in str(marker(story.root, "_complete"))
