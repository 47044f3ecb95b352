"""From a URL to a store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import journal
from journal.stores import ABSENT, connect, default_root, read_only
from journal.stores.local import LocalStore
from journal.stores.memory import MemoryStore


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://bucket/training-runs", "s3://bucket/training-runs"),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("S3://bucket/a", "s3://bucket/a"),
        ("file:///data/runs", "/data/runs"),
        ("file://localhost/data/runs", "/data/runs"),
        ("file:/data/runs", "/data/runs"),
        ("file:///data/a%20b%3F", "/data/a b?"),
        ("/data/runs", "/data/runs"),
    ],
)
def test_a_url_gives_its_store(url, expected):
    """S3 URLs, file URLs and absolute directories each lead where they say."""
    assert str(connect(url)) == expected


def test_a_relative_directory_is_fixed_when_connecting(tmp_path, monkeypatch):
    """The root stays where it was, though the job changes its directory later."""
    monkeypatch.chdir(tmp_path)

    store = connect("runs")
    monkeypatch.chdir("/")

    assert store.root == tmp_path / "runs"


def test_a_tilde_is_the_home(home):
    """`~` is what a shell makes of it."""
    assert connect("~/runs").root == home / "runs"


def test_without_a_url_the_environment_says_where(monkeypatch):
    """JOURNAL_ROOT is the root if none is given."""
    monkeypatch.setenv("JOURNAL_ROOT", "s3://bucket/training-runs")

    assert str(connect(None)) == "s3://bucket/training-runs"


@pytest.mark.parametrize("environment", [{}, {"JOURNAL_ROOT": ""}])
def test_without_anything_it_is_the_user_s_data_home(monkeypatch, home, environment):
    """A laptop with no account has a root all the same."""
    monkeypatch.setattr(os, "environ", os.environ | environment)

    assert connect(None).root == home / "data" / "progress-journal" / "training-runs"


def test_a_relative_data_home_does_not_count(monkeypatch, home):
    """The XDG specification says to ignore a path that is not absolute."""
    monkeypatch.setenv("XDG_DATA_HOME", "data")

    assert default_root() == home / ".local/share/progress-journal/training-runs"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("gs://bucket/a", "unknown scheme gs"),
        ("memory://name", "unknown scheme memory"),
        ("s3://", "no bucket"),
        ("s3:///prefix", "no bucket"),
        ("s3:bucket/a", "no bucket"),
        ("s3://b", "no bucket"),
        ("s3://user:secret@bucket/a", "no bucket"),
        ("s3://bucket?region=x", "no bucket"),
        ("s3://bucket/a?region=x", "no options"),
        ("s3://bucket/a//b", "is not allowed"),
        ("s3://bucket/../other", "is not allowed"),
        ("file://host/a", "an absolute path"),
        ("file:a", "an absolute path"),
        ("file:///a?b=c", "no options"),
        ("/a\0b", "NUL"),
        ("~no-such-user-here/a", "home"),
    ],
)
def test_an_ill_formed_root_is_one_clear_line(url, message):
    """Anything else is the caller's mistake, and the line says which."""
    with pytest.raises(ValueError, match=message) as caught:
        connect(url)

    assert "\n" not in str(caught.value)


def test_a_user_without_a_home_has_to_give_a_root(monkeypatch):
    """In a container a user may have none; the line says what to do."""
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)

    with pytest.raises(ValueError, match="no home: give a root, or set JOURNAL_ROOT"):
        connect(None)


@pytest.mark.parametrize("name", ["put", "delete"])
def test_a_reader_s_store_cannot_write(name):
    """The methods that change something are not there at all."""
    assert not hasattr(read_only(MemoryStore()), name)


def test_a_reader_s_store_reads():
    """A get and a list are passed on."""
    store = MemoryStore()
    store.put("run-1/a", b"one", expect=ABSENT)

    reader = read_only(store)

    assert (reader.get("run-1/a").body, [e.key for e in reader.list("")]) == (b"one", ["run-1/a"])


def test_connecting_to_a_directory_creates_nothing(tmp_path):
    """A root comes about by its first put."""
    connect(str(tmp_path / "root"))

    assert list(tmp_path.iterdir()) == []


def test_a_local_root_does_not_pay_for_s3():
    """The library for S3 takes a third of a second to load; only an S3 root loads it."""
    script = "import sys; from journal.stores import connect; connect('/x'); print(*sys.modules)"
    path = str(Path(journal.__file__).parent.parent)

    loaded = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "botocore" not in loaded


def test_a_store_says_where_it_is(tmp_path):
    """A reader's store too can be named in a message."""
    assert str(read_only(LocalStore(tmp_path))) == str(tmp_path)
