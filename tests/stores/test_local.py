"""What a directory has to keep beyond the contract: processes, kills, full and read-only disks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import journal
from journal.errors import Refused, Unavailable
from journal.stores import ABSENT, Absent
from journal.stores.local import LocalStore

KEY = "run-1/journal/stream=main/0000000000.jsonl"

COUNTER = """
import json, sys
from pathlib import Path
from journal.errors import Conflict
from journal.stores import ABSENT
from journal.stores.local import LocalStore

store = LocalStore(Path(sys.argv[1]))
won = []
while len(won) < 30:
    version = store.get("run-1/counter").version
    try:
        store.put("run-1/counter", f"{sys.argv[2]}.{len(won)}".encode(), expect=version)
    except Conflict:
        continue
    won.append(version)
print(json.dumps(won))
"""

WRITER = """
import itertools, sys
from pathlib import Path
from journal.stores import ABSENT
from journal.stores.local import LocalStore

store = LocalStore(Path(sys.argv[1]))
version = ABSENT
for number in itertools.count():
    version = store.put("run-1/object", b"%08d" % number * 20_000, expect=version).version
    print(number, flush=True)
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    path = str(Path(journal.__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def store_of(root: Path, *keys: str) -> LocalStore:
    store = LocalStore(root)
    for key in keys:
        store.put(key, b"", expect=ABSENT)
    return store


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 128 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted without the right to mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def read_only_disk(small_disk: Path) -> Path:
    """A real file system that holds one object and takes no more."""
    LocalStore(small_disk / "root").put(KEY, b"one\n", expect=ABSENT)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    return small_disk


def test_between_processes_each_version_is_rewritten_once(tmp_path):
    """Four processes that rewrite one object 30 times each never win over the same version."""
    LocalStore(tmp_path).put("run-1/counter", b"start", expect=ABSENT)

    racers = [start(COUNTER, str(tmp_path), str(number)) for number in range(4)]
    won = [version for racer in racers for version in json.loads(racer.communicate()[0])]

    assert (len(won), len(set(won))) == (120, 120)


@pytest.mark.parametrize("delay_ms", range(0, 50, 5))
def test_a_killed_put_leaves_the_old_or_the_new_content(tmp_path, delay_ms):
    """After kill -9 the object is whole: what was acknowledged last, or the put under way."""
    writer = start(WRITER, str(tmp_path))
    first = writer.stdout.readline()
    time.sleep(delay_ms / 1000)
    writer.kill()
    acknowledged = int((first + writer.communicate()[0]).split()[-1])

    body = LocalStore(tmp_path).get("run-1/object").body

    assert body in [b"%08d" % number * 20_000 for number in (acknowledged, acknowledged + 1)]


def test_what_a_killed_put_left_is_written_over(tmp_path):
    """The next put takes the lock of a killed writer and leaves no file of it behind."""
    store = LocalStore(tmp_path)
    version = store.put("run-1/object", b"one", expect=ABSENT).version
    (tmp_path / "run-1" / ".object.tmp").write_bytes(b"half of two")

    store.put("run-1/object", b"three", expect=version)

    assert [name for name in files(tmp_path) if not name.startswith("_locks/")] == ["run-1/object"]


def test_a_temporary_file_is_no_object(tmp_path):
    """What a killed put left behind is not listed."""
    LocalStore(tmp_path).put("run-1/object", b"one", expect=ABSENT)
    (tmp_path / "run-1" / ".object.tmp").write_bytes(b"half of two")

    assert [entry.key for entry in LocalStore(tmp_path).list("")] == ["run-1/object"]


def test_locks_are_no_objects(tmp_path):
    """The lock files lie in the root and outside every run's folder, and are not listed."""
    LocalStore(tmp_path).put("run-1/object", b"one", expect=ABSENT)

    entries = LocalStore(tmp_path).list("", delimiter="/")

    assert ([entry.key for entry in entries], len(files(tmp_path / "_locks"))) == (["run-1/"], 1)


def test_a_key_among_the_locks_is_refused(tmp_path):
    """No object can lie where the store keeps its locks."""
    with pytest.raises(ValueError, match="the store's own"):
        LocalStore(tmp_path).get("_locks/00")


def test_the_log_lies_there_as_plain_files(tmp_path):
    """An object is a file of its key's name and content, for any program to read."""
    LocalStore(tmp_path).put(KEY, b'{"seq":0}\n', expect=ABSENT)

    assert (tmp_path / KEY).read_bytes() == b'{"seq":0}\n'


def test_reading_creates_nothing(tmp_path):
    """A root that nobody wrote to yet does not come about by looking."""
    store = LocalStore(tmp_path / "root")

    answers = (isinstance(store.get(KEY), Absent), list(store.list("")), store.delete(KEY))

    assert (answers, list(tmp_path.iterdir())) == ((True, [], None), [])


def test_a_full_disk_may_pass(small_disk):
    """A disk without room is Unavailable, in one sentence that names the file."""
    with pytest.raises(Unavailable, match=r"cannot write .*run-1/big: No space left .*ENOSPC"):
        LocalStore(small_disk).put("run-1/big", b"x" * 300_000, expect=ABSENT)


def test_a_full_disk_leaves_the_old_content(small_disk):
    """A rewrite that finds no room changes nothing, and gives the room back that it took."""
    store = LocalStore(small_disk)
    version = store.put(KEY, b"one\n", expect=ABSENT).version
    with pytest.raises(Unavailable):
        store.put(KEY, b"x" * 300_000, expect=version)

    store.put(KEY, b"one\ntwo\n" * 8_000, expect=version)

    assert store.get(KEY).size == 64_000


def test_a_read_only_disk_is_refused(read_only_disk):
    """Time does not cure a read-only mount: Refused, in one sentence that names the file."""
    with pytest.raises(Refused, match=r"cannot write .*run-2/new: Read-only .*EROFS.*check"):
        LocalStore(read_only_disk / "root").put("run-2/new", b"two\n", expect=ABSENT)


def test_a_read_only_disk_is_read(read_only_disk):
    """Reading takes no lock and needs no right to write."""
    store = LocalStore(read_only_disk / "root")

    assert (store.get(KEY).body, len(list(store.list("")))) == (b"one\n", 1)


def test_a_delete_on_a_read_only_disk_is_refused(read_only_disk):
    """A delete that cannot be done says so."""
    with pytest.raises(Refused, match="cannot delete"):
        LocalStore(read_only_disk / "root").delete(KEY)


def test_a_root_that_is_a_file_is_refused(tmp_path):
    """A root where no directory can be is Refused."""
    (tmp_path / "root").write_text("a file")

    with pytest.raises(Refused, match=r"Not a directory|File exists"):
        LocalStore(tmp_path / "root").put(KEY, b"one\n", expect=ABSENT)


def test_the_message_is_one_line_whatever_the_path(tmp_path):
    """A line break in the root's name does not break the log that the message goes to."""
    (tmp_path / "a\nb").write_text("a file")

    with pytest.raises(Refused) as caught:
        LocalStore(tmp_path / "a\nb").put(KEY, b"one\n", expect=ABSENT)

    assert "\n" not in str(caught.value)


def test_a_folder_is_not_an_object(tmp_path):
    """A key that is a folder, or lies below an object, is absent."""
    store = LocalStore(tmp_path)
    store.put("run-1/object", b"one", expect=ABSENT)

    answers = [store.get("run-1"), store.get("run-1/object/below")]

    assert [type(answer) for answer in answers] == [Absent, Absent]


def test_the_whole_listing_is_in_byte_order(tmp_path):
    """Folders too come where their keys belong: `a.b` before `a/c`, since `.` is less than `/`."""
    store = store_of(tmp_path, "r/a/c", "r/a.b", "r/a0", "r/a-")

    assert [entry.key for entry in store.list("r/")] == ["r/a-", "r/a.b", "r/a/c", "r/a0"]


def test_a_listing_goes_on_within_a_folder(tmp_path):
    """`after` may lie deep in a folder, and what comes before it is not read."""
    store = store_of(tmp_path, "r/a/1", "r/b/1", "r/b/2", "r/c/1")

    assert [entry.key for entry in store.list("r/", after="r/b/1")] == ["r/b/2", "r/c/1"]
