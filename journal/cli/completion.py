"""`journal completion SHELL`."""

import click
from click.shell_completion import get_completion_class

from journal.cli.runs_completed import VARIABLE


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and run ids.

    Run ids are those under --root or JOURNAL_ROOT, the newest first.

    \b
    Examples:
      journal completion bash >> ~/.bashrc
      journal completion zsh >> ~/.zshrc
      journal completion fish > ~/.config/fish/completions/journal.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"nothing is known of the shell {shell}")
    click.echo(kind(ctx.find_root().command, {}, "journal", VARIABLE).source())
