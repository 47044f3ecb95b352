"""`journal doctor`."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Final

import click

from journal.cli.document import print_document
from journal.cli.options import output_option, root_option
from journal.doctor import Finding, examine, of_error, spool, worst
from journal.errors import JournalError, Unavailable
from journal.recorder.owner import spool_home
from journal.stores import Store, connect, read_only
from readers import contract
from readers.runs import run_ids
from readers.text import printable

FORMAT: Final = 1

_RUNS: Final = 3  # newest runs that are held against the old monitor's contract
_WIDTH: Final = 17
# What tells that no answer came at all: it may pass, everything else that is bad does not.
_UNREACHED: Final = ("address", "connect", "answer")


@click.command()
@root_option
@click.option("--reader", is_flag=True, help="Look only: put nothing, ask for no right to write.")
@output_option("human", "json")
def command(root: str | None, output: str, *, reader: bool) -> int:
    """Find out whether a journal can be kept under this root, from this host, and say what to do.

    Looks at the way to the store, the rights, conditional writes, clocks, the bucket's settings,
    the directory for spools, and at what the old monitor makes of the newest runs. What it puts
    lies under _probe/ and is deleted again; in a bucket with versioning its versions stay.

    Exit code 0: nothing is bad; 1: the store does not answer; 12: a right is missing, or the store
    cannot hold a journal.

    \b
    Examples:
      journal doctor --root s3://bucket/training-runs
      journal doctor --reader -o json | jq '.findings[] | select(.level != "ok")'
    """
    store = connect(root)
    findings = []
    for finding in _findings(store, is_reader=reader):
        findings.append(finding)
        if output == "human":
            _show(finding)
    if output == "json":
        document = {
            "version": FORMAT,
            "root": str(store),
            "level": worst(findings),
            "findings": [asdict(finding) for finding in findings],
        }
        print_document(document)
    return _code(findings)


def _findings(store: Store, *, is_reader: bool) -> Iterator[Finding]:
    sound = set()
    for finding in examine(store, is_reader=is_reader):
        if finding.level == "ok":
            sound.add(finding.check)
        yield finding
    if not is_reader:
        yield _spool()
    if {"list", "get"} <= sound:
        yield from _old_monitor(store)


def _spool() -> Finding:
    try:
        return spool(spool_home())
    except ValueError as wrong:
        return Finding("spool", "warn", f"{wrong}; while the store is down, memory is all")


def _old_monitor(store: Store) -> Iterator[Finding]:
    """Yield what the old monitor makes of the newest runs."""
    if str(store).startswith("s3://"):
        yield contract.root(str(store))
    readable = read_only(store)
    try:
        yield from contract.examine(readable, islice(run_ids(readable), _RUNS))
    except JournalError as error:
        yield of_error("answer" if isinstance(error, Unavailable) else "old_monitor", error)


def _show(finding: Finding) -> None:
    says = f"{finding.level:<7}  {finding.check:<{_WIDTH}} {finding.says}"
    click.echo(printable(says))
    if finding.remedy:
        click.echo(printable(f"{'':<7}  {'':<{_WIDTH}} → {finding.remedy}"))


def _code(findings: list[Finding]) -> int:
    bad = [finding.check for finding in findings if finding.level == "bad"]
    if not bad:
        return 0
    return 1 if any(check in _UNREACHED for check in bad) else 12
