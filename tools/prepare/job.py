"""One preparation: the parts that every step needs, and what it failed at."""

from dataclasses import dataclass, field

from journal import Run
from tools.prepare.manifest import Manifest
from tools.prepare.pool import Workers
from tools.prepare.view import View
from tools.prepare.workdir import WorkDir


@dataclass(slots=True)
class Job:
    """What the steps work with.

    `bad` counts the files, members and records that were left out, `dead` names the sources that
    gave nothing; the journal has been told of each.
    """

    run: Run
    manifest: Manifest
    work: WorkDir
    workers: Workers
    view: View
    bad: int = 0
    dead: list[str] = field(default_factory=list)

    def moved(self, source: str, path: str, bytes: int) -> None:
        """Show that bytes of a file were worked through. Raises Stopped if all is ending."""
        self.view.advance(f"{source}/{path}", bytes)
        self.workers.check()

    def left_out(self, count: int = 1) -> None:
        """Count what was left out."""
        self.bad += count
        self.view.bad(count)
