"""`journal prune`: what it shows, what it does, and what is left to be shown of a pruned run."""

import json
import os
from pathlib import Path

import pytest
from recorder.stored import keys, marker

import journal
from journal import cli as command_line
from journal.cli import prune as prune_command
from journal.errors import Denied
from journal.recorder.opening import Ended
from journal.stores import connect

DAY = 86400.0


@pytest.fixture
def old(local_root, start):
    """The id of a run that finished a month ago, of six segments, and a young one beside it."""
    run = start(local_root, "old-1")
    run.emit("note", text="one")
    run.finish()
    start(local_root, "young-1").finish()
    aged(local_root, "old-1", days=30.5)
    return "old-1"


@pytest.fixture
def quick(local_root, capsys):
    """Run the command in this process; return its exit code, what it printed and complained of."""

    def run(*arguments):
        code = command_line._run(["prune", *arguments, "--root", local_root])
        return code, *capsys.readouterr()

    return run


def aged(root, run_id, *, days):
    """Let a run's segments have been written so many days before."""
    for path in Path(root, run_id, "journal").rglob("*.jsonl"):
        before = path.stat().st_mtime - days * DAY
        os.utime(path, (before, before))


def segments(root, run_id):
    return [key for key in keys(root, run_id) if key.endswith(".jsonl")]


# What it shows


def test_without_yes_nothing_is_changed(old, local_root, cli):
    """It says what it would remove, and how to have it removed."""
    before = keys(local_root, old)

    answer = cli("prune", "--older-than", "30d")

    assert answer.code == 0
    assert "old-1 " in answer.out
    assert "to prune: 1 segment" in answer.out
    assert "30 d 12 h old" in answer.out
    assert "nothing was changed, say --yes to do it" in answer.err
    assert keys(local_root, old) == before


@pytest.mark.usefixtures("old")
def test_what_stays_is_told_with_its_reason(cli):
    answer = cli("prune", "--older-than", "7d", "young")

    assert answer.code == 0
    assert answer.out.startswith("young-1 ")
    assert "stays: it was written to" in answer.out


@pytest.mark.usefixtures("old")
def test_json_is_one_document(cli):
    """Whether it was done, and each run with its reason to stay, if it has one."""
    answer = cli("prune", "--older-than", "30d", "-o", "json")

    document = json.loads(answer.out)
    runs = {run["run_id"]: run for run in document["runs"]}
    assert (document["version"], document["is_done"]) == (1, False)
    assert runs["old-1"]["why_kept"] is None
    assert runs["old-1"]["segments"] == 1
    assert round(runs["old-1"]["age_seconds"] / DAY, 1) == 30.5
    assert "written to" in runs["young-1"]["why_kept"]


def test_another_program_s_folder_is_no_run(local_root, cli):
    """Under the same root lie documents without a journal."""
    Path(local_root, "other-1").mkdir(parents=True)
    Path(local_root, "other-1", "metadata.json").write_text("{}")

    answer = cli("prune", "--older-than", "30d")

    assert (answer.code, answer.out) == (0, "")


# What it does


def test_with_yes_the_old_run_is_pruned(old, local_root, cli):
    """And the young one is not."""
    answer = cli("prune", "--older-than", "30d", "--yes")

    assert answer.code == 0
    assert "pruned: 1 segment" in answer.out
    assert len(segments(local_root, old)) == 2
    assert all(b"pruned" in Path(local_root, key).read_bytes() for key in segments(local_root, old))
    assert len(segments(local_root, "young-1")) == 1


def test_a_run_may_be_named_by_its_url(old, local_root, cli):
    answer = cli("prune", "--older-than", "30d", "--yes", f"file://{local_root}/{old}")

    assert answer.code == 0
    assert "pruned: 1 segment" in answer.out


@pytest.fixture
def pruned(old, cli):
    """The id of a run that was pruned."""
    assert cli("prune", "--older-than", "30d", "--yes").code == 0
    return old


def test_a_second_time_there_is_nothing_to_do(pruned, cli):
    assert cli("prune", "--older-than", "30d", "--yes").out.count("old-1") == 0
    assert "old-1" in (answer := cli("prune", "--older-than", "30d", pruned)).out
    assert "was pruned before" in answer.out


# What it refuses


@pytest.mark.parametrize("age", ["6d", "167h", "10m", "0d"])
def test_less_than_a_week_is_a_mistake(age, old, quick):
    """One clear line, exit code 2."""
    code, out, told = quick("--older-than", age, "--yes", old)

    assert (code, out) == (2, "")
    assert "too young to prune: 7 d 00 h" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("age", ["", "7", "d", "1w", "-7d", "7d 1h", "1h7d", "9999999d"])
def test_what_is_no_age_is_a_mistake(age, quick):
    code, _, told = quick(f"--older-than={age}")

    assert code == 2
    assert "is no age; write it as 30d" in told


@pytest.mark.parametrize("age", ["8d", "7d12h", "192h", "11000m"])
def test_ages_are_days_hours_and_minutes(age, old, quick):
    assert "old-1" in quick(f"--older-than={age}", old)[1]


def test_an_age_has_to_be_said(cli):
    """There is no default for what cannot be undone."""
    assert cli("prune").code == 2


@pytest.mark.usefixtures("old")
def test_a_run_that_is_not_there_is_ten(cli):
    """The others that were named are still done."""
    answer = cli("prune", "--older-than", "30d", "gamma", "old-1")

    assert answer.code == 10
    assert "no run gamma" in answer.err
    assert answer.out.startswith("old-1")


def test_without_the_right_to_delete_it_is_twelve(old, local_root, quick, monkeypatch):
    """One line, and nothing was touched."""
    store = connect(local_root)

    def denied(key):
        raise Denied(f"DELETE {key}: the server answered 403 AccessDenied; allow s3:DeleteObject")

    monkeypatch.setattr(store, "delete", denied)
    monkeypatch.setattr(prune_command, "connect", lambda _: store)
    before = keys(local_root, old)

    code, _, told = quick("--older-than", "30d", "--yes")

    (line,) = told.splitlines()
    assert code == 12
    assert "s3:DeleteObject" in line
    assert keys(local_root, old) == before


# What is left to be shown


def test_status_still_knows_how_it_ended(pruned, cli):
    answer = cli("status", pruned)

    assert answer.code == 0
    assert "old-1  completed  ✓ done" in answer.out
    assert "events    pruned; this summary is what is left" in answer.out


@pytest.mark.usefixtures("pruned")
def test_ls_still_lists_it(cli):
    assert "old-1" in cli("ls").out


@pytest.mark.parametrize("count", ["10", "all"])
def test_tail_has_nothing_to_show_and_says_why(pruned, count, cli):
    """Neither is that damage."""
    answer = cli("tail", "-n", count, pruned)

    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "journal: run old-1 was pruned; `journal status` shows what is left\n"


def test_following_it_ends_at_once(pruned, cli):
    assert cli("tail", "-f", pruned).code == 0


def test_compacting_it_changes_nothing(pruned, local_root, cli):
    """Its markers and its index entry are as they were."""
    before = {key: Path(local_root, key).read_bytes() for key in keys(local_root, pruned)}

    answer = cli("compact", "--all")

    assert answer.code == 0
    assert before == {key: Path(local_root, key).read_bytes() for key in keys(local_root, pruned)}
    assert marker(local_root, "_complete", pruned) == "completed"


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"resume": True, "force": True}])
def test_its_id_is_not_used_again(pruned, local_root, options):
    """The caller is told at once, as of every other mistake."""
    with pytest.raises(Ended, match=r"was pruned|is completed"):
        journal.start_run(pruned, root=local_root, **options)
