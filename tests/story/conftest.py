"""The fixtures of these tests: the story before and after, told side by side and watched."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import servers
from recorder import legacy_monitor
from story.minutes import APART, LOOKS, MINUTE, STALE
from story.pipeline import AFTER, BEFORE, Pipeline
from story.site import Site, site

LONGEST = 100 * MINUTE  # what has not come by then does not come
Pipelines = dict[str, Pipeline]

# What the program that launches the training host writes, once, before anything runs there.
LAUNCHED = {
    "base_model": "mistral-7b",
    "start_time": "2026-08-05T19:26:30Z",
    "instance_id": "i-0123456789abcdef0",
    "instance_type": "g5.12xlarge",
    "region": "us-east-1",
    "status": "initializing",
}
# What the old script posts, at a moment when it has nothing to say that is news.
POSTED = {
    "status": "running",
    "phase": "data_prep",
    "instance_type": "g5.12xlarge",
    "instance_id": "i-0123456789abcdef0",
    "instance_ip": "10.0.0.7",
    "region": "us-east-1",
    "details": "Still preparing",
}


@pytest.fixture(scope="module")
def pipelines(
    weed_server: servers.S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipelines]:
    """Every way in which the story goes, watched from the launch to the end."""
    with pytest.MonkeyPatch.context() as patch, site() as sources:
        for name, value in weed_server.environment.items():
            patch.setenv(name, value)
        patch.setattr(legacy_monitor, "STALE", timedelta(seconds=STALE))
        root, directory = weed_server.root(), tmp_path_factory.mktemp("story")
        found = {
            name: Pipeline(name, weed_server, root, directory / name)
            for name in ("after", "before", "mixed", "killed", "gone")
        }
        try:
            _watch(found, sources)
            yield found
        finally:
            for pipeline in found.values():
                pipeline.kill()


def _start(pipeline: Pipeline, sources: Site) -> None:
    """Start a pipeline on the host that somebody has launched for it."""
    pipeline.post(LAUNCHED)
    manifest, root = sources.manifest(gone=pipeline.name == "gone"), {"JOURNAL_ROOT": pipeline.root}
    match pipeline.name:
        case "before":
            pipeline.start(BEFORE, manifest, JOURNAL_MODE="disabled", WARMUP_SECONDS="0")
        case "mixed":
            # The script is the old one. Its data preparation journals, and leaves the run open.
            options = f"--run-id {pipeline.run_id} --hand-over"
            pipeline.start(BEFORE, manifest, PREPARE_ARGUMENTS=options, WARMUP_SECONDS="0", **root)
        case _:
            pipeline.start(AFTER, manifest, **root)


def _watch(pipelines: Pipelines, sources: Site) -> None:
    """Start one after the other, and look at each until it is over for the old monitor."""
    waiting, watched = list(pipelines.values()), list[Pipeline]()
    began = time.monotonic()
    while (waiting or watched) and time.monotonic() < began + LONGEST:
        started = len(pipelines) - len(waiting)
        if waiting and time.monotonic() >= began + started * APART:
            watched.append(waiting.pop(0))
            _start(watched[-1], sources)
        for pipeline in list(watched):
            has_ended = pipeline.process.poll() is not None
            look = pipeline.look()
            if has_ended and look.monitor != "RUNNING":
                watched.remove(pipeline)
            if look.document.get("sub_phase") == "downloading_policy":
                _meddle(pipeline)
        time.sleep(MINUTE / LOOKS)


def _meddle(pipeline: Pipeline) -> None:
    """Do what befalls a pipeline in the middle of its downloads, once."""
    if pipeline.name == "mixed" and not pipeline.meddled_at:
        pipeline.overwrite(POSTED)
    elif pipeline.name == "killed" and not pipeline.meddled_at:
        pipeline.kill()
