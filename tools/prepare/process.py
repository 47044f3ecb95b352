"""The third step: all files into one JSONL, with provenance and without duplicates.

A line is {"sha256", "source", "path", "record", "content"}: the digest of the content in its
canonical form, where it came from, and the content itself. Of equal contents the first stays, in
the order of the manifest and of the names. That order is the order of the work, so a resumed run
cuts the file back to the end of the last finished input and goes on from there.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from journal import File
from tools.prepare.archives import archive_kind
from tools.prepare.errors import BadRecord, is_fatal
from tools.prepare.formats import Flaw, Record, canonical, format_of, records
from tools.prepare.job import Job
from tools.prepare.ledger import Finished, Ledger
from tools.prepare.manifest import SourceSpec
from tools.prepare.part import Part
from tools.prepare.paths import as_text
from tools.prepare.plan import PHASE, PROCESSING
from tools.prepare.view import Size
from tools.prepare.workdir import WorkDir

ERRORS_TOLD = 10  # of one file; the others are counted
_HEAD = b'{"sha256":"'
DIGEST = slice(len(_HEAD), len(_HEAD) + 64)  # of a line: where its digest stands


@dataclass(frozen=True, slots=True)
class Input:
    """A file to process: what it is called, where it lies, and its size in bytes.

    `identity` is that of its source, so that a source defined anew is processed anew.
    """

    identity: str
    path: str
    place: Path
    size: int
    format: str | None

    def is_noted(self, entry: Finished) -> bool:
        """Tell whether a ledger's entry is about this very input."""
        return (entry.source, entry.path, entry.bytes) == (self.identity, self.path, self.size)


def process(job: Job) -> list[Finished]:
    """Process all files, one after the other; return what became of each."""
    job.run.phase(PHASE, PROCESSING)
    plan = {spec.name: _inputs(job.work, spec) for spec in job.manifest.sources}
    everything = [one for inputs in plan.values() for one in inputs]
    limits = f"record_bytes={job.manifest.limits.record_bytes}"
    with job.work.ledger("process", identity=limits) as ledger, _Output(job.work) as output:
        ledger.keep(_unchanged(ledger.entries, everything, job.work.records))
        done = len(ledger.entries)
        job.left_out(sum(entry.bad for entry in ledger.entries))
        end = ledger.entries[-1].end if done else 0
        if done < len(everything) or _size_of(job.work.records) != end:
            output.reopen(end)
        parts = []
        for name, inputs in plan.items():
            if inputs:
                parts.append(_Processing(job, name, inputs, done, output=output, ledger=ledger))
                done = max(0, done - len(inputs))
        job.view.step(PROCESSING, [part.size for part in parts])
        for part in parts:
            for one in part.todo:
                part.do(one)
            part.end()
        return ledger.entries


def _inputs(work: WorkDir, spec: SourceSpec) -> list[Input]:
    """Return the files of a source that are to be processed, by name."""
    with work.ledger("download", spec.name, identity=spec.identity) as ledger:
        downloads = sorted(ledger.entries, key=lambda entry: entry.path)
    with work.ledger("extract", spec.name, identity=spec.identity) as ledger:
        extracted = {entry.path for entry in ledger.entries}
    inputs = []
    for entry in downloads:
        if archive_kind(entry.path) is None:
            found = [(entry.path, work.downloads / spec.name / entry.path)]
        elif entry.path in extracted:
            found = list(_members(entry.path, work.extracted / spec.name / entry.path))
        else:
            continue  # damaged, and said so
        inputs += [
            Input(spec.identity, path, place, place.stat().st_size, spec.format or format_of(path))
            for path, place in found
        ]
    return inputs


def _members(archive: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path, place) of what was extracted from an archive, by name."""
    places = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    for place in sorted(places):
        yield f"{archive}/{place.relative_to(folder)}", place


def _unchanged(entries: list[Finished], plan: list[Input], records: Path) -> list[Finished]:
    """Return the beginning of the ledger that is also the beginning of the plan."""
    size = _size_of(records)
    same = 0
    for entry, one in zip(entries, plan, strict=False):
        if not one.is_noted(entry) or entry.end > max(0, size):
            break
        same += 1
    return entries[:same]


def _size_of(file: Path) -> int:
    """Return the size of a file, -1 if there is none."""
    return file.stat().st_size if file.exists() else -1


@dataclass(slots=True)
class _Found:
    """What was found in one file."""

    records: int = 0
    duplicates: int = 0
    bad: int = 0


class _Processing(Part[Input]):
    """The files of a source being processed, of which the first `done` are finished."""

    def __init__(
        self,
        job: Job,
        name: str,
        inputs: list[Input],
        done: int,
        *,
        output: "_Output",
        ledger: Ledger,
    ) -> None:
        self.output = output
        self.ledger = ledger
        sizes = [one.size for one in inputs]
        size = Size(len(sizes), sum(sizes), min(done, len(sizes)), sum(sizes[:done]))
        super().__init__(job, name, size, inputs[done:])

    def do(self, item: Input) -> None:
        """Process a file; if it is damaged, what could be read of it stays."""
        name = as_text(item.path)
        found = _Found()
        if item.format is None:
            self._note(item, found)
            self.source.file_skipped(name, "no format is known for its name")
        else:
            try:
                with self.source.file(name, size=item.size) as file:
                    self._read(item, name, file, found)
                    # Noted before it is announced: what was announced is never done again.
                    self._note(item, found)
            except Exception as error:
                if is_fatal(error):
                    raise
                found.bad += 1
                self.failed(error)
                self._note(item, found)
        self.job.view.file_done()

    def _read(self, one: Input, name: str, file: File, found: _Found) -> None:
        def moved(count: int) -> None:
            file.advance(count)
            self.job.moved(self.name, name, count)

        most_bytes = self.job.manifest.limits.record_bytes
        with one.place.open("rb") as stream:
            for record in records(stream, one.format or "", moved, most_bytes):
                if isinstance(record, Flaw):
                    self._leave_out(record.why, name, found)
                    continue
                try:
                    is_new = self.output.add(self.name, name, record)
                except (ValueError, RecursionError) as error:
                    self._leave_out(f"record {record.number}: {error}", name, found)
                    continue
                found.records += is_new
                found.duplicates += not is_new
        if found.bad > ERRORS_TOLD:
            more = BadRecord(f"{found.bad - ERRORS_TOLD} more records were left out")
            self.job.run.error(more, source=self.name, path=name)

    def _leave_out(self, why: str, name: str, found: _Found) -> None:
        found.bad += 1
        self.job.left_out()
        if found.bad <= ERRORS_TOLD:
            self.job.run.error(BadRecord(why), source=self.name, path=name)

    def _note(self, one: Input, found: _Found) -> None:
        end = self.output.flushed()
        self.ledger.add(Finished(one.path, one.size, one.identity, **asdict(found), end=end))


class _Output:
    """records.jsonl being written: unique records only. A context manager."""

    def __init__(self, work: WorkDir) -> None:
        self._work = work
        self._file: BinaryIO | None = None
        self._seen: set[bytes] = set()

    def __enter__(self) -> "_Output":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def reopen(self, kept_bytes: int) -> None:
        """Go on after the first `kept_bytes`.

        In a new file, so that a process that was taken over cannot write into it; the records
        that stay have to be read anyway, for their digests.
        """
        fresh = self._work.temporary()
        self._file = fresh.open("wb")
        if kept_bytes:
            with self._work.records.open("rb") as before:
                while before.tell() < kept_bytes:
                    line = before.readline()
                    self._seen.add(bytes.fromhex(line[DIGEST].decode()))
                    self._file.write(line)
        self._work.check_held()
        fresh.replace(self._work.records)

    def add(self, source: str, path: str, record: Record) -> bool:
        """Write a record, unless its content has been written before: then return False.

        Raises ValueError or RecursionError if the content cannot be written.
        """
        content = canonical(record.content)
        digest = sha256(content)
        if digest.digest() in self._seen:
            return False
        head = json.dumps({"source": source, "path": path, "record": record.number})[1:-1]
        line = b'%s%s",%s,"content":%s}\n' % (
            _HEAD, digest.hexdigest().encode(), head.encode(), content,
        )  # fmt: skip
        if self._file is None:
            raise RuntimeError("records.jsonl is not open")
        self._file.write(line)
        self._seen.add(digest.digest())
        return True

    def flushed(self) -> int:
        """Hand all to the operating system; return where the file ends now."""
        if self._file is None:
            raise RuntimeError("records.jsonl is not open")
        self._file.flush()
        return self._file.tell()
