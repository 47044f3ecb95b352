"""A preparation goes on where it was killed, does nothing twice, and knows who holds its run."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from recorder.processes import stop

from readers.status import Holder
from tools.prepare import download, sources
from tools.prepare.errors import RunHeld, Superseded
from tools.prepare.holding import may_be_replaced, process_is_alive
from tools.prepare.ledger import Finished, Ledger
from tools.prepare.lock import DirectoryLock

ROOT = Path(__file__).resolve().parents[2]


def library(bench) -> None:
    """Three sources, two of them packed: enough to be killed in any step."""
    for name, packing in (("plain", None), ("zipped", "zip"), ("many", "gz")):
        files = {
            f"d{n % 7}/{n}.jsonl": "".join(f'{{"n": {n * k}, "{name}": {k}}}\n' for k in range(40))
            for n in range(100)
        }
        folder = bench.source(name, {**files, "bad.json": "{"})
        if packing:
            text = bench.manifest.read_text().rpartition("[[sources]]")[0]
            bench.manifest.write_text(text)
            bench.add(name, f"file://{folder}", f'pack = "{packing}"')


def result(bench) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in bench.work.glob("*.jsonl")}


def finished_work(bench) -> Counter[tuple[str, str, str]]:
    """Count what the journal announced as done: (sub-phase, source, path)."""
    seen: Counter[tuple[str, str, str]] = Counter()
    sub_phase = ""
    for record in bench.said("phase", "file_done"):
        if record["type"] == "phase":
            sub_phase = str(record["sub_phase"])
        else:
            seen[sub_phase, str(record["source"]), str(record["path"])] += 1
    return seen


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))]
)
def test_killed_at_any_instant_it_ends_with_the_same_bytes_and_nothing_done_twice(
    bench, tmp_path, until, ended, seed: int
) -> None:
    library(bench)
    assert bench.prepare("--run-id", "undisturbed").code == 0
    undisturbed = result(bench)
    bench.work.rename(tmp_path / "undisturbed")
    chance = random.Random(seed)

    for _ in range(2):
        process = bench.start("--jobs", "3")
        ended.append(process)
        before = len(bench.said("started"))
        until(lambda count=before: len(bench.said("started")) > count)
        threading.Event().wait(chance.uniform(0, 0.35))
        process.kill()
        process.communicate()
    assert bench.prepare().code == 0

    assert result(bench) == undisturbed
    assert max(finished_work(bench).values()) == 1


def test_what_was_found_finished_is_told_as_done_before(bench, monkeypatch) -> None:
    def opened(url: str):
        if url.endswith("c.txt"):
            raise KeyboardInterrupt
        return sources.open_url(url)

    bench.source("s", {"a.txt": "a", "b.txt": "bb", "c.txt": "c"})
    with monkeypatch.context() as patch:
        patch.setattr(download, "open_url", opened)
        assert bench.prepare("--jobs", "1").code == 130
    assert bench.said("finished")[0]["status"] == "aborted"
    assert bench.prepare().code == 0
    attempts = [s for s in bench.said("source_started") if s["sub_phase"] == "downloading_policy"]
    assert attempts[-1]["done"] == {"files": 2, "bytes": 3}


def test_a_run_that_is_completed_has_nothing_left_to_do(bench) -> None:
    bench.source("s", {"a.txt": "a"})
    bench.prepare()
    outcome = bench.prepare()
    assert (outcome.code, outcome.out) == (0, "run run-1 is completed already\n")


def test_a_source_that_was_dead_is_tried_again_and_takes_its_place(bench, tmp_path) -> None:
    bench.add("late", f"file://{bench.path}/sources/late")
    bench.source("s", {"a.txt": "same", "b.txt": "b"})
    assert bench.prepare().code == 1
    (bench.path / "sources" / "late").mkdir()
    (bench.path / "sources" / "late" / "x.txt").write_text("same")
    assert bench.prepare().code == 0
    assert [(r["source"], r["content"]) for r in bench.records()] == [("late", "same"), ("s", "b")]
    assert bench.said("finished")[-1]["status"] == "completed"


def test_a_source_that_is_defined_anew_is_done_anew(bench) -> None:
    bench.add("dead", "file:///no/such/directory")
    folder = bench.source("s", {"a.txt": "a", "b.txt": "b", "c.txt": "c"})
    assert bench.prepare().code == 1
    bench.manifest.unlink()
    bench.add("s", f"file://{folder}", 'exclude = ["a.txt"]', "max_files = 1")
    assert bench.prepare().code == 0
    assert bench.contents() == ["b"]


def test_a_work_directory_belongs_to_one_run(bench) -> None:
    bench.source("s", {"a.txt": "a"})
    bench.prepare()
    outcome = bench.prepare("--run-id", "run-2")
    assert outcome.code == 2
    assert "belongs to run run-1" in outcome.err


def test_handed_over_the_run_has_no_end_yet(bench) -> None:
    bench.source("s", {"a.txt": "a"})
    assert bench.prepare("--hand-over").code == 0
    assert bench.said("finished") == []
    assert not (bench.path / "root" / "run-1" / "_complete").exists()


@pytest.fixture
def held(bench, until, ended):
    """A preparation that hangs in a download: its source is a pipe that nobody writes to."""
    folder = bench.source("s", {"a.txt": "a", "slow.txt": ""})
    script = (
        "import os, sys, threading\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from tools.prepare import download, sources\n"
        "def opened(url):\n"
        "    if url.endswith('slow.txt'): threading.Event().wait(60)\n"
        "    return sources.open_url(url)\n"
        "download.open_url = opened\n"
        "from tools.prepare_dataset import main\n"
        f"sys.exit(main({bench.command()!r}))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ended.append(process)
    until(lambda: bench.said("started") and (bench.work / "downloads" / "s" / "a.txt").exists())
    assert folder.exists()
    return process


def test_a_second_start_says_who_holds_the_run(bench, held) -> None:
    outcome = bench.prepare()
    assert outcome.code == 11
    assert f"run run-1 is held by pid {held.pid} on " in outcome.err


def test_so_does_one_in_another_work_directory(bench, held, tmp_path) -> None:
    outcome = bench.prepare("--work-dir", str(tmp_path / "elsewhere"))
    assert outcome.code == 11
    assert f"run run-1 is held by pid {held.pid} on " in outcome.err


def test_a_holder_that_is_gone_is_replaced(bench, held) -> None:
    held.kill()
    held.wait()
    assert bench.prepare().code == 0


def test_a_stopped_holder_is_taken_over_from_and_cannot_spoil_the_work(bench, held) -> None:
    stop(held.pid, str(bench.path / "root"))
    outcome = bench.prepare("--take-over")
    assert outcome.code == 0
    before = result(bench)
    held.send_signal(signal.SIGCONT)
    held.send_signal(signal.SIGTERM)
    held.wait(20)
    assert result(bench) == before
    assert [f["status"] for f in bench.said("finished")] == ["completed"]


def test_a_terminated_preparation_says_so(bench, held) -> None:
    held.terminate()
    assert held.wait(20) in (143, -signal.SIGTERM)
    assert bench.said("finished")[0]["status"] == "aborted"


def holder(**known) -> Holder:
    usual = {
        "host": "h",
        "pid": 7,
        "state": "running",
        "silent_seconds": 1,
        "heartbeat_seconds": 10,
    }
    return Holder(**{**usual, **known})


@pytest.mark.parametrize(
    ("found", "may"),
    [
        (holder(), False),
        (holder(state="failed"), True),
        (holder(state="preempted"), True),
        (holder(silent_seconds=30), False),
        (holder(silent_seconds=30.1), True),
        (holder(pid=8), True),
        (holder(pid=8, host="elsewhere"), False),
    ],
)
def test_a_holder_is_replaced_when_it_ended_is_gone_or_lost(found: Holder, may: bool) -> None:  # noqa: FBT001
    assert may_be_replaced(found, "h", lambda pid: pid == 7) is may


def test_this_process_and_one_nobody_waited_for_are_not_alive(ended, bench) -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert not process_is_alive(child)
    os.waitpid(child, 0)
    assert not process_is_alive(child)
    assert not process_is_alive(os.getpid())
    assert process_is_alive(os.getppid())


def test_a_torn_line_of_a_ledger_is_no_line(tmp_path) -> None:
    path = tmp_path / "ledger"
    with Ledger(path, identity="i", guard=lambda: None) as ledger:
        ledger.add(Finished("a", 1))
        ledger.add(Finished("b", 2))
    path.write_bytes(path.read_bytes()[:-5])
    with Ledger(path, identity="i", guard=lambda: None) as ledger:
        assert [entry.path for entry in ledger.entries] == ["a"]
        ledger.add(Finished("c", 3))
    with Ledger(path, identity="i", guard=lambda: None) as ledger:
        assert [entry.path for entry in ledger.entries] == ["a", "c"]


def test_a_ledger_of_other_work_does_not_count(tmp_path) -> None:
    with Ledger(tmp_path / "ledger", identity="i", guard=lambda: None) as ledger:
        ledger.add(Finished("a", 1))
    with Ledger(tmp_path / "ledger", identity="other", guard=lambda: None) as ledger:
        assert ledger.entries == []


def test_who_was_taken_over_finds_out_and_writes_no_more(tmp_path) -> None:
    first = DirectoryLock(tmp_path / "lock", take_over=False)
    with Ledger(tmp_path / "ledger", identity="i", guard=first.check) as ledger:
        ledger.add(Finished("a", 1))
        with pytest.raises(RunHeld, match=f"pid {os.getpid()}"):
            DirectoryLock(tmp_path / "lock", take_over=False)
        second = DirectoryLock(tmp_path / "lock", take_over=True)
        with pytest.raises(Superseded):
            ledger.add(Finished("b", 1))
    second.check()
    first.close()
    second.close()
    assert len((tmp_path / "ledger").read_text().splitlines()) == 2
    json.loads((tmp_path / "ledger").read_text().splitlines()[1])
