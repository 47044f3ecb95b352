"""The last step: each record goes to train.jsonl or to validation.jsonl.

Which one is drawn from the digest of its content, so it does not depend on the order, on the other
records, or on the machine.
"""

import json
from dataclasses import asdict
from hashlib import sha256

from journal import File
from tools.prepare.download import is_there
from tools.prepare.job import Job
from tools.prepare.ledger import Finished
from tools.prepare.manifest import Split
from tools.prepare.plan import PHASE, SPLITTING
from tools.prepare.process import DIGEST
from tools.prepare.view import Size


def split(job: Job, processed: list[Finished]) -> tuple[int, int]:
    """Split the records; return how many went to training and to validation."""
    job.run.phase(PHASE, SPLITTING)
    work = job.work
    size = work.records.stat().st_size if work.records.exists() else 0
    with work.ledger("split", identity=_identity(job.manifest.split, processed)) as ledger:
        ledger.keep([entry for entry in ledger.entries if is_there(work.root, entry)])
        if len(ledger.entries) < 2:
            ledger.keep([])
        finished = bool(ledger.entries)
        total = Size(1, size, int(finished), size * finished)
        job.view.step(SPLITTING, [total])
        with job.run.source("records", **asdict(total)) as source:
            if not finished:
                with source.file(work.records.name, size=size) as file:
                    for entry in _split_file(job, file):
                        ledger.add(entry)
                job.view.file_done()
        train, validation = ledger.entries
        return train.records, validation.records


def _identity(split: Split, processed: list[Finished]) -> str:
    """Return a digest of all that the result depends on."""
    story = json.dumps([asdict(split), *map(asdict, processed)])
    return sha256(story.encode()).hexdigest()


def _split_file(job: Job, file: File) -> list[Finished]:
    work, draw = job.work, job.manifest.split
    counts = [0, 0]
    with (
        work.records.open("rb") as records,
        work.writing(work.train, durable=True) as train,
        work.writing(work.validation, durable=True) as validation,
    ):
        for line in records:
            chosen = is_validation(line[DIGEST], draw)
            (validation if chosen else train).write(line)
            counts[chosen] += 1
            file.advance(len(line))
            job.moved("all", work.records.name, len(line))
        sizes = (train.tell(), validation.tell())
    return [
        Finished(path.name, size, records=count)
        for path, size, count in zip((work.train, work.validation), sizes, counts, strict=True)
    ]


def is_validation(digest: bytes, draw: Split) -> bool:
    """Draw for a record, by the digest of its content."""
    number = int.from_bytes(sha256(draw.salt.encode() + digest).digest()[:8])
    return number < draw.validation * 2**64
