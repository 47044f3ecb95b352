"""What the doctor finds of directories."""

from pathlib import Path

import pytest

from journal.doctor import directory
from journal.stores import connect
from journal.stores.local import LocalStore

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:45 / /data rw shared:2 master:1 - nfs4 server:/data rw
31 30 0:46 / /data/fast rw - xfs /dev/sdb1 rw
32 22 0:47 / /with\\040space rw - fuse.sshfs host:/ rw
33 22 8:2 / /twice rw - ext4 /dev/sdc1 rw
34 22 0:48 / /twice rw - cifs //host/share rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me", "ext4"),
        ("/data", "nfs4"),
        ("/data/runs", "nfs4"),
        ("/data/fast/runs", "xfs"),
        ("/database", "ext4"),
        ("/with space/runs", "fuse.sshfs"),
        ("/twice/runs", "cifs"),
    ],
)
def test_what_a_path_lies_on(path, kind):
    """The mount nearest above a path counts, of two at one place the later."""
    assert directory.file_system(Path(path), MOUNTS) == kind


def test_a_host_that_does_not_tell():
    """Without a list of mounts nothing is known."""
    assert directory.file_system(Path("/home"), "") == ""


@pytest.fixture
def on_ext4(monkeypatch):
    """Whatever this host has its temporary files on."""
    monkeypatch.setattr(directory, "file_system", lambda path, mounts: "ext4")


def levels(store):
    return {one.check: one.level for one in directory.examine(store, is_reader=False)}


def test_a_root_that_will_be_made(tmp_path, on_ext4):
    """It is tried where it will lie, and nothing is left there."""
    found = levels(connect(str(tmp_path / "a" / "root")))

    assert set(found.values()) == {"ok"}
    assert {"directory", "put", "conditions", "lock", "space"} <= found.keys()
    assert list(tmp_path.iterdir()) == []


def test_a_root_with_runs_is_left_as_it_is(tmp_path, on_ext4):
    """What is tried lies beside the runs and goes again."""
    (tmp_path / "run-1").mkdir()

    assert set(levels(connect(str(tmp_path))).values()) == {"ok"}
    assert [path.name for path in tmp_path.iterdir()] == ["run-1"]


@pytest.mark.parametrize(
    ("kind", "level"),
    [("nfs4", "warn"), ("fuse.sshfs", "warn"), ("cifs", "warn"), ("ext4", "ok"), ("", "unknown")],
)
def test_a_file_system_of_several_hosts(tmp_path, monkeypatch, kind, level):
    """On what several hosts may mount, locks and clocks are a matter of set-up."""
    monkeypatch.setattr(directory, "file_system", lambda path, mounts: kind)

    assert levels(connect(str(tmp_path)))["file_system"] == level


def test_locks_that_do_not_exclude(tmp_path, monkeypatch):
    """Where flock is taken twice no journal can be kept."""
    monkeypatch.setattr("journal.doctor.directory.fcntl.flock", lambda file, how: None)

    assert levels(connect(str(tmp_path)))["lock"] == "bad"


def test_a_root_that_cannot_be_written():
    """It is bad, and says where. /proc refuses root, too."""
    (finding,) = [
        one
        for one in directory.examine(LocalStore(Path("/proc/journal")), is_reader=False)
        if one.level == "bad"
    ]

    assert finding.check == "put"
    assert finding.says.startswith("cannot write in /proc: ")


def test_a_reader_of_a_root_that_is_not_there(tmp_path):
    """There is nothing to read, and nothing is made."""
    store = connect(str(tmp_path / "root"))

    assert [one.level for one in directory.examine(store, is_reader=True)] == ["bad"]
    assert list(tmp_path.iterdir()) == []


def test_a_spool_that_will_be_made(tmp_path):
    """It need not exist yet, and is not made."""
    finding = directory.spool(tmp_path / "state" / "spool")

    assert (finding.check, finding.level) == ("spool", "ok")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("home", "level", "words"),
    [(None, "note", "64 MiB wait in memory"), (Path("/proc/spool"), "warn", "cannot write in")],
)
def test_without_a_spool(home, level, words):
    """Memory is all there is then."""
    finding = directory.spool(home)

    assert finding.level == level
    assert words in finding.says


def test_a_disk_that_is_nearly_full(tmp_path, monkeypatch):
    """Too little space is a warning, with the number."""
    monkeypatch.setattr(directory, "_FREE_BYTES", 1 << 62)
    finding = directory.spool(tmp_path)

    assert finding.level == "warn"
    assert "GB are free" in finding.says
