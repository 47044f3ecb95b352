"""`--help` of every command: examples, lines that fit, and a place in README."""

from pathlib import Path

import pytest

from journal.cli.commands import _COMMANDS

README = Path(__file__).parents[2].joinpath("README.md").read_text()
CLICKED = [name for name in _COMMANDS if name != "exec"]  # whose help is its own


@pytest.mark.parametrize("name", CLICKED)
def test_help_begins_with_what_it_does_and_has_examples(name, call):
    """No line is wider than a terminal is as a rule."""
    answer = call(name, "--help")

    assert answer.code == 0
    assert "Example" in answer.out
    assert f"journal {name}" in answer.out
    assert max(map(len, answer.lines)) <= 100


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_is_in_the_readme(name):
    """As it is typed."""
    assert f"journal {name}" in README
