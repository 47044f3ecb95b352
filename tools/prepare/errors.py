"""The errors of a preparation, one for each thing that is done about it.

PrepareError
├── UsageError       the user mends the command (exit code 2)
│   └── ManifestError    … or the manifest
├── AlreadyCompleted nothing is left to do (exit code 0)
├── RunHeld          another process works on it: wait, or take over (exit code 11)
├── Superseded       another process took over: stop at once (exit code 11)
├── Stopped          the preparation is ending: leave the file as it is
├── SourceDead       go on with the other sources; the run fails in the end
├── BadFile          go on with the next file
│   ├── UnsafePath
│   └── Bomb         an archive that would fill the disk
└── BadRecord        go on with the next record
"""

import errno


class PrepareError(Exception):
    """Anything a preparation raises on purpose."""


class UsageError(PrepareError):
    """An option is wrong, or does not fit the others."""


class ManifestError(UsageError):
    """The manifest is wrong: its file, the line, the key, and what was expected."""


class AlreadyCompleted(PrepareError):
    """The run was completed by an earlier attempt."""


class RunHeld(PrepareError):
    """Another process works on the run `run_id`, or in its work directory."""

    def __init__(self, message: str, run_id: str | None = None) -> None:
        super().__init__(message)
        self.run_id = run_id


class Superseded(PrepareError):
    """Another process took the work directory over while this one worked in it."""


class Stopped(PrepareError):
    """The whole preparation is ending, and a thread of it has to."""


class SourceDead(PrepareError):
    """Nothing more can be had from a source."""


class BadFile(PrepareError):
    """A file cannot be used."""


class UnsafePath(BadFile):
    """A name from outside that would lead out of its directory."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"refused: the path {name!a} {why}")


class Bomb(BadFile):
    """An archive that holds more than its limits allow."""


class BadRecord(PrepareError):
    """A record of a file cannot be used; the others can."""


_OURS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def is_fatal(error: BaseException) -> bool:
    """Tell whether the preparation must end: with a full disk, say, no other file fares better."""
    if isinstance(error, OSError):
        return error.errno in _OURS
    return isinstance(error, Superseded | Stopped | MemoryError) or not isinstance(error, Exception)
