"""The commands, and what a call of them ends with."""

import os
import sys
from importlib import import_module
from typing import Any, Final

import click

from journal import __version__
from journal.cli.exits import fail
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


class _ReaderGone(Exception):
    """Whoever read our output has gone; click would make exit code 1 of a BrokenPipeError."""


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as gone:
            raise _ReaderGone from gone
        return answer

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS or cmd_name == "exec":
            return None  # `exec` is parsed before click is imported
        command: click.Command = import_module(f"journal.cli.{cmd_name}").command
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


def run(arguments: list[str]) -> int:
    """Run a command; return its exit code (README, "exit code")."""
    try:
        answer: Any = group.main(arguments, prog_name="journal", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        wrong.show()
        # A script must not fail over what it says, however wrong.
        is_forgiven = arguments[0] in _FORGIVEN and "--strict" not in arguments
        return 0 if is_forgiven else wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except _ReaderGone:
        # The rest of the output must go, too, without a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (JournalError, ValueError) as wrong:
        return fail(wrong)
    return answer if isinstance(answer, int) else 0
