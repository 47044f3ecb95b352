"""A pipeline as a process group of its own, and all that the old monitor saw and said of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from recorder import legacy_monitor
from servers import S3Server
from story.minutes import MINUTE, SCALED, SETUP, STALE, TRAINING, WARMUP

from journal import layout
from journal.clock import stamp_seconds
from journal.stores import Store, connect
from readers import legacy

REPOSITORY = Path(__file__).parents[2]
BEFORE = REPOSITORY / "tools" / "pipeline" / "before.sh"
AFTER = REPOSITORY / "tools" / "run_training_pipeline.sh"
# A PYTHONPATH on which programs keep the time of these tests.
SCALED_PROGRAMS = f"{Path(__file__).with_name('scaled')}:{REPOSITORY}"


@dataclass(frozen=True)
class Look:
    """What the old monitor saw at one moment (epoch seconds), and what it said."""

    at: float
    document: dict[str, Any]
    monitor: str
    detail: str
    again: str  # the answer of a second implementation, which shares nothing with the first


@dataclass
class Pipeline:
    """A run of one of the scripts, watched from outside."""

    name: str
    server: S3Server
    root: str
    directory: Path
    looks: list[Look] = field(default_factory=list)
    meddled_at: float = 0.0  # when somebody overwrote the document, or killed all processes

    @property
    def run_id(self) -> str:
        return f"mistral-{self.name}"

    @cached_property
    def store(self) -> Store:
        """Where the run lies."""
        return connect(self.root)

    def start(self, script: Path, manifest: str, **environment: str) -> None:
        """Start the script, which knows of compressed time by its environment alone."""
        self.directory.mkdir()
        (self.directory / "manifest.toml").write_text(manifest)
        times = {
            "SETUP_SECONDS": SETUP,
            "WARMUP_SECONDS": WARMUP,
            "TRAINING_SECONDS": TRAINING,
            SCALED: MINUTE / 60,
        }
        with (self.directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", str(script)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={
                    **os.environ,
                    **{name: str(value) for name, value in times.items()},
                    "RUN_ID": self.run_id,
                    "RUNS": self.root,
                    "MANIFEST": str(self.directory / "manifest.toml"),
                    "WORK_DIR": str(self.directory / "work"),
                    "PYTHON": sys.executable,
                    "PYTHONPATH": SCALED_PROGRAMS,
                    **environment,
                },
            )

    def post(self, document: dict[str, Any]) -> None:
        """Overwrite the document as others do: whole, and on no condition."""
        bucket, _, prefix = self.root.removeprefix("s3://").partition("/")
        self.server.client.put_object(
            Bucket=bucket,
            Key=f"{prefix}/{layout.snapshot_key(self.run_id)}",
            Body=json.dumps({"run_id": self.run_id, **document}).encode(),
        )

    def look(self) -> Look:
        """Look at the run as the old monitor does, by both implementations of it."""
        objects, now = legacy.look(self.store, self.run_id), time.time()
        opinion = legacy.opinion(objects, now, STALE)
        found = {
            f"{self.run_id}/{name}": (document.body, datetime.fromtimestamp(document.modified, UTC))
            for name, document in (
                ("metadata.json", objects.metadata),
                ("progress.json", objects.progress),
            )
            if document is not None
        } | {
            f"{self.run_id}/{name}": (body, datetime.fromtimestamp(now, UTC))
            for name, body in (("_error", objects.error), ("_complete", objects.complete))
            if body is not None
        }
        again, _ = legacy_monitor.verdict(found, self.run_id, datetime.fromtimestamp(now, UTC))
        seen = json.loads(objects.metadata.body) if objects.metadata else {}
        self.looks.append(Look(now, seen, opinion.state, opinion.detail, again))
        return self.looks[-1]

    def overwrite(self, document: dict[str, Any]) -> None:
        """Post a document as of now."""
        self.meddled_at = time.time()
        self.post({**document, "last_update": stamp_seconds(self.meddled_at)})

    def kill(self) -> None:
        """End the script and all it started, at once: nobody can say a last word."""
        self.meddled_at = self.meddled_at or time.time()
        if "process" not in vars(self):
            return  # it was never started
        # Of a group that has gone there is nothing to kill.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    @property
    def monitor(self) -> list[str]:
        """What the old monitor said, each answer once as long as it stayed the same."""
        return _changes([look.monitor for look in self.looks])

    def seen(self, name: str) -> list[Any]:
        """The values of a field of the document, each once as long as it stayed the same."""
        return _changes([look.document.get(name) for look in self.looks])


def _changes(answers: list[Any]) -> list[Any]:
    return [answer for at, answer in enumerate(answers) if at == 0 or answers[at - 1] != answer]
