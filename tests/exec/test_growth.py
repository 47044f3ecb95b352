"""What grows under a path is told of as files of a source: each once, complete, and no other."""

import os
import shutil
import time
from pathlib import Path

import pytest
from recorder.stored import document, of_type, records

from journal.clock import now_ns, thread_cpu_seconds
from journal.limits import LOOK_SHARE
from journal.recorder import growth as growing
from journal.recorder.growth import Growth
from journal.recorder.known import Known
from journal.recorder.looks import files
from journal.recorder.processes import written_files

# As `aws s3 sync` does: written under a name of its own, dated, and renamed when complete.
SYNC = """
mkdir -p $1/deep
for name in a b deep/c; do
  { head -c 100000 /dev/zero; sleep 0.3; head -c 100000 /dev/zero; } > $1/$name.6eF3d1a2
  mv $1/$name.6eF3d1a2 $1/$name
  touch -d 2020-01-01 $1/$name
done
"""


class Followed:
    """A folder, and what the journal says of it."""

    def __init__(self, run, root: str, path: Path, **options: object) -> None:
        self.run, self.root = run, root
        self.written: set[tuple[int, int]] = set()
        self.growth = Growth(
            run, str(path), "src", begun_ns=now_ns(), written=lambda: self.written, **options
        )
        self.growth.look(at_once)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.growth.look(at_once)

    @property
    def done(self) -> list[tuple[str, int]]:
        assert self.run.flush(30)
        found = [line for line in records(self.root) if line["type"] == "file_done"]
        return [(line["path"], line["bytes"]) for line in found]

    @property
    def flying(self) -> dict[str, int]:
        return {file.path: file.bytes for file in self.run.intake.open_files}


def at_once(_seconds: float) -> bool:
    return False


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def follow(start, local_root, folder):
    def follow(path: Path = folder, **options: object) -> Followed:
        time.sleep(0.03)  # what was there before is told apart by the file system's clock
        return Followed(start(local_root), local_root, path, **options)

    return follow


def test_a_command_that_syncs_is_seen_as_files_and_bytes(wrap, folder, local_root):
    """Each under its last name, once, with its size, however it was written."""
    (folder / "old").write_bytes(b"x" * 1000)
    time.sleep(0.03)
    options = ("--progress-from", str(folder), "--files", "4", "--bytes", "0.6MB")
    child = wrap("sh", "-c", SYNC, "sh", str(folder), options=(*options, "--heartbeat", "0.4"))

    assert child.wait() == 0, child.err
    found = [line for line in records(local_root) if line["type"] == "file_done"]
    assert sorted((line["path"], line["bytes"]) for line in found) == [
        ("a", 200_000),
        ("b", 200_000),
        ("deep/c", 200_000),
    ]
    (source,) = document(local_root)["sources"]
    assert (source["source"], source["state"]) == ("data", "done")
    assert (source["files"], source["files_total"]) == (4, 4)
    assert (source["bytes"], source["bytes_total"]) == (601_000, 600_000)


def test_of_a_command_that_fails_only_what_is_complete_is_done(wrap, folder, local_root):
    """And the source is not."""
    script = f"echo x > {folder}/a; sleep 1; echo x > {folder}/b; exit 1"
    options = ("--progress-from", str(folder), "--source", "src", "--heartbeat", "0.4")
    child = wrap("sh", "-c", script, options=options)

    assert child.wait() == 1
    assert of_type(local_root, "file_done")["path"] == "a"
    assert document(local_root)["sources"][0]["state"] != "done"


def test_a_short_command_s_files_are_all_seen(wrap, folder, local_root):
    """Though it has ended before anybody looked; a path that comes into being counts as well."""
    words = ("sh", "-c", f"mkdir {folder}/new; cd {folder}/new; seq 300 | xargs touch")
    child = wrap(*words, options=("--progress-from", str(folder / "new")))

    assert child.wait() == 0, child.err
    assert document(local_root)["progress"]["files_done"] == 300


def test_what_was_there_before_was_done_before(follow, folder):
    """As a whole, and it is no work of this run's."""
    (folder / "a").write_bytes(b"x" * 10)
    (folder / "b").write_bytes(b"x" * 20)

    followed = follow(files=3)
    followed.look(3)

    assert followed.done == []
    assert of_type(followed.root, "source_started")["done"] == {"files": 2, "bytes": 30}


def test_a_file_is_done_when_it_rests(follow, folder):
    """Until then it is in flight, with its size at the moment."""
    followed = follow()
    with (folder / "a").open("wb", buffering=0) as file:
        file.write(b"x" * 10)
        followed.look()
        assert followed.flying == {"a": 10}
        file.write(b"x" * 10)
    followed.look()
    assert (followed.flying, followed.done) == ({"a": 20}, [])
    followed.look()

    assert (followed.flying, followed.done) == ({}, [("a", 20)])


def test_what_is_open_for_writing_is_not_done(follow, folder):
    """A download that hangs is not complete because nothing changes."""
    followed = follow()
    with (folder / "a").open("wb", buffering=0) as file:
        file.write(b"x" * 10)
        with (folder / "a").open("rb"):
            followed.written = written_files([os.getpid()])
            followed.look(5)
            assert (followed.flying, followed.done) == ({"a": 10}, [])
    with (folder / "a").open("rb"):
        followed.written = written_files([os.getpid()])
        followed.look()

    assert followed.done == [("a", 10)]


def test_another_name_is_the_same_file(follow, folder):
    """While it moves, when it rests, and after it was done."""
    followed = follow()
    (folder / "a.tmp").write_bytes(b"x" * 10)
    (folder / "b.tmp").write_bytes(b"x" * 20)
    followed.look()
    (folder / "a.tmp").rename(folder / "a")
    followed.look()
    assert followed.flying == {"a": 10}
    followed.look()
    assert sorted(followed.done) == [("a", 10), ("b.tmp", 20)]
    (folder / "b.tmp").rename(folder / "b")
    followed.look(3)

    assert sorted(followed.done) == [("a", 10), ("b.tmp", 20)]


def test_what_grows_again_is_not_done_twice(follow, folder):
    """It is in flight while it grows: that is work, and no further file."""
    followed = follow()
    (folder / "log").write_bytes(b"x" * 10)
    followed.look(3)
    with (folder / "log").open("ab") as file:
        file.write(b"x" * 5)
    followed.look()
    assert followed.flying == {"log": 5}
    followed.look(3)

    assert (followed.flying, followed.done) == ({}, [("log", 10)])


def test_what_vanishes_is_no_error(follow, folder):
    """In flight or done, a folder or all of it."""
    followed = follow()
    (folder / "deep").mkdir()
    (folder / "deep" / "a").write_bytes(b"x")
    followed.look()
    shutil.rmtree(folder)
    followed.look(2)

    assert (followed.flying, followed.done) == ({}, [])


def test_links_and_what_is_no_file_are_left_out(follow, folder, tmp_path):
    """Nothing outside of the path is looked at, and nothing is waited for."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_bytes(b"x")
    followed = follow()
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "file-link").symlink_to(tmp_path / "outside" / "x")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    followed.look(3)

    assert followed.done == []


def test_two_names_of_a_file_are_two_files(follow, folder):
    """And come to rest: neither is taken for a change of the other."""
    followed = follow()
    (folder / "a").write_bytes(b"x")
    (folder / "b").hardlink_to(folder / "a")
    followed.look(4)

    assert {path for path, _ in followed.done} <= {"a", "b"}
    assert followed.flying == {}


def test_a_file_alone_that_was_begun_before_goes_on(follow, folder):
    """What was there is done before, the rest of it now, and it is one file."""
    (folder / "big").write_bytes(b"x" * 100)
    followed = follow(folder / "big", files=1)
    followed.look()
    with (folder / "big").open("ab") as file:
        file.write(b"x" * 30)
    followed.look(3)

    assert followed.done == [("big", 30)]
    assert of_type(followed.root, "source_started")["done"] == {"files": 0, "bytes": 100}


def test_a_file_alone_that_is_written_anew_was_not_begun(follow, folder):
    """What lay there before was another one."""
    (folder / "big").write_bytes(b"x" * 100)
    followed = follow(folder / "big", files=1)
    followed.look()
    (folder / "big").write_bytes(b"x" * 30)
    followed.look(3)
    followed.growth.end(ok=True)
    followed.run.finish()

    (source,) = document(followed.root)["sources"]
    assert (source["files"], source["bytes"]) == (1, 30)


def test_more_files_than_can_be_known_are_told_of_as_one(follow, folder, monkeypatch):
    """Their bytes are counted, their names are not."""
    monkeypatch.setattr(growing, "GROWTH_FILES", 3)
    followed = follow()
    for name in "abcdef":
        (folder / name).write_bytes(b"x" * 10)
        followed.look(2)
    assert len(followed.done) == 3
    assert followed.flying == {"files beyond the first 3": 30}
    followed.growth.end(ok=True)

    assert followed.done[3:] == [("files beyond the first 3", 30)]


def test_more_than_can_fly_wait_for_their_turn(follow, folder, monkeypatch):
    """None is lost, and none is held for more than its place."""
    monkeypatch.setattr(growing, "GROWTH_MOVING", 2)
    followed = follow()
    for name in "abcde":
        (folder / name).write_bytes(b"x")
    followed.look()
    assert len(followed.flying) == 2
    followed.look(9)

    assert sorted(path for path, _ in followed.done) == list("abcde")


def test_looking_takes_its_share_of_a_core(folder):
    """However many files there are: it rests for as long as it must."""
    for number in range(3000):
        (folder / f"{number:05d}").touch()
    rested = []
    before = thread_cpu_seconds()
    for _ in range(3):
        assert sum(1 for _ in files(str(folder), rested.append)) == 3000
    used = thread_cpu_seconds() - before

    # The last slice of each look is not rested for here, but before the next one.
    assert sum(rested) >= (used - 3 * 0.01) * (1 / LOOK_SHARE - 1)


def test_a_look_can_be_given_up(follow, folder):
    """The program's end does not wait for it."""
    for number in range(2000):
        (folder / f"{number:05d}").touch()
    followed = follow()
    followed.growth.look(lambda _: True)

    followed.growth.end(ok=True)
    assert followed.flying == {}


def test_a_name_of_any_bytes_is_told_of(follow, folder):
    """A file's name is whatever its program likes."""
    followed = follow()
    (folder / os.fsdecode(b"\xff\n\x1b[31m")).write_bytes(b"x")
    followed.look(3)

    assert len(followed.done) == 1


def test_numbers_are_known_by_their_keys():
    """As of a dict; a new one takes the place of the old."""
    known, model = Known(), {}
    for number in range(20_000):
        key = ("key", number * 7919 % 5003)
        known.put(key, number)
        model[key] = number

    assert len(known) == len(model)
    assert all(known.get(key) == number for key, number in model.items())
    assert known.get("another") is None


def test_a_million_files_take_no_more_memory_than_said():
    """Two keys of each: 64 MiB, where a dict would take two hundred."""
    known = Known()
    known._make(1024)
    while 2 * len(known._keys) <= 3 * 2_000_000:
        known._make(2 * len(known._keys))

    places = len(known._keys)
    assert places * (known._keys.itemsize + known._numbers.itemsize) == 64 * 1024 * 1024
