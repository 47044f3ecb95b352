"""What `journal exec` is told: one table of options, which parses them and is their help."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

_HELP: Final = """\
Usage: journal exec [OPTIONS] -- COMMAND [ARGUMENT]...

  Run COMMAND, and journal it: that it works, CPU and I/O of all its processes, how it ends.

  COMMAND runs as it would without: same terminal, same signals, same exit code, whatever becomes of
  the journal. It goes along with the run that JOURNAL_RUN_ID names; without one it is a run of its
  own. COMMAND finds the run in its environment, so that what it journals itself belongs to it.

Examples:
  journal exec -- make dataset
  journal exec --progress-from data/raw --bytes 27GB -- aws s3 sync s3://corpora data/raw
  journal exec --stall-after 20m --on-stall term -- python prepare.py

Options:
"""
_CODES: Final = """\

Exit codes: that of COMMAND; 128 + n if signal n ended it; 127 if it was not found, 126 if it cannot
be executed, 125 if it was not started for another reason; 2 for a mistake in OPTIONS.
"""


class _Mistake(ValueError):
    """An option that is none, or a value that it does not take."""


class _Option(NamedTuple):
    name: str
    value: str
    help: str
    read: Callable[[str, str], Any]  # from the option's name and its value


def _text(name: str, value: str) -> str:
    if not value:
        raise _Mistake(f"{name} must not be empty")
    return value


def _name(name: str, value: str) -> str:
    from journal.layout import check_name  # noqa: PLC0415

    return check_name(name, value)


def _phase(name: str, value: str) -> tuple[str, str | None]:
    phase, slash, sub_phase = value.partition("/")
    if not phase or (slash and not sub_phase):
        raise _Mistake(f"{name} {value!r} is not PHASE or PHASE/SUB_PHASE")
    return phase, sub_phase or None


def _duration(name: str, value: str) -> float:
    from journal.quantities import seconds_of  # noqa: PLC0415

    return seconds_of(name, float(value) if value.replace(".", "", 1).isdecimal() else value)


def _size(name: str, value: str) -> int:
    from journal.quantities import bytes_of  # noqa: PLC0415

    return bytes_of(name, value)


def _count(name: str, value: str) -> int:
    if not value.isdecimal() or len(value) > 15:
        raise _Mistake(f"{name} {value!r} is no whole number")
    return int(value)


def _reaction(name: str, value: str) -> str:
    if value not in ("warn", "dump", "term"):
        raise _Mistake(f"{name} {value!r} is none of warn, dump, term")
    return value


_OPTIONS: Final = (
    _Option("--run", "RUN", "The run to join or to start; by default JOURNAL_RUN_ID.", _name),
    _Option("--root", "URL", "Where runs lie: s3://bucket/prefix, file://… or a directory.", _text),
    _Option("--job", "NAME", "What is run, and its stream's name; by default COMMAND's.", _name),
    _Option("--phase", "PHASE[/SUB]", "The phase, and sub-phase, that COMMAND is.", _phase),
    _Option("--stall-after", "DURATION", "No work for so long (20m) is a stall.", _duration),
    _Option("--on-stall", "ACTION", "At a stall: warn (a line on stderr); dump (also journal what "
        "each process is doing); term (also end them).", _reaction),
    _Option("--progress-from", "PATH", "A file or folder that grows: files and bytes.", _text),
    _Option("--source", "NAME", "What PATH is called in the journal; by default its name.", _text),
    _Option("--files", "N", "How many files there will be in PATH.", _count),
    _Option("--bytes", "SIZE", "How many bytes (27GB, 4GiB).", _size),
    _Option("--heartbeat", "SECONDS", "The longest silence; by default 180.", _duration),
    _Option("--flush", "SECONDS", "How long an event may wait; by default 5.", _duration),
)  # fmt: skip
_FIELDS: Final = {
    "--run": "run_id",
    "--stall-after": "stall_seconds",
    "--heartbeat": "heartbeat_seconds",
    "--flush": "flush_seconds",
}


def parsed(arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the options given, by their fields, and the command; none if help is asked for.

    Raises ValueError.
    """
    options = {option.name: option for option in _OPTIONS}
    given: dict[str, Any] = {}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        name, equals, value = rest.pop(0).partition("=")
        if name in ("-h", "--help"):
            return {}, []
        option = options.get(name)
        if option is None:
            raise _Mistake(f"exec has no option {name}")
        if not equals:
            if not rest:
                raise _Mistake(f"{name} needs a value: {option.value}")
            value = rest.pop(0)
        given[_FIELDS.get(name, name[2:].replace("-", "_"))] = option.read(name, value)
    command = rest[1:] if rest[:1] == ["--"] else rest
    if not command or not command[0]:
        raise _Mistake("there is no command to run: journal exec [OPTIONS] -- COMMAND")
    if given.keys() & {"heartbeat_seconds", "flush_seconds"}:
        from journal.limits import FLUSH_SECONDS, HEARTBEAT_SECONDS  # noqa: PLC0415
        from journal.recorder.promise import check_promise  # noqa: PLC0415

        check_promise(
            given.get("heartbeat_seconds", HEARTBEAT_SECONDS),
            given.get("flush_seconds", FLUSH_SECONDS),
        )
    if "progress_from" not in given and given.keys() & {"source", "files", "bytes"}:
        raise _Mistake("--source, --files and --bytes say what --progress-from PATH will hold")
    return given, command


def help_text() -> str:
    """Return what `--help` prints."""
    lines = []
    for option in _OPTIONS:
        head = f"  {option.name} {option.value}"
        words, line = option.help.split(), f"{head:<27}"
        for word in words:
            if len(line) + len(word) > 96:
                lines.append(line.rstrip())
                line = " " * 27
            line += f"{word} "
        lines.append(line.rstrip())
    lines.append("  -h, --help               Show this and exit.")
    return _HELP + "\n".join(lines) + "\n" + _CODES
