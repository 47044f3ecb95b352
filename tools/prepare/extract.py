"""The second step: what the archives hold, into the work directory."""

from contextlib import ExitStack

from tools.prepare.archives import Unpacking, archive_kind
from tools.prepare.errors import BadFile
from tools.prepare.job import Job
from tools.prepare.ledger import Finished, Ledger
from tools.prepare.manifest import SourceSpec
from tools.prepare.part import Part, work_through
from tools.prepare.paths import as_text
from tools.prepare.plan import EXTRACTING, PHASE
from tools.prepare.view import Size

ERRORS_TOLD = 20  # of one archive; the others are counted


def extract(job: Job) -> None:
    """Extract all archives that were downloaded."""
    job.run.phase(PHASE, EXTRACTING)
    with ExitStack() as ledgers:
        parts = []
        for spec in job.manifest.sources:
            archives = _archives(job, spec)
            if archives:
                ledger = job.work.ledger("extract", spec.name, identity=spec.identity)
                ledgers.enter_context(ledger)
                parts.append(_Extraction(job, spec, archives, ledger))
        job.view.step(EXTRACTING, [part.size for part in parts])
        work_through(job, parts)


def _archives(job: Job, spec: SourceSpec) -> list[Finished]:
    """Return the archives among the downloads of a source, by name."""
    with job.work.ledger("download", spec.name, identity=spec.identity) as ledger:
        entries = sorted(ledger.entries, key=lambda entry: entry.path)
    return [entry for entry in entries if archive_kind(entry.path)]


class _Extraction(Part[Finished]):
    """The archives of a source being extracted, each wholly or, if it is damaged, not at all."""

    def __init__(
        self, job: Job, spec: SourceSpec, archives: list[Finished], ledger: Ledger
    ) -> None:
        self.ledger = ledger
        self.packed = job.work.downloads / spec.name
        self.folder = job.work.extracted / spec.name
        sizes = {archive.path: archive.bytes for archive in archives}
        ledger.keep([
            entry
            for entry in ledger.entries
            if sizes.get(entry.path) == entry.bytes and (self.folder / entry.path).is_dir()
        ])  # fmt: skip
        done = {entry.path: entry.bytes for entry in ledger.entries}
        todo = [archive for archive in archives if archive.path not in done]
        size = Size(len(archives), sum(sizes.values()), len(done), sum(done.values()))
        super().__init__(job, spec.name, size, todo)
        job.left_out(sum(entry.bad for entry in ledger.entries))

    def do(self, item: Finished) -> None:
        """Extract an archive."""
        name = as_text(item.path)
        with self.source.file(name, size=item.bytes) as file:

            def moved(count: int) -> None:
                file.advance(count)
                self.job.moved(self.name, name, count)

            unpacking = Unpacking(self.packed / item.path, self.job.manifest.limits, moved)
            with self.job.work.filling(self.folder / item.path) as folder:
                unpacking.into(folder)
            self._tell(name, unpacking.left_out)
            self.ledger.add(Finished(item.path, item.bytes, bad=len(unpacking.left_out)))
        self.job.view.file_done()

    def _tell(self, archive: str, left_out: list[tuple[str, Exception]]) -> None:
        """Tell the journal which members were left out, and why."""
        for member, why in left_out[:ERRORS_TOLD]:
            self.job.run.error(why, source=self.name, path=f"{archive}/{as_text(member)}")
        if len(left_out) > ERRORS_TOLD:
            more = BadFile(f"{len(left_out) - ERRORS_TOLD} more members were left out")
            self.job.run.error(more, source=self.name, path=archive)
        self.job.left_out(len(left_out))
