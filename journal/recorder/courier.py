"""Takes the newest document to its companions, in a thread of its own.

They may lie in another store, which may hang: no flush is to wait for it.
"""

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from journal.companions import Companion

log: Final = logging.getLogger("journal")


class Courier:
    """Writes one run's companions; of several documents that wait, the newest."""

    def __init__(self, run_id: str, companions: "Sequence[Companion]") -> None:
        self._run_id = run_id
        self._companions = companions
        self._document: bytes | None = None
        self._wakes = threading.Event()
        self._is_last = False
        self._over = threading.Event()
        self._failing: set[str] = set()

    def take(self, document: bytes) -> None:
        """Take a document along; returns at once."""
        self._document = document
        self._wakes.set()

    def finish(self, seconds: float) -> bool:
        """Wait so long for the last document to be written; tell whether it was tried."""
        self._is_last = True
        self._wakes.set()
        return self._over.wait(seconds)

    def loop(self) -> None:
        """Write until the last document; what a thread does."""
        while not (self._is_last and self._document is None):
            self._wakes.wait()
            self._wakes.clear()
            document, self._document = self._document, None
            if document is not None:
                for companion in self._companions:
                    self._write(companion, document)
        self._over.set()

    def _write(self, companion: "Companion", document: bytes) -> None:
        try:
            companion.write(document)
        except Exception as failed:  # noqa: BLE001 - whatever it is, the run goes on without it
            if companion.name not in self._failing:
                self._failing.add(companion.name)
                log.warning(
                    "journal of run %s: its %s: %s; the job goes on, later ones are tried too",
                    self._run_id,
                    companion.name,
                    failed,
                )
