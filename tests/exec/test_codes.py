"""`journal exec` ends as its command does, and says so in the journal."""

import sys
from pathlib import Path

import pytest
from recorder.processes import journal
from recorder.stored import document, lines, marker, of_type, records, types

PROGRAM = "import journal\nwith journal.start_run(job='inner') as run: run.phase('data_prep')\n"


@pytest.mark.parametrize(
    ("command", "code", "status", "message"),
    [
        ("exit 0", 0, "completed", None),
        ("exit 3", 3, "failed", "exit code 3"),
        ("exit 255", 255, "failed", "exit code 255"),
        ("exit 137", 137, "failed", "exit code 137"),
        ("exit 143", 143, "aborted", "exit code 143 (SIGTERM)"),
        ("kill -KILL $$", 137, "failed", "SIGKILL"),
        ("kill -SEGV $$", 139, "failed", "SIGSEGV"),
        ("kill -INT $$", 130, "aborted", "SIGINT"),
    ],
)
def test_the_exit_code_is_the_command_s(wrap, local_root, *, command, code, status, message):
    """And the run ends with what it means."""
    child = wrap("sh", "-c", command)

    assert (child.wait(), child.err) == (code, "")
    finished = records(local_root)[-1]
    assert (finished["status"], finished.get("message")) == (status, message)


def test_the_error_comes_before_the_end_with_the_last_words(wrap, local_root):
    """For a person who reads the journal it is fatal, of a class, and quotes stderr."""
    wrap("sh", "-c", "echo first >&2; echo no such bucket >&2; exit 4").wait()

    assert types(local_root) == ["started", "error", "finished"]
    error = of_type(local_root, "error")
    assert error == {
        "message": "exit code 4: no such bucket",
        "error": "ExitCode",
        "fatal": True,
        "stderr": "first\nno such bucket",
    }
    assert marker(local_root, "_error") == "failed: exit code 4: no such bucket"


@pytest.mark.parametrize(
    ("words", "code"),
    [(["/no/such/program"], 127), (["no-such-program"], 127), (["/etc/passwd"], 126), (["/"], 126)],
)
def test_a_command_that_cannot_be_run_is_told_of_as_by_a_shell(words, code, wrap, local_root):
    """With a line that names it; there is no run of it."""
    child = wrap(*words)

    assert child.wait() == code
    assert child.err.startswith(f"journal: {words[0]}: ")
    assert not Path(local_root).exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "there is no command"),
        (["--"], "there is no command"),
        (["--no-such", "x", "--", "true"], "no option --no-such"),
        (["--run"], "--run needs a value"),
        (["--run", "../x", "--", "true"], "--run '../x' is not allowed"),
        (["--on-stall", "dance", "--", "true"], "none of warn, dump, term"),
        (["--stall-after", "soon", "--", "true"], "--stall-after 'soon' is no duration"),
        (["--heartbeat", "400", "--", "true"], "heartbeat"),
        (["--bytes", "27GB", "--", "true"], "--progress-from"),
        (["--phase", "a/", "--", "true"], "PHASE"),
    ],
)
def test_a_mistake_is_told_before_anything_is_run(arguments, words, spawn, tmp_path):
    """With exit code 2, in a line that says what is wrong."""
    touched = tmp_path / "touched"
    replaced = ["touch" if word == "true" else word for word in arguments]
    child = spawn(journal("exec", *replaced, *([str(touched)] if "touch" in replaced else [])))

    assert child.wait() == 2
    assert words in child.err
    assert not touched.exists()


def test_a_script_without_its_first_line_is_a_shell_s(wrap, tmp_path):
    """As every shell takes it."""
    script = tmp_path / "script"
    script.write_text('echo "$1"; exit 5\n', encoding="utf-8")
    script.chmod(0o755)

    child = wrap(str(script), "one word")

    assert (child.wait(), child.out) == (5, "one word\n")


def test_turned_off_it_is_the_command_itself(spawn, local_root):
    """No process stays between, and nothing is written."""
    command = journal("exec", "--", "sh", "-c", "echo $$; exit 6")
    child = spawn(command, JOURNAL_MODE="disabled", JOURNAL_ROOT=local_root)

    assert (child.wait(), child.out) == (6, f"{child.pid}\n")
    assert not Path(local_root).exists()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"JOURNAL_ROOT": "ftp://nowhere/x"}, "unknown scheme ftp"),
        ({"JOURNAL_RUN_ID": "../.."}, "run id '../..' is not allowed"),
        ({"JOURNAL_REDACT": "/(a+)+b/"}, "may take for ever"),
        ({"JOURNAL_MODE": "off"}, "JOURNAL_MODE"),
    ],
)
def test_an_impossible_journal_does_not_stop_the_command(environment, words, wrap):
    """One line says why there is none."""
    child = wrap("sh", "-c", "echo done; exit 7", **environment)

    assert (child.wait(), child.out) == (7, "done\n")
    assert words in child.err
    assert len(child.err.splitlines()) == 1


def test_the_command_finds_its_run(spawn, local_root):
    """By an id made of its name, and an absolute root."""
    command = journal("exec", "--root", "runs", "--", "sh", "-c", "pwd; env")
    child = spawn(command)

    assert child.wait() == 0
    told = dict(line.split("=", 1) for line in child.said[1:] if "=" in line)
    assert told["JOURNAL_ROOT"] == f"{child.said[0]}/runs"
    assert document(told["JOURNAL_ROOT"], told["JOURNAL_RUN_ID"])["job"] == "sh"
    assert told["JOURNAL_RUN_ID"].startswith("sh-2")


def test_a_program_that_journals_joins_however_quick_it_is(wrap, local_root):
    """Its end is not the run's: `main` is the wrapper's, even if that has not claimed it yet."""
    child = wrap(sys.executable, "-c", PROGRAM, options=("--job", "outer"))

    assert child.wait() == 0, child.err
    assert [line["job"] for line in lines(local_root) if line["type"] == "started"] == ["outer"]
    assert types(local_root, "inner") == ["started", "phase", "finished"]
    assert document(local_root)["status"] == "completed"


def test_main_is_the_wrapper_s_though_its_program_was_quicker(start, wrap, local_root):
    """A stream beside `main` that is there already is the program's: there is no run without."""
    start(local_root, stream="inner").finish()

    assert wrap("true", options=("--job", "outer")).wait() == 0
    assert types(local_root) == ["started", "finished"]


def test_it_joins_a_run_that_there_is(start, wrap, local_root):
    """In a stream named after its job, whose end is not the run's."""
    run = start(local_root)

    assert wrap("false").wait() == 1
    assert types(local_root, "false") == ["started", "error", "finished"]
    assert document(local_root)["status"] == "running"
    run.finish()
