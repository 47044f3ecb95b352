"""The commands, and what a call of them ends with."""

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any, Final, NoReturn

import click

from journal import __version__
from journal.cli.exits import complain, fail
from journal.errors import JournalError

_COMMANDS: Final = {
    "start": "Begin a run for a shell script, and keep it in the background.",
    "phase": "Say from a script what begins now.",
    "emit": "Say an event from a script.",
    "exec": "Run any program as part of a run, and tell of it.",
    "finish": "End a run from a script.",
    "fail": "End a run from a script, as failed.",
    "tail": "Show the last events of a run, and follow it.",
    "replay": "Show the whole history of a run, or check it with --verify.",
    "export": "Write the whole history of a run to a file.",
    "bundle": "Put all there is to know of a run into one file for a ticket.",
    "status": "Say how a run stands: verdict and why, sources, ETA, errors.",
    "errors": "Group a run's errors: what, how often, from when to when.",
    "wait": "Wait until a run has come so far.",
    "diff": "Compare two runs.",
    "ls": "List runs, newest first.",
    "snapshot": "Print a run's metadata.json as it lies there.",
    "compact": "Fold what is new into a run's snapshot.",
    "recover": "Send what killed jobs on this host said and the store never got.",
    "tune": "Replay earlier runs of a job against other stall limits.",
    "prune": "Remove the events of runs that finished long ago.",
    "doctor": "Find out whether a journal can be kept here, and say what to do.",
    "completion": "Print what makes a shell complete commands and run ids.",
}


_FORGIVEN: Final = ("emit", "phase")
# Why output that is a file cannot be written; whatever else is written names its file.
_UNWRITTEN: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class _Call:
    """What a call asks for, whatever its command is."""

    shows_causes = False


def _show_causes(ctx: click.Context, _option: click.Parameter, *, is_given: bool) -> None:
    if is_given:
        ctx.ensure_object(_Call).shows_causes = True


_VERBOSE: Final = click.Option(
    ("-v", "--verbose"),
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, option, value: _show_causes(ctx, option, is_given=value),
    help="Show the cause of an error, too.",
)


class _ReaderGone(Exception):
    """Whoever read our output has gone; click would make exit code 1 of a BrokenPipeError."""


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as gone:
        raise _ReaderGone from gone


class _Commands(click.Group):
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _written():  # of --help
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _written():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS or cmd_name == "exec":
            return None  # `exec` is parsed before click is imported
        command: click.Command = import_module(f"journal.cli.{cmd_name}").command
        if _VERBOSE not in command.params:
            command.params.append(_VERBOSE)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="journal")
def group() -> None:
    """Watch runs through their progress journal.

    \b
    Examples:
      journal status latest
      journal tail -f mistral-20250805-142652
      journal ls --root s3://bucket/training-runs

    RUN is a run id, the beginning of one, `latest`, or a URL. The root is --root, else
    JOURNAL_ROOT, else a directory under your data home.
    """


group.params.append(_VERBOSE)


def run(arguments: list[str]) -> int:
    """Run a command; return its exit code (README, "exit code")."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # no name must end a command
    with _terminated():
        return _run(arguments, _Call())


def _run(arguments: list[str], call: _Call) -> int:
    try:
        answer: Any = group.main(arguments, prog_name="journal", standalone_mode=False, obj=call)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        complain(_with_remedy(wrong))
        # A script must not fail over what it says, however wrong.
        name = next((word for word in arguments if not word.startswith("-")), "")
        is_forgiven = name in _FORGIVEN and "--strict" not in arguments
        return 0 if is_forgiven else wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except _ReaderGone:
        _drop_output()
        return 141
    except (JournalError, ValueError) as wrong:
        return fail(wrong, shows_causes=call.shows_causes)
    except OSError as failed:
        refused = JournalError(f"{_where(failed)}{failed.strerror or failed}")
        refused.__cause__ = failed
        return fail(refused, shows_causes=call.shows_causes)
    return answer if isinstance(answer, int) else 0


def _with_remedy(wrong: click.ClickException) -> str:
    """Return what is wrong with a command line, and where to look, in one line."""
    asked = (
        wrong.ctx.command_path if isinstance(wrong, click.UsageError) and wrong.ctx else "journal"
    )
    return f"{wrong.format_message().rstrip('.')}; `{asked} --help` shows how"


def _where(failed: OSError) -> str:
    """Say what the system refused to read or write, as far as that can be told."""
    if failed.filename is not None:
        return f"{failed.filename}: "
    if failed.errno not in _UNWRITTEN:
        return ""
    _drop_output()
    return "standard output: "


def _drop_output() -> None:
    """Let the rest of the output go without a word: the interpreter's end would try once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _terminated() -> Iterator[None]:
    """End by SIGTERM as by Ctrl-C, for the time of the block: what was begun is cleaned up."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
