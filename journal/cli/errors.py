"""`journal errors RUN`."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import click

from journal.cli.document import print_document
from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option, run_argument_or_latest
from journal.cli.pager import no_pager_option, paged
from journal.cli.terminal import color_option, terminal
from journal.cli.when import span, time_form, utc_option
from journal.stores import ReadStore
from readers.faults import Fault, faults
from readers.selection import Selection
from readers.tail import Tail
from readers.text import printable

_VERSION: Final = 1  # of what -o json prints
_SOURCES_SHOWN: Final = 5


@click.command()
@run_argument_or_latest
@root_option
@click.option("-S", "--since", metavar="TIME", help="From then: 10m, 1h30m, HH:MM, ISO 8601.")
@click.option("-U", "--until", metavar="TIME", help="Up to then.")
@click.option("-s", "--source", "sources", metavar="NAMES", help="Only of these: a,b* — or !a.")
@click.option("--traceback", is_flag=True, help="Show the traceback of each sample.")
@color_option
@utc_option
@no_pager_option
@output_option("human", "json")
def command(run: str, root: str | None, **options: Any) -> int:
    """Group a run's errors: class, count, first, last, sources and a sample.

    Messages that differ in numbers, paths and addresses only are one group. The most frequent come
    first.

    \b
    Examples:
      journal errors latest
      journal errors mistral-20250805-142652 -S 1h --traceback
      journal errors latest -o json | jq '.errors[0].sample'
    """
    return with_run(root, run, lambda store, run_id: _show(store, run_id, options))


def _show(store: ReadStore, run_id: str, options: dict[str, Any]) -> int:
    since, until = span(options)
    selection = Selection("error", sources=options["sources"], since=since, until=until)
    wanted, tail = selection.wanted(), Tail(store, run_id, complain)
    found = faults(event for batch in tail.batches() for event in batch if wanted(event))
    if options["output"] == "json":
        shown = {"v": _VERSION, "run_id": run_id, "errors": list(map(_as_json, found))}
        print_document(shown)
    else:
        screen = terminal(options["color"])
        time = time_form(utc=options["utc"])
        with paged(screen, wanted=not options["no_pager"]) as page:
            for line in _lines(run_id, found, time, traceback=options["traceback"]):
                page.say(line)
    return EXIT_DAMAGED if tail.damaged else 0


def _lines(
    run_id: str, found: list[Fault], time: Callable[[Any], str], *, traceback: bool
) -> Iterator[str]:
    total = sum(fault.count for fault in found)
    told = f"{_counted(total, 'error')} of {_counted(len(found), 'kind')}" if found else "no error"
    yield printable(f"{run_id}: {told}")
    for fault in found:
        sample = fault.sample
        yield ""
        yield printable(f"{fault.count} × {fault.error}: {sample.get('message')}")
        when = f"first {time(fault.first)}, last {time(fault.last)}"
        more = [f"{number} {word}" for number, word in _marks(fault) if number]
        yield printable("  " + "; ".join([when, *more]))
        if fault.sources:
            yield printable(f"  of {_sources(fault)}")
        if sample.get("path"):
            yield printable(f"  the last at {sample['path']}")
        if traceback and isinstance(sample.get("traceback"), str):
            yield from (f"    {printable(line)}" for line in sample["traceback"].splitlines())


def _marks(fault: Fault) -> tuple[tuple[int, str], ...]:
    return ((fault.retried, "tried again"), (fault.fatal, "fatal"))


def _sources(fault: Fault) -> str:
    ordered = sorted(fault.sources.items(), key=lambda one: -one[1])
    told = ", ".join(f"{name} ({count})" for name, count in ordered[:_SOURCES_SHOWN])
    more = sum(count for _, count in ordered[_SOURCES_SHOWN:]) + fault.more_sources
    return told + (f", and {more} of others" if more else "")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _as_json(fault: Fault) -> dict[str, Any]:
    return {
        "error": fault.error,
        "kind": fault.kind,
        "count": fault.count,
        "retried": fault.retried,
        "fatal": fault.fatal,
        "first": fault.first,
        "last": fault.last,
        "sources": fault.sources,
        "sample": fault.sample,
    }
