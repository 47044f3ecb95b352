"""A thousand streams of one run, fifty of them writing, followed by `journal tail -f` for a minute.

Writers, reader and SeaweedFS are processes of their own. Measured once the reader has found its
place: its CPU time, and what it asks of the store.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tools.bench.measure import Effort
from tools.bench.result import Result
from tools.bench.server import ROOT
from tools.bench.weed import weed_server

_RUN = "crowd"
_NOTHING = (304, 416)  # what S3 answers where there is nothing new


def run(effort: Effort) -> Iterator[Result]:
    """Let the crowd write, follow it, and tell what that took."""
    streams, writing = (40, 20) if effort.quick else (1000, 50)
    skipped, lasting = (4.0, 5.0) if effort.quick else (30.0, 60.0)
    with weed_server():
        crowd = subprocess.Popen(
            [*_module("crowd"), str(streams), str(writing)], stdout=subprocess.PIPE, text=True
        )
        try:
            _wait_for(crowd)
            done = subprocess.run(
                [*_module("follower"), str(skipped), str(lasting)],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=skipped + lasting + 60.0,
            )
            if crowd.poll() is not None:
                raise RuntimeError(f"the writers ended with code {crowd.returncode}")
        finally:
            crowd.kill()
            crowd.wait()
    yield from _results(json.loads(done.stderr.splitlines()[-1]), f"{writing} of {streams} streams")


def _results(found: dict[str, Any], streams: str) -> Iterator[Result]:
    sent = Counter(found["sent"])
    polls = max(sum(number for what, number in sent.items() if "snapshot" in what), 1)
    vain = sum(
        number
        for what, number in sent.items()
        if what.startswith("get segment") and what.endswith(tuple(map(str, _NOTHING)))
    )
    told = ", ".join(f"{number / polls:.2f} {what}" for what, number in sorted(sent.items()))
    yield Result(
        "follow",
        found["cpu"] / found["seconds"] * 100,
        20.0,
        "%",
        f"CPU of tail -f, of one core, over {found['seconds']:.0f} s; {streams} write",
    )
    yield Result(
        "follow.vain",
        vain / polls,
        1.0,
        "requests",
        f"for segments that had nothing new, main's among them, in a poll; of {polls} polls each "
        f"sent {told} (with the answer's code)",
    )
    yield Result("follow.lists", sent["list 200"], 1, "lists", f"in {found['seconds']:.0f} s")


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"tools.bench.{name}", ROOT, _RUN]


def _wait_for(crowd: subprocess.Popen[str]) -> None:
    assert crowd.stdout is not None
    if crowd.stdout.readline().strip() != "ready":
        raise RuntimeError(f"the writers ended with code {crowd.wait()}")
