"""Each role can do all it has to with exactly the policy that is published for it."""

import json

import pytest
from recorder.stored import document, marker, types
from rights.guarded import policy

from journal.errors import Denied
from journal.stores import connect


def delete(root, *names):
    for name in names:
        connect(root).delete(name)


def below(root, prefix):
    return [entry.key for entry in connect(root).list(prefix)]


def test_a_writer_takes_over_and_ends(guarded, unprobed, start, said):
    """Probe, start, write, be resumed, remove old markers, end, mark the end, enter the index."""
    guarded.allow(policy("writer"))
    start(guarded.root, resume=True).finish("failed", "no disk")
    with start(guarded.root, resume=True) as run, run.source("federal") as source:
        source.file_done("a.pdf", bytes=1)

    assert said() == []
    with guarded.owner():
        assert types(guarded.root)[-3:] == ["file_done", "source_done", "finished"]
        assert document(guarded.root)["status"] == "completed"
        assert marker(guarded.root, "_error") is None
        assert marker(guarded.root, "_complete") == "completed"
        assert len(below(guarded.root, "_index/")) == 2
        assert below(guarded.root, "_probe/") == []


def test_a_writer_can_ask_the_doctor(guarded, command):
    """Nothing is bad, and nothing is left behind."""
    guarded.allow(policy("writer"))
    code, out, _ = command("doctor", "-o", "json")

    levels = {one["check"]: one["level"] for one in json.loads(out)["findings"]}
    assert (code, {levels[name] for name in ("list", "get", "put", "delete", "conditions")}) == (
        0,
        {"ok"},
    )
    with guarded.owner():
        assert below(guarded.root, "") == []


def test_a_reader_can_watch(guarded, finished, command):
    """tail, status, ls, snapshot and the doctor's look: no right to write is asked for."""
    guarded.allow(policy("reader"))

    codes = [
        command("tail", "-f", "-n", "all", finished)[0],
        command("status", "latest")[0],
        command("ls")[0],
        command("snapshot", "run")[0],
        command("doctor", "--reader")[0],
    ]

    assert codes == [0, 0, 0, 0, 0]


def test_a_compactor_mends_what_is_derived(guarded, finished, command):
    """Snapshot, marker and index are made anew of the journal alone."""
    with guarded.owner():
        delete(guarded.root, "run-1/metadata.json", "run-1/_complete")
        delete(guarded.root, *below(guarded.root, "_index/"))
    guarded.allow(policy("compactor"))

    code, out, err = command("compact", "--all")

    assert (code, err) == (0, "")
    assert out.startswith("run-1: snapshot installed")
    with guarded.owner():
        assert marker(guarded.root, "_complete") == "completed"
        assert len(below(guarded.root, "_index/")) == 2


def test_a_pruner_removes_old_runs(guarded, unprobed, old, command):
    """The events go, the document, the marker and a tombstone stay."""
    guarded.allow(policy("pruner"))

    code, out, _ = command("prune", "--older-than", "0m", "--yes")

    assert code == 0
    assert "pruned: 1 segment" in out
    with guarded.owner():
        assert types(guarded.root) == []
        assert marker(guarded.root, "_complete") == "completed"
        assert below(guarded.root, "_probe/") == []


@pytest.mark.parametrize("role", ["reader", "compactor"])
def test_a_role_beside_the_writer_cannot_touch_a_journal(guarded, finished, role):
    """What is the truth can neither be written nor deleted by whoever only watches or mends."""
    guarded.allow(policy(role))
    store = connect(guarded.root)
    key = "run-1/journal/stream=main/0000000000.jsonl"

    with pytest.raises(Denied, match="s3:PutObject"):
        store.put(key, b"", expect=store.get(key).version)
    with pytest.raises(Denied, match="s3:DeleteObject"):
        store.delete(key)


def test_a_writer_cannot_delete_a_journal(guarded, finished):
    """It deletes end markers, and what it probed with."""
    guarded.allow(policy("writer"))

    with pytest.raises(Denied, match="s3:DeleteObject"):
        connect(guarded.root).delete("run-1/journal/stream=main/0000000000.jsonl")


@pytest.mark.parametrize("guarded", ["weed"], indirect=True)
def test_nobody_sees_what_lies_beside_the_root(guarded):
    """A condition on the prefix holds for listings; moto does not know it."""
    guarded.allow(policy("reader"))
    bucket = guarded.root.split("/")[2]

    with pytest.raises(Denied, match="s3:ListBucket"):
        list(connect(f"s3://{bucket}").list(""))
