"""The first step: what the sources have, into the work directory."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.prepare.errors import BadFile, SourceDead, is_fatal
from tools.prepare.job import Job
from tools.prepare.ledger import Finished, Ledger
from tools.prepare.listing import Item, Listing, listing_of
from tools.prepare.manifest import SourceSpec
from tools.prepare.part import Part, work_through
from tools.prepare.paths import as_text
from tools.prepare.plan import DOWNLOADING, PHASE, announce
from tools.prepare.redaction import public_error
from tools.prepare.sources import may_pass, open_url, retry_after_seconds
from tools.prepare.view import Size

CHUNK_BYTES = 1024 * 1024
RETRY_SECONDS = (1.0, 5.0)
WAIT_TOLD_SECONDS = 300.0  # any other file that is done ends a wait in the journal
FAILURES_IN_A_ROW = 20  # and the source is given up, instead of timing out for hours


def download(job: Job) -> None:
    """Download all sources. Those that give nothing are dead, and the others go on."""
    job.run.phase(PHASE, DOWNLOADING)
    listings = _listings(job)
    announce(job, listings)
    with ExitStack() as ledgers:
        parts = []
        for spec in job.manifest.sources:
            if spec.name in listings:
                ledger = job.work.ledger("download", spec.name, identity=spec.identity)
                ledgers.enter_context(ledger)
                parts.append(_Download(job, spec, listings[spec.name], ledger))
        job.view.step(DOWNLOADING, [part.size for part in parts])
        work_through(job, parts)


def _listings(job: Job) -> dict[str, Listing]:
    """List all sources before the first byte: a wrong address is better found out now."""
    listings: dict[str, Listing] = {}

    def make(spec: SourceSpec) -> None:
        listings[spec.name] = listing_of(spec, job.work)

    for spec, error in job.workers.results(make, job.manifest.sources):
        if error is not None:
            if is_fatal(error) or not isinstance(error, Exception):
                raise error
            job.run.error(public_error(error), source=spec.name, fatal=True)
            job.dead.append(spec.name)
    return listings


class _Download(Part[Item]):
    """A source being downloaded: what the ledger says is there stays as it is."""

    def __init__(self, job: Job, spec: SourceSpec, listing: Listing, ledger: Ledger) -> None:
        self.spec = spec
        self.listing = listing
        self.ledger = ledger
        self.folder = job.work.downloads / spec.name
        self.failures_in_a_row = 0
        ledger.keep([entry for entry in ledger.entries if is_there(self.folder, entry)])
        done = {entry.path: entry.bytes for entry in ledger.entries}
        todo = [item for item in listing.items if item.path not in done]
        done_bytes = sum(done.values())
        total = done_bytes + sum(item.size or 0 for item in todo)
        super().__init__(
            job, spec.name, Size(len(listing.items), total, len(done), done_bytes), todo
        )
        for path, why in listing.refused:
            job.run.error(BadFile(why), source=spec.name, path=as_text(path))
            job.left_out()

    def do(self, item: Item) -> None:
        """Download a file, with patience where waiting may help."""
        for pause_seconds in RETRY_SECONDS:
            try:
                return self._download(item)
            except Exception as error:
                if is_fatal(error) or not may_pass(error, self.spec.scheme):
                    raise
                asked_seconds = retry_after_seconds(error)
                if asked_seconds is None:
                    self.job.workers.pause(pause_seconds)
                else:
                    self._wait(asked_seconds)
        return self._download(item)

    def _wait(self, seconds: float) -> None:
        """Wait as long as the source asks, and say so again and again: others may work on."""
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        while seconds > 0:
            self.job.run.waiting(f"{self.name} asks to wait", until=until)
            self.job.workers.pause(min(seconds, WAIT_TOLD_SECONDS))
            seconds -= WAIT_TOLD_SECONDS

    def _download(self, item: Item) -> None:
        """Download a file. Whatever goes wrong becomes its `error` in the journal."""
        with self.source.file(item.text, size=item.size) as file:
            try:
                with (
                    self.job.work.writing(self.folder / item.path) as copy,
                    open_url(self.listing.url(self.spec, item)) as stream,
                ):
                    while chunk := stream.read(CHUNK_BYTES):
                        copy.write(chunk)
                        file.advance(len(chunk))
                        self.job.moved(self.name, item.text, len(chunk))
                    if item.size not in (None, file.bytes):
                        raise BadFile(f"{file.bytes} bytes came of {item.size}")
            except Exception as error:  # noqa: BLE001 - it goes on, without secrets
                raise public_error(error) from None
            # Noted before it is announced: what was announced is never done again.
            self.ledger.add(Finished(item.path, file.bytes))
        self.job.view.file_done()
        self.failures_in_a_row = 0

    def failed(self, error: BaseException) -> None:
        """Count a file that could not be had; too many in a row, and the source is dead."""
        super().failed(error)
        self.failures_in_a_row += 1
        if self.failures_in_a_row == FAILURES_IN_A_ROW and not self.has_ended:
            self._die(f"{self.failures_in_a_row} files in a row could not be downloaded")

    def end(self) -> None:
        """End the source; it is dead if it gave nothing."""
        if self.ledger.entries:
            super().end()
        else:
            self._die("none of its files could be downloaded")

    def _die(self, why: str) -> None:
        self.has_ended = True
        self.job.run.error(SourceDead(why), source=self.name, fatal=True)
        self.job.dead.append(self.name)


def is_there(folder: Path, entry: Finished) -> bool:
    """Tell whether a finished file is still what the ledger says."""
    try:
        return (folder / entry.path).stat().st_size == entry.bytes
    except OSError:
        return False
