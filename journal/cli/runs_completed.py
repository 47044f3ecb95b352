"""The ids of runs that a shell offers where a command takes RUN."""

from itertools import chain, islice
from typing import Any, Final

import click

from journal.errors import JournalError

VARIABLE: Final = "_JOURNAL_COMPLETE"  # click's name for the program `journal`
_OFFERED: Final = 50


def runs_completed(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the ids that begin so, newest first if nothing is typed yet; none if that is unclear.

    Whoever presses a key is owed an answer, and no error: a store that is away has no ids to offer.
    """
    from journal.stores import connect, read_only  # noqa: PLC0415 - only when a key was pressed
    from readers.runs import folders, run_ids  # noqa: PLC0415

    root: Any = ctx.params.get("root")
    try:
        store = read_only(connect(root))
        found = folders(store, incomplete) if incomplete else run_ids(store)
        named = ("latest",) if "latest".startswith(incomplete) else ()
        return list(islice(chain(named, found), _OFFERED))
    except (JournalError, ValueError):
        return []
