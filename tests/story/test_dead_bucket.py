"""A bucket that fails all through a data preparation: nothing of the data or the journal is lost.

The preparation is the real one, in a process of its own, on files that come with Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import servers
from recorder.processes import journal
from recorder.stored import document, lines, marker, records
from story.dead import LARGE, SMALL, Ended, Place, close, place_of
from wire.faults import calm
from wire.proxy import proxy


@dataclass
class Story:
    """What became of a preparation, and of its journal once the store was back."""

    root: str
    place: Place
    prepared: Ended
    spooled: list[dict[str, Any]]
    stored_before: list[str]
    recovered: Ended
    verified: Ended


def told(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What the job said, without what is another's every time: times, counters, the journal's own.

    In alphabetical order, for eight threads say it.
    """
    chatter = ("heartbeat", "progress", "history", "planned", "waiting")
    return sorted(
        (line["type"], str(line.get("source")), str(line.get("path")), str(line.get("status")))
        for line in found
        if line["type"] not in chatter and line.get("by") != "journal"
    )


@pytest.fixture(scope="module", params=[SMALL, pytest.param(LARGE, marks=pytest.mark.long)])
def manifest(request: pytest.FixtureRequest) -> str:
    """What is prepared."""
    text: str = request.param
    return text


@pytest.fixture(scope="module")
def undisturbed(manifest: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same preparation without any journal."""
    place = place_of(tmp_path_factory.mktemp("undisturbed"), manifest)
    assert place.prepare("", JOURNAL_MODE="disabled").code == 0
    return place


@pytest.fixture(scope="module")
def journaled(manifest: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the same preparation says to a store that is never away."""
    place = place_of(tmp_path_factory.mktemp("journaled"), manifest)
    root = str(place.path / "root")
    assert place.prepare(root).code == 0
    return records(root)


@pytest.fixture(
    scope="module",
    params=[
        "in turn",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("shut", "silent", "errors")),
    ],
)
def story(
    request: pytest.FixtureRequest,
    manifest: str,
    moto_server: servers.S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    """A preparation whose store fails from its start to its end, in one way or in all in turn.

    Then the store is back, and `journal recover` runs on the host.
    """
    with pytest.MonkeyPatch.context() as patch, proxy(moto_server.endpoint) as gate:
        root, place = moto_server.root(), place_of(tmp_path_factory.mktemp("story"), manifest)
        for name, value in moto_server.environment.items():
            patch.setenv(name, value)
        close(gate, request.param)
        patch.setenv("AWS_ENDPOINT_URL_S3", gate.endpoint)
        patch.setenv("JOURNAL_SPOOL", str(place.path / "spool"))
        prepared = place.prepare(root)
        spooled = place.spooled
        gate.mode, gate.fate = "open", calm
        yield Story(
            root,
            place,
            prepared,
            spooled,
            [str(line["type"]) for line in lines(root)],
            place.run(journal("recover", "run-1", "--root", root)),
            place.run(journal("replay", "run-1", "--verify", "--root", root)),
        )


def test_the_dataset_is_that_of_a_run_without_a_journal(story, undisturbed):
    """Exit code 0 and the same bytes, whatever the journal's store does."""
    assert story.prepared.code == 0
    assert story.place.dataset == undisturbed.dataset
    assert set(undisturbed.dataset) == {"records.jsonl", "train.jsonl", "validation.jsonl"}


def test_a_dead_bucket_is_warned_of_once(story):
    """One line on stderr from the start to the end, and it says that the job goes on."""
    (warning,) = [line for line in story.prepared.err.splitlines() if "journal" in line]
    assert "the job goes on" in warning


def test_all_that_was_said_is_in_the_spool(story, journaled):
    """The spool holds the events that a store would have got, each once; the store has none."""
    assert story.stored_before == []
    assert told(story.spooled) == told(journaled)
    assert [line["seq"] for line in story.spooled] == list(range(len(story.spooled)))


def test_recovered_the_journal_is_complete(story):
    """`journal recover` puts all of it into the store, once, and nothing is left in the spool."""
    assert story.recovered.code == 0
    assert told(records(story.root)) == told(story.spooled)
    assert story.verified.code == 0, story.verified.out
    assert story.place.spooled == []


def test_recovered_the_run_has_ended_for_everybody(story):
    """The old monitor and readers see the end that the job could not tell them."""
    assert document(story.root)["finished"]["status"] == "completed"
    assert document(story.root)["status"] == "completed"
    assert str(marker(story.root, "_complete")).startswith("completed: ")
