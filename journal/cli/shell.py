"""What the commands of a shell script share: which run they speak of, and how they fail."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from journal import layout
from journal.cli.exits import complain, exit_code
from journal.clock import monotonic, now_ns, sleep
from journal.errors import JournalError, Refused, Unavailable
from journal.limits import ENDED_SECONDS, EXIT_SECONDS, MAIL_SECONDS
from journal.recorder.mailbox import Mail, Mailbox
from journal.recorder.mode import is_disabled
from journal.recorder.owner import run_path, spool_home, this_host
from journal.recorder.saying import Said
from journal.stores import Store, connect, endpoint_of, root_of

LOG: Final = "keeper.log"

run_option = click.option(
    "--run", "run_id", metavar="RUN", help="Which run; without it JOURNAL_RUN_ID says."
)
# A store that is down, or that refuses, is no reason for a script to fail.
STORE_TROUBLE: Final = (Unavailable, Refused, OSError)
strict_option = click.option(
    "--strict", is_flag=True, help="Fail if it could not be taken in; without it, never."
)


class Place:
    """A run as the commands of a script on this host know it."""

    def __init__(self, run_id: str | None, root: str | None) -> None:
        """Raise ValueError if nobody says which run, or there is no place for mail."""
        run_id = run_id or os.environ.get("JOURNAL_RUN_ID")
        if not run_id:
            raise ValueError("which run? set JOURNAL_RUN_ID (`journal start` prints it) or --run")
        self.run_id = layout.check_name("run id", run_id)
        self.root = root_of(root)
        self.host = this_host()
        home = spool_home()
        if home is None:
            raise ValueError("JOURNAL_SPOOL is off: a script's commands need it, to leave mail in")
        self.home = home
        endpoint = endpoint_of(self.root)
        self.mailbox = Mailbox(
            home, host=self.host, root=self.root, endpoint=endpoint, run_id=self.run_id
        )
        self.spools = home / run_path(self.host, self.root, endpoint, self.run_id)

    @property
    def log(self) -> Path:
        """Where what goes on in the background is logged."""
        return self.mailbox.folder / LOG

    def leave(self, said: Said, *, act: bool = False) -> None:
        """Leave mail. Raises OSError."""
        kind, fields = said
        self.mailbox.leave(Mail(now_ns(), kind, fields, act))

    def await_end(self) -> bool:
        """Wait until nobody keeps the run; False if that takes too long."""
        until = monotonic() + EXIT_SECONDS + ENDED_SECONDS
        while self.mailbox.keeper is not None:
            if monotonic() > until:
                return False
            sleep(MAIL_SECONDS / 5)
        return True

    def connect(self) -> Store:
        """Return the store."""
        return connect(self.root)


def forgiving(
    act: Callable[[], None],
    *,
    strict: bool,
    forgiven: tuple[type[Exception], ...] = (JournalError, ValueError, OSError),
) -> int:
    """Do what must not fail the script, unless it is to be `strict`; return the exit code."""
    try:
        if not is_disabled():
            act()
    except (JournalError, ValueError, OSError) as wrong:
        complain(wrong)
        if strict or not isinstance(wrong, forgiven):
            return 1 if isinstance(wrong, OSError) else exit_code(wrong)
    except Exception as bug:  # noqa: BLE001 - whatever it is, it must not end the script
        complain(f"unexpected {type(bug).__name__}: {bug}")
        return 1 if strict else 0
    return 0
