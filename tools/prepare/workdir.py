"""The work directory: where things lie, and files that appear whole or not at all.

    downloads/{source}/{path}            as the source has them
    extracted/{source}/{path}/{member}   what an archive held
    records.jsonl                        all records, in the order of the manifest
    train.jsonl, validation.jsonl        the result
    .prepare/                            lock, ledgers, listings, packed sources, temporary files

A directory belongs to one run, and to one process at a time.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO

from tools.prepare.errors import RunHeld, UsageError
from tools.prepare.ledger import Ledger
from tools.prepare.lock import DirectoryLock


class WorkDir:
    """A work directory that this process holds, as a context manager.

    Raises RunHeld if another process holds it and `take_over` is not given.
    """

    def __init__(self, root: Path, *, take_over: bool = False) -> None:
        self.root = root.resolve()
        self.downloads = self.root / "downloads"
        self.extracted = self.root / "extracted"
        self.records = self.root / "records.jsonl"
        self.train = self.root / "train.jsonl"
        self.validation = self.root / "validation.jsonl"
        self._state = self.root / ".prepare"
        self.packed = self._state / "packed"
        self._state.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = DirectoryLock(self._state / "lock", take_over=take_over)
        except RunHeld as busy:
            run_id = self.run_for(None)
            raise RunHeld(
                f"run {run_id or '?'} is held by {busy} in {self.root}; "
                "--take-over takes its place",
                run_id,
            ) from None
        self.check_held = self._lock.check
        self._temporary = self._state / "tmp"
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(exist_ok=True)
        self._numbers = count()  # next() of it is atomic

    def __enter__(self) -> "WorkDir":
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def run_for(self, asked: str | None) -> str | None:
        """Return the run that this directory belongs to, else the one asked for, if any.

        Raises UsageError if these are two different runs.
        """
        try:
            mine = json.loads((self._state / "run.json").read_text())["run_id"]
        except (OSError, ValueError, KeyError):
            return asked
        if asked not in (None, mine):
            raise UsageError(
                f"{self.root} belongs to run {mine}: go on with that, or name another --work-dir"
            )
        return str(mine)

    def belongs_to(self, run_id: str) -> None:
        """Note the run that this directory belongs to."""
        with self.writing(self._state / "run.json") as file:
            file.write(json.dumps({"run_id": run_id}).encode())

    def ledger(self, step: str, source: str = "all", *, identity: str = "") -> Ledger:
        """Open the ledger of what is finished in a step of a source."""
        folder = self._state / step
        folder.mkdir(exist_ok=True)
        return Ledger(folder / f"{source}.jsonl", identity=identity, guard=self.check_held)

    def listing(self, source: str) -> Path:
        """Return where the listing of a source is kept."""
        return self._state / "listing" / f"{source}.jsonl"

    def forget(self, source: str) -> None:
        """Remove what was made of a source whose definition changed."""
        self.check_held()
        for step in ("download", "extract"):
            (self._state / step / f"{source}.jsonl").unlink(missing_ok=True)
        for folder in (self.downloads, self.extracted, self.packed):
            shutil.rmtree(folder / source, ignore_errors=True)

    def temporary(self) -> Path:
        """Return a path that nothing else uses, on the same file system."""
        return self._temporary / f"{os.getpid()}-{next(self._numbers)}"

    @contextmanager
    def writing(self, target: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
        """Open a file that appears at `target`, whole, when the block ends without an exception.

        `durable` puts its bytes on the disk first, for what must outlive a power cut.
        """
        temporary = self.temporary()
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            self.check_held()
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def filling(self, target: Path) -> Iterator[Path]:
        """Hand out a directory that appears at `target` if the block ends without an exception."""
        temporary = self.temporary()
        temporary.mkdir()
        try:
            yield temporary
            self.check_held()
            shutil.rmtree(target, ignore_errors=True)  # left there without a line in the ledger
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
