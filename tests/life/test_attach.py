"""A program goes along with the run that started it, or with none."""

import inspect
import os

import pytest
from recorder.stored import document, marker, types

import journal
from journal.recorder.null import NullRun
from journal.recorder.run import Run


@pytest.fixture
def handed(start, local_root, monkeypatch):
    """A run of another process's: what it hands to its programs is in our environment."""
    run = start(local_root)
    for name, value in run.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("journal.recorder.start._current", None)
    return run


def test_a_program_goes_along(handed, local_root):
    """It writes a stream named after its job, and its end is not the run's."""
    with journal.attach(job="training") as run:
        run.emit("note")
    assert types(local_root, "training") == ["started", "note", "finished"]
    assert document(local_root)["status"] == "running"
    assert marker(local_root, "_complete") is None


def test_two_programs_of_one_job(handed, local_root):
    """The second stream of a name has a number behind it."""
    first = journal.attach(job="training")
    first.finish()
    assert journal.attach(job="training").stream == "training-2"


def test_a_stream_of_a_name(handed):
    """A program may name its stream itself."""
    assert journal.attach(stream="gpu-0").stream == "gpu-0"


def test_a_process_that_is_at_work_already(handed):
    """Whoever attaches twice goes on with the same stream; after its end, with a new one."""
    run = journal.attach(job="training")
    assert journal.attach(job="other") is run
    assert journal.current_run() is run
    run.finish()
    assert journal.attach(job="training") is not run


def test_the_process_that_started_the_run(start, local_root, monkeypatch):
    """It need not know whether it has started the run or goes along with it."""
    run = journal.start_run("run-1", root=local_root)
    monkeypatch.setenv("JOURNAL_RUN_ID", "run-1")
    assert journal.attach() is run
    run.finish()


def test_no_run_to_go_along_with(tmp_path, monkeypatch):
    """Without JOURNAL_RUN_ID a program works alone: all is taken in, nothing is kept."""
    monkeypatch.setenv("JOURNAL_ROOT", str(tmp_path / "root"))
    with journal.attach(job="training") as run, run.source("a") as source:
        source.file_done("x", bytes=5)
    assert run.flush(0) is False
    assert list(tmp_path.iterdir()) == []


def test_the_mode_disabled(tmp_path, monkeypatch, local_root):
    """JOURNAL_MODE=disabled: `start_run` gives a run that keeps nothing, and hands the mode on."""
    monkeypatch.setenv("JOURNAL_MODE", "disabled")
    with journal.start_run("run-1", root=local_root, sources=8) as run:
        run.phase("data_prep", "downloading_policy")
        with run.source("a", files=1) as source, source.file("x", size=5) as file:
            file.advance(5)
        assert run.environment == {"JOURNAL_MODE": "disabled"}
        assert journal.current_run() is run
    assert run.is_over
    assert list(tmp_path.iterdir()) == []


def test_a_disabled_run_keeps_nothing_in_memory_either(monkeypatch, local_root):
    """However much is said, and by forked children too."""
    monkeypatch.setenv("JOURNAL_MODE", "disabled")
    run = journal.start_run("run-1", root=local_root)
    source = run.source("a")
    [source.file_done("x", bytes=1) for _ in range(1000)]
    pid = os.fork()
    if pid == 0:
        source.file_done("y", bytes=1)
        os._exit(len(run.intake.queue))
    assert os.waitpid(pid, 0)[1] == 0
    assert (len(run.intake.queue), run.intake.lost) == (0, 0)


@pytest.mark.parametrize("call", [lambda run: run.phase(""), lambda run: run.finish("over"),
                                  lambda run: run.source("a", files=-1)])  # fmt: skip
def test_mistakes_are_the_same_in_a_disabled_run(monkeypatch, call):
    """What raises with the journal raises without it: it is seen in tests, too."""
    monkeypatch.setenv("JOURNAL_MODE", "disabled")
    with pytest.raises(ValueError):
        call(journal.start_run("run-1"))


def test_the_error_of_a_disabled_run_goes_on(monkeypatch):
    """An exception leaves its block as it would."""
    monkeypatch.setenv("JOURNAL_MODE", "disabled")
    with pytest.raises(KeyError), journal.start_run("run-1"):
        raise KeyError("x")


@pytest.mark.parametrize("mode", ["off", "DISABLED", "0"])
def test_another_mode(monkeypatch, mode):
    """A mode that is none is a mistake, and says what there is."""
    monkeypatch.setenv("JOURNAL_MODE", mode)
    with pytest.raises(ValueError, match="set it to `disabled`"):
        journal.start_run("run-1")


def test_a_disabled_run_does_nothing_of_its_own():
    """Whatever of a run reaches for its carrier is overridden: there is none."""
    members = [(name, getattr(member, "fget", member)) for name, member in vars(Run).items()]
    reaching = {
        name
        for name, member in members
        if inspect.isfunction(member) and "_carrier" in inspect.getsource(member)
    }
    # A disabled run counts as attached, and there `_attach` returns at once.
    assert reaching - set(vars(NullRun)) == {"_attach"}
