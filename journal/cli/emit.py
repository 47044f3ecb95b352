"""`journal emit TYPE k=v…`."""

import re
from typing import Final

import click
import orjson

from journal.cli.delivery import see_to
from journal.cli.options import root_option
from journal.cli.shell import Place, forgiving, run_option, strict_option
from journal.recorder import saying

# As JSON has them, few enough digits to be exact: 007 is a name, and so is a long row of digits.
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,3})?")
_WORDS: Final = {"true": True, "false": False, "null": None}


@click.command()
@click.argument("type", metavar="TYPE")
@click.argument("fields", metavar="[FIELD=VALUE]…", nargs=-1)
@run_option
@root_option
@strict_option
def command(
    type: str, fields: tuple[str, ...], run_id: str | None, root: str | None, *, strict: bool
) -> int:
    """Say an event of a run from a shell script. It returns at once and never fails the script.

    What is said is on this host's disk when it returns, and goes to the store in the background.
    Numbers, true, false and null are taken for what they are, anything else is text.

    \b
    Examples:
      journal emit source_started source=corpus files=1250 bytes=3200000000
      journal emit file_done source=corpus path=part-001.jsonl bytes=2560000
      journal emit error message="part-002 is damaged" source=corpus
      journal emit waiting reason="rate limited" until=2025-08-05T20:15:00Z
      journal emit checkpoint step=1200 loss=0.83
    """

    def say() -> None:
        said = saying.named(type, dict(map(_field, fields)))
        place = Place(run_id, root)
        place.leave(said)
        see_to(place, strict=strict)

    return forgiving(say, strict=strict)


def _field(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text!a} is no field: expected FIELD=VALUE")
    return name, _value(value)


def _value(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    try:
        return orjson.loads(text)
    except ValueError:
        return text  # beyond what a number can be
