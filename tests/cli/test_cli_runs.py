"""Which run is meant, under which root; and the exit codes that scripts rely on."""

import json

import pytest
import servers

from journal.stores import connect
from tools.bench.server import free_ports


@pytest.fixture
def three(local_root, start):
    """Three finished runs; `alpha-2` is the newest."""
    [start(local_root, run_id).finish() for run_id in ("beta-1", "alpha-1", "alpha-2")]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("run", "meant"),
    [("alpha-1", "alpha-1"), ("beta", "beta-1"), ("b", "beta-1"), ("latest", "alpha-2")],
)
def test_a_run_is_named_by(run, meant, cli):
    """RUN is an id, a unique prefix of one, or `latest`."""
    answer = cli("status", run, "-o", "json")

    assert json.loads(answer.out)["run_id"] == meant


@pytest.mark.usefixtures("three")
def test_a_run_is_named_by_its_url(local_root, cli):
    """RUN may be a whole URL, whatever the root is."""
    answer = cli("status", f"file://{local_root}/alpha-1", "-o", "json", JOURNAL_ROOT="/nowhere")

    assert json.loads(answer.out)["run_id"] == "alpha-1"


def test_a_run_on_s3_is_named_by_its_url(moto_url, start, cli):
    """The same for a run on S3."""
    start(moto_url).finish()
    answer = cli("tail", f"{moto_url}/run-1", "-o", "json")

    assert [json.loads(line)["type"] for line in answer.lines] == ["started", "finished"]


@pytest.mark.usefixtures("three")
def test_a_prefix_of_several_runs_is_a_mistake(cli):
    """An ambiguous prefix is exit code 2, and the candidates are named."""
    answer = cli("tail", "alpha")

    assert (answer.code, answer.out) == (2, "")
    assert "alpha-1, alpha-2" in answer.err


@pytest.mark.parametrize("command", ["tail", "status", "snapshot", "compact"])
def test_a_run_that_is_not_there_is_ten(command, finished, cli):
    """No such run: exit code 10 and one line that says where to look."""
    answer = cli(command, "gamma")

    assert (answer.code, answer.out) == (10, "")
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["tail", "status", "snapshot", "compact"])
def test_latest_of_nothing_is_ten(command, cli):
    """`latest` under an empty root is exit code 10."""
    assert cli(command, "latest").code == 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["tail"],
        ["tail", "run-1", "-n", "few"],
        ["tail", "run-1", "-t", "Bad Type"],
        ["tail", "../etc"],
        ["tail", "a\x1bb"],
        ["status", "run-1", "--root", "ftp://host/x"],
        ["status", "ftp://host/x"],
        ["compact"],
        ["nonsense"],
    ],
)
def test_a_mistake_in_the_command_line_is_two(arguments, finished, cli):
    """A usage error is exit code 2, nothing on stdout, no control character on stderr."""
    answer = cli(*arguments)

    assert (answer.code, answer.out) == (2, "")
    assert "\x1b" not in answer.err


def test_the_option_goes_over_the_environment(local_root, finished, cli):
    """--root wins over JOURNAL_ROOT."""
    assert cli("status", finished, "--root", local_root, JOURNAL_ROOT="/nowhere").code == 0
    assert cli("status", finished, "--root", "/nowhere").code == 10


def test_without_a_root_it_is_the_data_home(tmp_path, start, cli):
    """Without --root and JOURNAL_ROOT, runs lie under the user's data home."""
    start(str(tmp_path / "progress-journal" / "training-runs")).finish()
    answer = cli("status", "run-1", JOURNAL_ROOT="", XDG_DATA_HOME=str(tmp_path))

    assert answer.code == 0


def test_help_begins_with_examples(cli):
    """--help of each command shows examples and exits with 0."""
    answers = [cli(*command, "--help") for command in ([], ["tail"], ["status"], ["ls"])]

    assert [answer.code for answer in answers] == [0, 0, 0, 0]
    assert all("Examples:" in answer.out for answer in answers)


def test_a_server_that_is_not_there_is_one(cli, monkeypatch):
    """A store that does not answer is exit code 1, in one line."""
    (port,) = free_ports(1)
    dead = servers.S3Server(f"http://127.0.0.1:{port}").environment
    answer = cli("tail", "latest", "--root", "s3://bucket/runs", **dead)

    assert (answer.code, answer.out) == (1, "")
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "wrong", "words"),
    [
        (["tail", "x"], {"AWS_ACCESS_KEY_ID": "nobody"}, "check the credentials"),
        (["status", "x"], {"AWS_SECRET_ACCESS_KEY": "wrong"}, "check the credentials"),
        (["ls"], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials found"),
    ],
    ids=["key", "secret", "none"],
)
def test_credentials_that_are_refused_are_twelve(command, wrong, words, weed_url, cli):
    """Wrong or no credentials are exit code 12, in one line that says what to set."""
    answer = cli(*command, "--root", weed_url, **wrong)

    assert (answer.code, answer.out) == (12, "")
    assert len(answer.err.splitlines()) == 1
    assert words in answer.err


def test_a_bucket_that_is_not_there_is_twelve(weed_url, cli):
    """No such bucket is exit code 12, in one line that says so."""
    answer = cli("tail", "run-1", "--root", "s3://no-such-bucket-here/runs")

    assert (answer.code, len(answer.err.splitlines())) == (12, 1)
    assert "bucket" in answer.err


def test_compacting_enters_no_run_a_second_time(moto_url, start, cli):
    """The entry made at the start is a compactor's too, though S3 tells whole seconds only."""
    start(moto_url).finish()
    before = [entry.key for entry in connect(moto_url).list("_index/")]

    assert cli("compact", "--all", "--root", moto_url).code == 0
    assert [entry.key for entry in connect(moto_url).list("_index/")] == before
    assert len(before) == 2
