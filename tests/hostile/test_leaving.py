"""Nothing that is named leads out of the root: no run, no stream, no link in a directory."""

from pathlib import Path

import pytest

from journal.errors import Missing, Refused
from journal.recorder.start import start_run
from journal.stores import ABSENT, connect, read_only
from readers.status import status

NAMES = [
    "..",
    ".",
    "../../etc",
    "/etc",
    "a/b",
    "a\\b",
    "a\nb",
    "x" * 129,
    "",
    " ",
    "ü",
    "a\0",
    "-a",
]
NAMES += ["s3://other/run", "a%2f..", "stream=..", "\u202e", "~", "*", "a b"]


@pytest.mark.parametrize("name", [name for name in NAMES if name])
def test_a_run_of_such_a_name_is_not_started(name, root):
    """Not in a directory and not on S3; nothing is written."""
    with pytest.raises(ValueError):
        start_run(name, root=root)
    with pytest.raises(ValueError):
        start_run("run-1", root=root, stream=name)
    with pytest.raises(ValueError):
        start_run("run-1", root=root, job=name)

    assert list(connect(root).list("")) == []


@pytest.mark.parametrize("name", ["..", "../../etc", "/etc", "a\nb", "\u202e", "stream=..", ""])
@pytest.mark.parametrize("command", ["status", "compact"])
def test_a_command_takes_no_such_name(command, name, cli):
    """It is a mistake of usage, told in a clear line on stderr."""
    answer = cli(command, "--", name)

    assert (answer.code, answer.out) == (2, "")
    assert "is not allowed" in answer.err
    assert not {*answer.err} & {"\u202e", "\x1b"}


def test_foreign_folders_that_look_like_streams_are_passed_over(local_root, start, cli):
    """`stream=..` and the like are no streams; the run is read as if they were not there."""
    start(local_root).finish()
    outside = Path(local_root, "outside.jsonl")
    outside.write_text("secret")
    for name in ("stream=..", "stream=", "stream=a b", "stream=\u202e", "streams", "stream=.x"):
        folder = Path(local_root, "run-1", "journal", name)
        folder.mkdir()
        (folder / "0000000000.jsonl").write_text("{}\n")

    for command in (["tail", "-n", "all"], ["status"], ["compact"]):
        answer = cli(command[0], "run-1", *command[1:])
        assert answer.code == 0, answer.err
        assert "\u202e" not in answer.out + answer.err


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "metadata.json").write_text('{"status": "running"}')
    return folder


def test_a_link_that_leads_out_is_refused(local_root, outside):
    """Neither read nor written through, whether a folder or a file."""
    Path(local_root, "run-2").mkdir(parents=True)
    Path(local_root, "run-1").symlink_to(outside)
    Path(local_root, "run-2", "metadata.json").symlink_to(outside / "metadata.json")
    store = connect(local_root)

    for key in ("run-1/metadata.json", "run-2/metadata.json", "run-1/new.json"):
        with pytest.raises(Refused, match="symbolic link"):
            store.get(key)
        with pytest.raises(Refused, match="symbolic link"):
            store.put(key, b"x", expect=ABSENT)
    assert [path.name for path in outside.iterdir()] == ["metadata.json"]


def test_a_link_in_the_place_of_a_temporary_file_is_not_written_through(local_root, outside):
    """What it points to stays as it is."""
    Path(local_root, "run-1").mkdir(parents=True)
    Path(local_root, "run-1", ".new.json.tmp").symlink_to(outside / "metadata.json")

    with pytest.raises(Refused):
        connect(local_root).put("run-1/new.json", b"x", expect=ABSENT)

    assert (outside / "metadata.json").read_text() == '{"status": "running"}'


def test_links_that_go_round_in_circles_end(local_root, start):
    """A listing does not follow them, however many there are."""
    start(local_root).finish()
    for number in range(8):
        Path(local_root, "run-1", "journal", f"loop{number}").symlink_to(Path(local_root, "run-1"))
        Path(local_root, f"loop{number}").symlink_to(local_root)

    keys = [entry.key for entry in connect(local_root).list("")]

    assert "run-1/metadata.json" in keys
    assert not [key for key in keys if "loop" in key]


def test_the_root_itself_may_be_a_link(local_root, tmp_path, start):
    """That is how a root is moved to a larger disk."""
    Path(tmp_path, "disk").mkdir()
    Path(local_root).symlink_to(tmp_path / "disk")
    start(local_root).finish()

    assert status(read_only(connect(local_root)), "run-1").verdict.state == "completed"
    with pytest.raises(Missing):
        status(read_only(connect(local_root)), "run-2")
