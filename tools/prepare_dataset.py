#!/usr/bin/env python3
"""Prepare a dataset: download, extract, process and split the sources of a manifest.

    prepare_dataset.py dataset.toml --work-dir /data/prep
    prepare_dataset.py dataset.toml --work-dir /data/prep --root s3://bucket/training-runs
    prepare_dataset.py dataset.toml --work-dir /data/prep --hand-over   # training goes on with it

The result is train.jsonl and validation.jsonl in the work directory. The same command again goes
on where an earlier one ended, and does no finished work again. How a manifest is written is told
in prepare/manifest.py, and dataset/standard_library.toml is one.

exit codes:
  0    done; bad files and records are left out, and counted in the message
  1    a source is dead, nothing was left to split, or this machine is at fault (a full disk)
  2    the manifest or an option is wrong
  11   another process works on this run; --take-over takes its place
  130  Ctrl-C
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this file runs as a script

import journal
from journal import layout
from journal.limits import HEARTBEAT_SECONDS
from tools.prepare.download import download
from tools.prepare.errors import (
    AlreadyCompleted,
    PrepareError,
    RunHeld,
    Superseded,
    UsageError,
)
from tools.prepare.extract import extract
from tools.prepare.holding import open_run, open_work_dir
from tools.prepare.job import Job
from tools.prepare.manifest import Manifest, load
from tools.prepare.paths import printable
from tools.prepare.pool import Workers
from tools.prepare.process import process
from tools.prepare.redaction import redact
from tools.prepare.split import split
from tools.prepare.view import PLAIN_SECONDS, View
from tools.prepare.workdir import WorkDir


def main(arguments: list[str] | None = None) -> int:
    """Prepare a dataset and return the exit code."""
    options = parsed(arguments)
    try:
        manifest = load(options.manifest)
        with open_work_dir(
            options.work_dir, root=options.root, take_over=options.take_over
        ) as work:
            return prepare(manifest, work, options)
    except AlreadyCompleted as nothing_to_do:
        print(nothing_to_do)
        return 0
    except UsageError as mistake:
        return complain(mistake, 2)
    except (RunHeld, Superseded) as holder:
        return complain(holder, 11)
    except (PrepareError, journal.JournalError, OSError) as failure:
        return complain(failure, 1)
    except KeyboardInterrupt:
        return complain("interrupted; the same command goes on from here", 130)


def prepare(manifest: Manifest, work: WorkDir, options: argparse.Namespace) -> int:
    """Take a dataset through its four steps, as a run of the journal; return the exit code."""
    with (
        Workers(options.jobs) as workers,
        View(sys.stderr, live=sys.stderr.isatty(), plain_seconds=options.line_seconds) as view,
        open_run(
            work.run_for(options.run_id),
            root=options.root,
            take_over=options.take_over,
            job=layout.as_name(f"prepare_dataset-{options.manifest.stem}", "prepare_dataset"),
            sources=[source.name for source in manifest.sources],
            heartbeat_seconds=options.heartbeat_seconds,
            params={"manifest": options.manifest.name, "jobs": options.jobs},
        ) as run,
    ):
        work.belongs_to(run.run_id)
        job = Job(run, manifest, work, workers, view)
        download(job)
        extract(job)
        processed = process(job)
        train, validation = split(job, processed)

        duplicates = sum(file.duplicates for file in processed)
        summary = (
            f"{train} records to train, {validation} to validate, "
            f"{duplicates} duplicates dropped, {job.bad} bad left out"
        )
        failure = None
        if job.dead:
            failure = f"dead sources: {', '.join(sorted(job.dead))}; {summary}"
        elif train + validation == 0:
            failure = f"no record could be used; {summary}"

        if failure:
            run.finish("failed", failure)
        elif options.hand_over:
            run.hand_over()
        else:
            run.finish("completed", summary)

    print(f"dataset in {work.root}")
    print(f"run {run.run_id}: {failure or summary}")  # last, where scripts look for it
    return 1 if failure else 0


def complain(what: object, code: int) -> int:
    """Say on one line why this ends, and return the exit code."""
    print(f"prepare_dataset: {printable(redact(str(what)), 2000)}", file=sys.stderr)
    return code


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options. Ends the process with code 2 for wrong ones."""
    description, _, epilog = str(__doc__).partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("manifest", type=Path, help="TOML file: the sources")
    add("--work-dir", type=Path, required=True, help="directory for the data; belongs to one run")
    add("--run-id", help="by default the work directory's run, else a new one")
    add(
        "--root", help="URL of the journals (default: JOURNAL_ROOT, else the user's data directory)"
    )
    add("--take-over", action="store_true", help="go on with the run, whoever holds it")
    add("--hand-over", action="store_true", help="leave the run open for the phase that comes next")
    add("--jobs", type=positive_int, default=8, metavar="N", help="files at a time (default: 8)")
    add("--heartbeat-seconds", type=float, default=HEARTBEAT_SECONDS, metavar="S",
        help=f"(default: {HEARTBEAT_SECONDS:g})")  # fmt: skip
    add("--line-seconds", type=positive_float, default=PLAIN_SECONDS, metavar="S",
        help="between lines of progress where there is no terminal (default: 30)")  # fmt: skip
    return parser.parse_args(arguments)


def positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text!r}")
    return int(text)


def positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text!r}")
    return value


if __name__ == "__main__":
    exit_code = main()
    if exit_code:
        # A thread may sit in a read until its time-out; the run has ended, nothing is left to save.
        sys.stdout.flush()
        os._exit(exit_code)
