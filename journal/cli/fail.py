"""`journal fail MESSAGE`: a run's end by an error, said by its script."""

import click

from journal.cli.finish import end
from journal.cli.options import root_option
from journal.cli.shell import STORE_TROUBLE, Place, forgiving, run_option, strict_option
from journal.recorder import saying


@click.command()
@click.argument("message", metavar="MESSAGE")
@run_option
@root_option
@strict_option
def command(message: str, run_id: str | None, root: str | None, *, strict: bool) -> int:
    """End a run from a shell script as failed; the old monitor's alert has MESSAGE in it.

    \b
    Example, for bash:
      trap 'journal fail "line $LINENO: $BASH_COMMAND"' ERR
    """
    said = saying.finished("failed", message)
    return forgiving(lambda: end(Place(run_id, root), said), strict=strict, forgiven=STORE_TROUBLE)
