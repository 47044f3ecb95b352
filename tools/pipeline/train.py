#!/usr/bin/env python3
"""A stand-in for training: reads its dataset again and again, and leaves a checkpoint each step.

    train.py DATASET --checkpoints DIR --steps 10 --seconds 10

It knows nothing of any journal. With `--progress URL` it writes the old pipeline's second
heartbeat, as the real one does: `current_step`, `total_steps` and `last_updated`.
"""

import argparse
import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this file runs as a script

from tools.pipeline.put import put


def main() -> int:
    """Train, and return the exit code."""
    options = parsed()
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    for step in range(1, options.steps + 1):
        # By the clock, or all that the steps themselves take would add up.
        time.sleep(max(0.0, began + step * options.seconds / options.steps - time.monotonic()))
        weights = hashlib.sha256(b"%d" % step)
        with options.dataset.open("rb") as dataset:
            while chunk := dataset.read(1024 * 1024):
                weights.update(chunk)
        checkpoint = options.checkpoints / f"step-{step:05d}.bin"
        checkpoint.write_bytes(weights.digest() * options.kilobytes * 32)
        if options.progress:
            put(options.progress, progress(step, options.steps))
        print(f"step {step} of {options.steps}: {weights.hexdigest()[:16]}", flush=True)
    return 0


def progress(step: int, steps: int) -> bytes:
    """Return the second heartbeat as the console viewer and the old monitor read it."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"current_step": step, "total_steps": steps, "last_updated": at}).encode()


def parsed() -> argparse.Namespace:
    """Return the options. Ends the process with code 2 for wrong ones."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("dataset", type=Path, help="train.jsonl")
    add("--checkpoints", type=Path, required=True, metavar="DIR", help="where checkpoints go")
    add("--steps", type=int, default=10, metavar="N", help="(default: 10)")
    add("--seconds", type=float, default=10.0, metavar="S", help="of all steps (default: 10)")
    add("--kilobytes", type=int, default=256, metavar="N", help="of a checkpoint (default: 256)")
    add("--progress", metavar="URL", help="where progress.json goes, if anywhere")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
