"""What a shell's commands leave for the process that keeps their run on this host.

{spool_home()}/.mail/{host}/{digest of the root}/{run_id}/
    mail.jsonl      what was left, a line each, appended under its lock
    taken.jsonl     what a keeper is just taking in
    keeper.json     who keeps the run; locked while that process does
    place.json      which run of which root it is
    outcome.json    how the last keeper ended

A line is on the disk of this host before the command that leaves it returns, whatever the store
does. A keeper removes lines once they are in its own spool: one that is killed between the two
leaves them to be taken in twice, never not at all.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from journal.layout import as_name
from journal.recorder.owner import is_held, lock_file, run_path

_FOLDER: Final = ".mail"  # no host's name begins like this
_MAIL: Final = "mail.jsonl"
_TAKEN: Final = "taken.jsonl"
_KEEPER: Final = "keeper.json"
_PLACE: Final = "place.json"
_OUTCOME: Final = "outcome.json"


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who takes the mail in, into which stream of which root."""

    pid: int
    stream: str
    root: str
    job: str


@dataclass(frozen=True, slots=True)
class Mail:
    """What one command left: an event (`fields`), or what is to be done with the run (`act`)."""

    at_ns: int
    type: str
    fields: dict[str, Any]
    act: bool = False


class Mailbox:
    """The mail of one run on this host."""

    def __init__(self, home: Path, *, host: str, root: str, endpoint: str, run_id: str) -> None:
        self.folder = home / _FOLDER / run_path(host, root, endpoint, run_id)
        self._place = {"root": root, "endpoint": endpoint, "run_id": run_id}
        self._lock: int | None = None

    @classmethod
    def all_of(cls, home: Path, host: str) -> Iterator["Mailbox"]:
        """Yield the mailboxes of a host in which something waits that nobody takes in."""
        for path in sorted((home / _FOLDER / as_name(host, "host")).glob(f"*/*/{_PLACE}")):
            with suppress(OSError, ValueError, TypeError):
                mailbox = cls(home, host=host, **orjson.loads(path.read_bytes()))
                if mailbox.has_mail and mailbox.keeper is None:
                    yield mailbox

    @property
    def place(self) -> tuple[str, str, str]:
        """Its root, that root's endpoint if the environment named one, and the run."""
        return self._place["root"], self._place["endpoint"], self._place["run_id"]

    def leave(self, mail: Mail) -> None:
        """Leave a line, durable when this returns. Raises OSError."""
        line = orjson.dumps(asdict(mail), None, orjson.OPT_APPEND_NEWLINE)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.folder / _PLACE).exists():
            (self.folder / _PLACE).write_bytes(orjson.dumps(self._place))
        with _locked(self.folder / _MAIL) as file:
            # A line that a crash has torn must not swallow this one.
            torn = b"" if _ends_whole(file) else b"\n"
            os.write(file, torn + line)
            os.fdatasync(file)

    def take(self) -> Iterator[Mail]:
        """Yield what was left, in that order; `forget` it once it is safe elsewhere.

        Lines that are none are passed over. Raises OSError.
        """
        taken = self.folder / _TAKEN
        if not taken.exists():
            if not self.has_mail:
                return
            with _locked(self.folder / _MAIL):
                (self.folder / _MAIL).rename(taken)
        for line in taken.read_bytes().splitlines():
            with suppress(ValueError, TypeError):
                mail = Mail(**orjson.loads(line))
                if type(mail.at_ns) is int and isinstance(mail.fields, dict):
                    yield mail

    def forget(self) -> None:
        """Remove what was taken. Raises OSError."""
        (self.folder / _TAKEN).unlink(missing_ok=True)

    @property
    def has_mail(self) -> bool:
        """Whether anything was left that nobody has taken yet."""
        return any((self.folder / name).exists() for name in (_MAIL, _TAKEN))

    def keep(self, keeper: Keeper) -> bool:
        """Become the one who takes the mail in, until `release` or death; False if another is.

        Raises OSError.
        """
        self._lock = self._lock or lock_file(self.folder / _KEEPER)
        if self._lock is None:
            return False
        body = orjson.dumps(asdict(keeper))
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, body, 0)
        (self.folder / _OUTCOME).unlink(missing_ok=True)
        return True

    def release(self, outcome: dict[str, Any] | None = None) -> None:
        """Keep no more, and say how it ended. Mail left in the meantime may still be there."""
        if self._lock is None:
            return
        if outcome is not None:
            fresh = self.folder / f"{_OUTCOME}.new"
            fresh.write_bytes(orjson.dumps(outcome))
            fresh.rename(self.folder / _OUTCOME)
        os.close(self._lock)
        self._lock = None

    @property
    def keeper(self) -> Keeper | None:
        """Who keeps the run at the moment, None if nobody does."""
        path = self.folder / _KEEPER
        if not is_held(path):
            return None
        try:
            return Keeper(**orjson.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return Keeper(0, "", "", "")  # it is just writing who it is

    @property
    def outcome(self) -> dict[str, Any] | None:
        """How the last keeper ended, None if it did not say."""
        try:
            outcome = orjson.loads((self.folder / _OUTCOME).read_bytes())
        except (OSError, ValueError):
            return None
        return outcome if isinstance(outcome, dict) else None


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file for appending, with its lock, as long as it is the one of that name."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(file)):
                    yield file
                    return
        finally:
            os.close(file)


def _ends_whole(file: int) -> bool:
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"
