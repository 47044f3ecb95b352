"""CPU, I/O and memory of this process and its children, the journal's threads taken off."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from journal.recorder import vitals
from journal.recorder.vitals import sample

BURN = "import time\nwhile time.process_time() < 0.5: pass\nprint('burnt', flush=True)\ninput()"


@pytest.fixture(params=["proc", "psutil"])
def way(request, monkeypatch, tmp_path):
    """Both ways to know: where there is no /proc, psutil."""
    if request.param == "psutil":
        monkeypatch.setattr(vitals, "_PROC", tmp_path)
    return request.param


def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_cpu_of_the_process_is_counted(way):
    """Seconds, user's and system's."""
    before = sample(os.getpid(), [])

    burn(0.3)

    assert 0.25 <= sample(os.getpid(), []).cpu_seconds - before.cpu_seconds < 2


def test_cpu_of_a_child_at_work_is_counted(way):
    """A decompressor that the job has started is the job's work."""
    before = sample(os.getpid(), [])
    command = [sys.executable, "-c", BURN]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as child:
        child.stdout.readline()
        during = sample(os.getpid(), [])
        child.communicate("\n")

    assert during.cpu_seconds - before.cpu_seconds >= 0.4


def test_cpu_of_a_child_that_ended_is_counted(way):
    """What it did stays done."""
    before = sample(os.getpid(), [])

    subprocess.run([sys.executable, "-c", BURN], input=b"\n", check=True, stdout=-1)

    assert sample(os.getpid(), []).cpu_seconds - before.cpu_seconds >= 0.4


def test_the_threads_that_are_the_journal_s_are_taken_off(way):
    """Or the journal would be taken for the job's work."""
    burnt, over = threading.Event(), threading.Event()

    def own():
        burn(0.5)
        burnt.set()
        over.wait()

    before = sample(os.getpid(), [])
    thread = threading.Thread(target=own)
    thread.start()
    burnt.wait()
    everything = sample(os.getpid(), []).cpu_seconds - before.cpu_seconds
    without = sample(os.getpid(), [thread.native_id]).cpu_seconds - before.cpu_seconds
    over.set()
    thread.join()

    assert everything - without >= 0.4


def test_traffic_of_the_process_is_counted(tmp_path):
    """Bytes written, be it into the cache alone."""
    before = sample(os.getpid(), [])

    Path(tmp_path / "big").write_bytes(b"x" * 10_000_000)

    assert sample(os.getpid(), []).write_bytes - before.write_bytes >= 10_000_000


def test_memory_is_told(way):
    """Resident, in bytes."""
    assert 10_000_000 < sample(os.getpid(), []).rss_bytes < 100_000_000_000


def test_without_either_the_process_s_own_cpu_is_known(monkeypatch, tmp_path):
    """As far as the system tells every process of itself."""
    monkeypatch.setattr(vitals, "_PROC", tmp_path)
    monkeypatch.setitem(sys.modules, "psutil", None)
    before = sample(os.getpid(), [])

    burn(0.3)

    assert sample(os.getpid(), []).cpu_seconds - before.cpu_seconds >= 0.25
