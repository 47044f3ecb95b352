"""A log-structured progress journal for long-running data preparation.

    with journal.start_run("mistral-20250805-142652", sources=8) as run:
        run.phase("data_prep", "downloading_policy")
        with run.source("corpus_federal", files=1250) as source:
            for path in source.track(paths):
                download(path)

README.md begins with this; FORMAT.md beside this file has the stored format and the protocol.
"""

from typing import TYPE_CHECKING, Any

from journal.errors import Held, JournalError

if TYPE_CHECKING:
    from journal.recorder.run import Run
    from journal.recorder.source import File, Source
    from journal.recorder.start import attach, current_run, start_run
    from journal.sampling import sampled

__version__ = "0.1.0"
__all__ = [
    "File",
    "Held",
    "JournalError",
    "Run",
    "Source",
    "attach",
    "current_run",
    "sampled",
    "start_run",
]

_LAZY = {
    "start_run": "journal.recorder.start",
    "current_run": "journal.recorder.start",
    "attach": "journal.recorder.start",
    "Run": "journal.recorder.run",
    "Source": "journal.recorder.source",
    "File": "journal.recorder.source",
    "sampled": "journal.sampling",
}


def __getattr__(name: str) -> Any:
    """Import the job's side on first use: the command line starts without it."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_LAZY[name]), name)
