"""`journal replay RUN`."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from itertools import chain, islice
from typing import Any, Final

import click

from journal.cli.document import encoded, print_document
from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.explain_lines import explain_lines
from journal.cli.lines import LINES, Style, form_of, types_option
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option, run_argument
from journal.cli.pager import no_pager_option, paged
from journal.cli.status import as_json
from journal.cli.status_lines import StatusLines
from journal.cli.terminal import color_option, terminal
from journal.cli.when import instant, span, time_form, utc_option
from journal.clock import StampReader, now, sleep
from journal.errors import Missing
from journal.foreign import instant as recorded_at
from journal.log import Damage
from journal.stores import ReadStore
from readers.chain import Report, Spoilt
from readers.event import Event
from readers.offline import Exported, is_exported
from readers.postmortem import Postmortem, postmortem
from readers.selection import Selection
from readers.status import Status
from readers.tail import Tail
from readers.text import printable
from readers.then import status_at
from readers.verify import Verification, verify

_VERSION: Final = 1  # of what `--verify -o json` prints
_TOGETHER: Final = 4096  # events
_SHOWING: Final = ("since", "until", "moment", "speed", "explain")
_DAMAGES_SHOWN: Final = 20
_NUMBERS: Final = ("seq", "epoch")  # kinds of damage whose words have both numbers in them
_SPOILT_SHOWN: Final = 5  # of a stream
_WORDS_CHARS: Final = 500  # of a finding, which may quote what a foreign hand wrote
_VALUE_CHARS: Final = 160  # of what was expected, and of what was found


@click.command()
@run_argument
@root_option
@types_option
@click.option("-S", "--since", metavar="TIME", help="From then: 10m, 1h30m, HH:MM, ISO 8601.")
@click.option("-U", "--until", metavar="TIME", help="Up to then.")
@click.option(
    "--at", "moment", metavar="TIME", help="How it stood then, as it could be known then."
)
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="As it happened, N times as fast.",
)
@click.option(
    "--max-wait",
    type=click.FloatRange(0),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="With --speed: wait no longer between two events.",
)
@click.option("--explain", is_flag=True, help="Where the time went, and how the end came.")
@click.option("--verify", "is_check", is_flag=True, help="Check everything, show no events.")
@color_option
@utc_option
@no_pager_option
@output_option(*LINES)
def command(run: str, root: str | None, *, is_check: bool, output: str, **options: Any) -> int:
    """Show the whole history of a run, its streams merged in the order of their times.

    RUN may be a file or a folder that `journal export` has written, of any compression. Events are
    shown as `journal tail` shows them. With --verify none is: the chain of segments of each stream
    is checked, and the snapshot and the end markers are held against it. The exit code is 13 if
    anything is wrong.

    \b
    Examples:
      journal replay latest
      journal replay --speed 60 -S 02:00 mistral-20250805-142652
      journal replay -t error,file_skipped -o json run.ndjson.gz
      journal replay --at 02:30 mistral-20250805-142652
      journal replay --explain mistral-20250805-142652
      journal replay --verify mistral-20250805-142652
    """
    if not is_check:
        return _replay(run, root, output, options)
    if output == "raw" or any(options[name] for name in ("types", *_SHOWING)):
        raise click.UsageError("--verify shows no events: it takes no option that chooses some")
    done = with_run(root, run, verify)
    if output == "json":
        print_document(verified_as_json(done))
    else:
        for line in _lines(done):
            click.echo(printable(line))
    return 0 if done.is_sound else EXIT_DAMAGED


def _replay(run: str, root: str | None, output: str, options: dict[str, Any]) -> int:
    if is_exported(run):
        exported = Exported(run, complain)
        events = exported.events()
        first = next(events, None)
        if first is None:
            raise Missing(f"{run} holds no event")
        events = chain((first,), events)
        if options["explain"] or options["moment"] is not None:
            events = _of_one(run, first.run_id, events)
        every = _grouped(events)
        code = _show(first.run_id, every, output, options)
        return EXIT_DAMAGED if exported.damaged else code
    return with_run(root, run, lambda store, run_id: _of_store(store, run_id, output, options))


def _of_store(store: ReadStore, run_id: str, output: str, options: dict[str, Any]) -> int:
    tail = Tail(store, run_id, complain)
    code = _show(run_id, tail.batches(), output, options)
    return EXIT_DAMAGED if tail.damaged else code


def _show(
    run_id: str, batches: Iterable[Sequence[Event]], output: str, options: dict[str, Any]
) -> int:
    since, until = span(options)
    moment = options["moment"]
    if options["explain"]:
        if output == "raw" or any(options[name] for name in ("types", *_SHOWING[:-1])):
            raise click.UsageError("--explain tells of all: it takes no option that chooses some")
        _explain(postmortem(run_id, chain.from_iterable(batches), now()), output, options)
        return 0
    if moment is not None:
        if output == "raw" or any(options[name] for name in ("types", "since", "until", "speed")):
            raise click.UsageError("--at shows no events: it takes no option that chooses some")
        then = status_at(run_id, chain.from_iterable(batches), instant(moment, now()))
        _show_at(then, output, options)
        return 0
    wanted = Selection(options["types"], since=since, until=until).wanted()
    screen, is_human = terminal(options["color"]), output == "human"
    form = form_of(output, wanted, Style(screen, utc=options["utc"], has_gaps=is_human))
    if options["speed"] is None:
        with paged(screen, wanted=is_human and not options["no_pager"]) as page:
            for batch in batches:
                page.write(form(batch))
        return 0
    out = sys.stdout.buffer
    pace = _Pace(options["speed"], options["max_wait"])
    for event in chain.from_iterable(batches):
        if wanted(event):
            pace.wait_for(event)
            out.write(form([event]))
            out.flush()
    return 0


def _explain(told: Postmortem, output: str, options: dict[str, Any]) -> None:
    if output == "json":
        shown = {"v": _VERSION, **{one.name: getattr(told, one.name) for one in fields(told)}}
        print_document(shown)
        return
    with paged(terminal(options["color"]), wanted=not options["no_pager"]) as page:
        for line in explain_lines(told, time_form(utc=options["utc"])):
            page.say(line)


def _show_at(status: Status, output: str, options: dict[str, Any]) -> None:
    if output == "json":
        print_document(as_json(status))
        return
    screen = terminal(options["color"])
    for line in StatusLines(screen, utc=options["utc"]).of(status):
        screen.say(line)


def _of_one(path: str, run_id: str, events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events, which must be one run's: a state of several would be nobody's."""
    for event in events:
        if event.run_id != run_id:
            raise ValueError(
                f"{path} holds events of {run_id} and of {event.run_id}; give the file of one run"
            )
        yield event


def _grouped(events: Iterator[Event]) -> Iterator[list[Event]]:
    while some := list(islice(events, _TOGETHER)):
        yield some


class _Pace:
    """Waits between events as long as it took then, divided by the speed."""

    def __init__(self, speed: float, most_seconds: float) -> None:
        self._speed = speed
        self._most = most_seconds
        self._read = StampReader()
        self._before: float | None = None

    def wait_for(self, event: Event) -> None:
        at = recorded_at(event.record["ts"], self._read)
        if at is None:
            return
        if self._before is not None and at > self._before:
            sleep(min((at - self._before) / self._speed, self._most))
        self._before = at if self._before is None else max(at, self._before)


def verified_as_json(done: Verification) -> dict[str, Any]:
    """Return what was checked, for machines."""
    return {
        "v": _VERSION,
        "run_id": done.run_id,
        "sound": done.is_sound,
        "pruned": done.is_pruned,
        "streams": [asdict(report) for report in done.streams],
        "markers": done.markers,
        "snapshot_behind": done.behind,
        # One by one: what was found may be nested deeper than asdict follows.
        "damages": [
            {one.name: getattr(damage, one.name) for one in fields(damage)}
            for damage in done.damages
        ],
        "notes": done.notes,
    }


def _lines(done: Verification) -> Iterator[str]:
    """Say how the run is, each stream, what is wrong, and what is worth knowing."""
    count = len(done.damages)
    verdict = "sound" if done.is_sound else f"damaged, {count} finding{'s' * (count > 1)}"
    yield f"{done.run_id}: {verdict}{', pruned' if done.is_pruned else ''}"
    for report in done.streams:
        yield f"stream {report.stream}: {_words(report)}"
    if done.behind is not None:
        yield f"snapshot: as the journal says, {done.behind:,} records behind"
    for damage in done.damages[:_DAMAGES_SHOWN]:
        yield f"damage: {str(damage)[:_WORDS_CHARS]}{_facts(damage)}"
    if count > _DAMAGES_SHOWN:
        yield f"damage: {count - _DAMAGES_SHOWN:,} more, with -o json"
    for note in done.notes:
        yield f"note: {note}"


def _words(report: Report) -> str:
    """Say of a stream what is sound, what is not, and what is sound behind it."""
    if report.pruned:
        return "pruned"
    spoilt = report.spoilt
    sound = spoilt[0].first if spoilt else report.segments
    words = [f"{_segments(0, sound - 1)} sound, {report.sound_records:,} records"] if sound else []
    words += [_spoilt(one) for one in spoilt[:_SPOILT_SHOWN]]
    if len(spoilt) > _SPOILT_SHOWN:
        words.append(f"{len(spoilt) - _SPOILT_SHOWN:,} more places")
    if report.sound_behind:
        words.append(f"{report.sound_behind:,} behind that sound in themselves")
    return "; ".join(words) or "empty"


def _spoilt(one: Spoilt) -> str:
    where = "" if one.at is None else f" from byte {one.at} on"
    return f"{_segments(one.first, one.last)} {'missing' if one.missing else 'damaged'}{where}"


def _segments(first: int, last: int) -> str:
    return f"segment {first}" if first == last else f"segments {first} to {last}"


def _facts(damage: Damage) -> str:
    """Say what the format asks for and what is there, unless the words say so already."""
    if damage.kind in _NUMBERS:
        return ""
    facts = [
        f"{name} {encoded(value).decode()[:_VALUE_CHARS]}"
        for name, value in (("expected", damage.expected), ("found", damage.found))
        if value is not None
    ]
    return f" ({', '.join(facts)})" if facts else ""
