"""`journal phase PHASE [SUB_PHASE]`."""

import click

from journal.cli.delivery import see_to
from journal.cli.options import root_option
from journal.cli.shell import Place, forgiving, run_option, strict_option
from journal.recorder import saying


@click.command()
@click.argument("phase", metavar="PHASE")
@click.argument("sub_phase", metavar="[SUB_PHASE]", required=False)
@click.option("--operation", metavar="TEXT", help="What is done in it.")
@click.option(
    "--stall-after", metavar="TIME", help="So long without work is a stall in it: 20m, 1h30m."
)
@click.option(
    "--min-rate", metavar="RATE", help="Bytes more slowly than this are no work: 64KiB/60s."
)
@run_option
@root_option
@strict_option
def command(
    phase: str,
    sub_phase: str | None,
    operation: str | None,
    stall_after: str | None,
    min_rate: str | None,
    run_id: str | None,
    root: str | None,
    *,
    strict: bool,
) -> int:
    """Say from a shell script what begins now. It returns at once and never fails the script.

    The old monitor's dashboards know the phases setup, data_prep, training and complete.

    \b
    Examples:
      journal phase data_prep downloading_policy
      journal phase training --stall-after 45m
    """

    def say() -> None:
        said = saying.phase(phase, sub_phase, operation, stall_after=stall_after, min_rate=min_rate)
        place = Place(run_id, root)
        place.leave(said)
        see_to(place, strict=strict)

    return forgiving(say, strict=strict)
