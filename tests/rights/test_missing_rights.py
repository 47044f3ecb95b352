"""With any one right missing somebody reads, in one line, which it is and for what.

The job goes on and logs it; a command ends with the code for it. SeaweedFS alone is asked: it knows
all that the policies say.
"""

import pytest
from recorder.processes import wait_until
from recorder.stored import marker, types
from rights.guarded import actions, policy, without

from journal.stores import Absent, connect
from journal.stores.contract import ABSENT
from journal.stores.s3_errors import failure

on_weed = pytest.mark.parametrize("guarded", ["weed"], indirect=True)


@on_weed
@pytest.mark.parametrize("action", actions(policy("writer")))
def test_a_writer_lacks_a_right(guarded, start, said, monkeypatch, action):
    """The job is not held up; the log names the right."""
    monkeypatch.setattr("journal.recorder.run.EXIT_SECONDS", 0.1)
    with guarded.owner():
        connect(guarded.root).put("run-1/_error", b"left over\n", expect=ABSENT)
    guarded.allow(without(policy("writer"), action))

    with start(guarded.root) as run, run.source("federal") as source:
        source.file_done("a.pdf", bytes=1)
        wait_until(lambda: [line for line in said() if f"give these credentials {action}" in line])

    assert [line for line in said() if "\n" in line] == []


@on_weed
def test_a_writer_can_do_without_deleting(guarded, start):
    """What it writes is whole, and its end is marked."""
    guarded.allow(without(policy("writer"), "s3:DeleteObject"))

    start(guarded.root).finish()

    with guarded.owner():
        told = [kind for kind in types(guarded.root) if kind != "heartbeat"]  # if it took long
        assert told == ["started", "finished"]
        assert marker(guarded.root, "_complete") == "completed"


class DeniesAbsence:
    """A store that denies what is absent, as S3 does to those who may not list."""

    def __init__(self, root):
        self._store = connect(root)
        self.put, self.delete, self.list = self._store.put, self._store.delete, self._store.list

    def get(self, key, *, start=0, unless=None):
        answer = self._store.get(key, start=start, unless=unless)
        if isinstance(answer, Absent):
            raise failure(f"GET s3://bucket/{key}", 403, "AccessDenied", "Access Denied")
        return answer


def test_a_writer_that_may_not_list_is_told_so_by_s3(local_root, start, said, monkeypatch):
    """S3 denies what is absent to those who may not list, so a run is not even looked for."""
    monkeypatch.setattr("journal.recorder.start.connect", lambda _: DeniesAbsence(local_root))
    monkeypatch.setattr("journal.recorder.run.EXIT_SECONDS", 0.1)

    start(local_root).finish()

    (line, *_) = said()
    assert "GET s3://bucket/run-1/metadata.json: the server answered 403 AccessDenied" in line
    assert "s3:ListBucket: without it S3 denies what is absent" in line


@on_weed
@pytest.mark.parametrize("action", actions(policy("reader")))
@pytest.mark.parametrize(
    "arguments", [["tail", "-f", "run-1"], ["status", "latest"], ["ls"], ["doctor", "--reader"]]
)
def test_a_reader_lacks_a_right(guarded, finished, command, arguments, action):
    """Every command says so, with code 12."""
    guarded.allow(without(policy("reader"), action))

    code, out, err = command(*arguments)

    assert code == 12
    assert len([line for line in (out + err).splitlines() if action in line]) == 1


@on_weed
@pytest.mark.parametrize("action", actions(policy("compactor")))
def test_a_compactor_lacks_a_right(guarded, finished, command, action):
    """It says so, with code 12, and the journal is what it was."""
    with guarded.owner():
        connect(guarded.root).delete("run-1/metadata.json")
    guarded.allow(without(policy("compactor"), action))

    code, out, err = command("compact", "--all")

    assert (code, out) == (12, "")
    assert [action in line for line in err.splitlines()] == [True]


@on_weed
@pytest.mark.parametrize("action", actions(policy("pruner")))
def test_a_pruner_lacks_a_right(guarded, old, command, action):
    """It says so, with code 12, and nothing has been lost."""
    guarded.allow(without(policy("pruner"), action))

    code, out, err = command("prune", "--older-than", "0m", "--yes")

    assert (code, out) == (12, "")
    assert [action in line for line in err.splitlines()].count(True) == 1
    with guarded.owner():
        assert types(guarded.root)[-1] == "finished"
