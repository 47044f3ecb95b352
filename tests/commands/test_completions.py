"""`journal completion`, and what a shell then asks for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fold.stories import Story

JOURNAL = str(Path(sys.executable).with_name("journal"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_ask(shell, call):
    """By the variable that the program answers to."""
    answer = call("completion", shell)

    assert answer.code == 0
    assert "_JOURNAL_COMPLETE" in answer.out
    assert call("completion", "csh").code == 2


def asked(root, *words):
    """What bash is offered for the last of some words."""
    offered = subprocess.run(
        [JOURNAL],
        env={
            **os.environ,
            "JOURNAL_ROOT": root,
            "_JOURNAL_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("journal", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert offered.stderr == ""
    return [line.partition(",")[2] for line in offered.stdout.splitlines() if line]


@pytest.fixture
def runs(told):
    """The ids of three runs."""
    return [told(name, main=Story().started().finished()) for name in ("prep-1", "prep-2", "x")]


def test_run_ids_are_offered(runs, local_root):
    """Those that begin as was typed; `latest` among all."""
    assert sorted(asked(local_root, "status", "pr")) == ["prep-1", "prep-2"]
    assert sorted(asked(local_root, "replay", "")) == ["latest", *runs]
    assert asked(local_root, "tail", "la") == ["latest"]
    assert asked(local_root, "diff", "prep-1", "x") == ["x"]


def test_commands_and_options_are_offered(runs, local_root):
    """As click knows them."""
    assert "errors" in asked(local_root, "er")
    assert "--traceback" in asked(local_root, "errors", "--tr")


def test_a_root_that_is_none_offers_nothing(tmp_path):
    """And says nothing."""
    assert asked(str(tmp_path / "none"), "status", "pr") == []
    assert asked("gs://nowhere", "status", "pr") == []
