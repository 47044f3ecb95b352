"""`journal replay RUN`."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import click
import orjson

from journal.cli.exits import EXIT_DAMAGED, complain
from journal.cli.lines import LINES, Style, form_of, types_option
from journal.cli.meant import with_run
from journal.cli.options import output_option, root_option, run_argument
from journal.log import Damage
from journal.stores import ReadStore
from readers.chain import Report, Spoilt
from readers.selection import Selection
from readers.tail import Tail
from readers.text import printable, printable_json
from readers.verify import Verification, verify

_VERSION: Final = 1  # of what `--verify -o json` prints
_DAMAGES_SHOWN: Final = 20
_NUMBERS: Final = ("seq", "epoch")  # kinds of damage whose words have both numbers in them
_SPOILT_SHOWN: Final = 5  # of a stream
_WORDS_CHARS: Final = 500  # of a finding, which may quote what a foreign hand wrote
_VALUE_CHARS: Final = 160  # of what was expected, and of what was found


@click.command()
@run_argument
@root_option
@types_option
@click.option("--verify", "is_check", is_flag=True, help="Check everything, show no events.")
@output_option(*LINES)
def command(run: str, root: str | None, *, types: str | None, is_check: bool, output: str) -> int:
    """Show the whole history of a run, its streams merged in the order of their times.

    Events are shown as `journal tail` shows them. With --verify none is: the chain of segments of
    each stream is checked, and the snapshot and the end markers are held against it. The exit code
    is 13 if anything is wrong.

    \b
    Examples:
      journal replay latest
      journal replay -t error,file_skipped -o json mistral-20250805-142652
      journal replay --verify mistral-20250805-142652
    """
    if not is_check:
        return with_run(root, run, lambda store, run_id: _show(store, run_id, types, output))
    if types is not None or output == "raw":
        raise click.UsageError("--verify shows no events: it takes neither -t nor -o raw")
    done = with_run(root, run, verify)
    if output == "json":
        click.echo(printable_json(orjson.dumps(_as_json(done), option=orjson.OPT_INDENT_2)))
    else:
        for line in _lines(done):
            click.echo(printable(line))
    return 0 if done.is_sound else EXIT_DAMAGED


def _show(store: ReadStore, run_id: str, types: str | None, output: str) -> int:
    form = form_of(output, Selection(types=types).wanted(), Style())
    tail = Tail(store, run_id, complain)
    out = sys.stdout.buffer
    for batch in tail.batches():
        out.write(form(batch))
    return EXIT_DAMAGED if tail.damaged else 0


def _as_json(done: Verification) -> dict[str, Any]:
    return {
        "v": _VERSION,
        "run_id": done.run_id,
        "sound": done.is_sound,
        "pruned": done.is_pruned,
        "streams": [asdict(report) for report in done.streams],
        "markers": done.markers,
        "snapshot_behind": done.behind,
        "damages": [asdict(damage) for damage in done.damages],
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
        f"{name} {orjson.dumps(value).decode()[:_VALUE_CHARS]}"
        for name, value in (("expected", damage.expected), ("found", damage.found))
        if value is not None
    ]
    return f" ({', '.join(facts)})" if facts else ""
