"""What holds for every command as a process: signals, pipes, pagers, terminals, imports."""

import errno
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import Cli
from recorder.fixtures import Spawn
from recorder.processes import PATIENCE_SECONDS, journal, wait_until

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_its_code_and_no_word(
    number: int, code: int, finished: str, local_root: str, spawn: Spawn
) -> None:
    """Even a replay that waits for an hour; the line on which ^C stands is ended."""
    slow = ["--speed", "0.00001", "--max-wait", "3600"]
    replay = spawn(journal("replay", *slow, "--root", local_root, finished))
    wait_until(lambda: replay.said)
    replay.signal(number)

    assert replay.wait() == code
    assert replay.err.strip() == ""


def test_a_signal_leaves_no_half_a_file(
    many_segments: str, local_root: str, tmp_path: Path, spawn: Spawn
) -> None:
    """A segment that is a pipe into which nobody writes is one that takes for ever to read."""
    segment = sorted(Path(local_root).rglob("*.jsonl"))[2]
    segment.unlink()
    os.mkfifo(segment)
    out = tmp_path / "out"
    out.mkdir()

    words = ["export", "--root", local_root, many_segments, "--to", str(out / "run.ndjson")]
    export = spawn(journal(*words))
    wait_until(lambda: list(out.iterdir()), "it has begun to write")
    export.signal(signal.SIGTERM)

    assert export.wait() == 143
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("words", [("tail", "-n", "all"), ("replay",), ("ls",), ("--help",)])
def test_a_reader_that_goes_away_is_no_error(
    words: tuple[str, ...], finished: str, local_root: str
) -> None:
    run = [] if words in (("ls",), ("--help",)) else [finished]
    with subprocess.Popen(
        journal(*words, *run),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"JOURNAL_ROOT": local_root},
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == b""
        assert command.wait(PATIENCE_SECONDS) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [("tail", "-n", "all"), ("replay",), ("ls",), ("--help",)])
def test_a_full_disk_is_one_line(words: tuple[str, ...], finished: str, local_root: str) -> None:
    run = [] if words in (("ls",), ("--help",)) else [finished]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            journal(*words, *run),
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"JOURNAL_ROOT": local_root},
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr == f"journal: standard output: {os.strerror(errno.ENOSPC)}\n".encode()


def on_terminal(*arguments: str, **environment: str) -> str:
    """Return what a command shows on a terminal of 200 columns."""
    mine, theirs = pty.openpty()
    width = {"COLUMNS": "200", "LINES": "24", "TERM": "xterm"}
    with subprocess.Popen(
        journal(*arguments), stdin=theirs, stdout=theirs, env=os.environ | width | environment
    ) as command:
        os.close(theirs)
        shown = bytearray()
        try:
            while part := os.read(mine, 65536):
                shown += part
        except OSError:
            pass  # Linux: nobody has the other end any more
        os.close(mine)
        assert command.wait(PATIENCE_SECONDS) == 0
    return shown.decode().replace("\r\n", "\n")


_LONG = [("tail", "-n", "all"), ("replay",), ("replay", "--explain"), ("errors",), ("ls",)]


@pytest.mark.parametrize("words", _LONG, ids=" ".join)
def test_a_pager_shows_what_a_pipe_does(
    words: tuple[str, ...], finished: str, local_root: str, cli: Cli, tmp_path: Path
) -> None:
    run = [] if words == ("ls",) else [finished]
    page = tmp_path / "page"
    copy = f"import sys; open({str(page)!r}, 'wb').write(sys.stdin.buffer.read())"
    pager = {"JOURNAL_PAGER": shlex.join([sys.executable, "-c", copy]), "JOURNAL_ROOT": local_root}

    assert on_terminal(*words, *run, **pager) == ""
    assert _COLOUR.sub("", page.read_text()) == cli(*words, *run).out
    page.unlink()
    bare = on_terminal(*words, *run, "--no-pager", **pager)
    assert _COLOUR.sub("", bare) == cli(*words, *run).out
    assert not page.exists()


def test_what_is_followed_is_not_paged(finished: str, local_root: str) -> None:
    shown = on_terminal("tail", "-f", finished, JOURNAL_PAGER="false", JOURNAL_ROOT=local_root)

    assert "finished" in shown


def test_a_pager_that_is_quit_ends_the_command(finished: str, local_root: str) -> None:
    quit_at_once = {"JOURNAL_PAGER": "true", "JOURNAL_ROOT": local_root}

    assert on_terminal("replay", finished, **quit_at_once) == ""


_HEAVY = ("boto3", "botocore", "rich", "polars", "duckdb", "smart_open", "http.server")


@pytest.mark.parametrize(
    "words",
    [("tail", "RUN"), ("status", "RUN"), ("ls",), ("errors", "RUN"), ("replay", "RUN")],
    ids=" ".join,
)
def test_the_first_line_waits_for_no_heavy_import(
    words: tuple[str, ...], finished: str, local_root: str
) -> None:
    arguments = [finished if word == "RUN" else word for word in words]
    program = (
        "import sys\nfrom journal.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        f"    print(*[name for name in {_HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"JOURNAL_ROOT": local_root},
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.stdout
    assert done.stderr.strip() == ""


def test_an_interrupt_is_the_pagers_own_affair(
    finished: str, local_root: str, tmp_path: Path
) -> None:
    """Pressed twice in it, the command is still there when the pager is quit."""
    page = tmp_path / "page"
    program = (
        "import os, signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.stdin.read()\n"
        "for _ in range(2):\n    os.kill(os.getppid(), signal.SIGINT); time.sleep(0.2)\n"
        f"open({str(page)!r}, 'w').write('quit')"
    )
    pager = {"JOURNAL_PAGER": shlex.join([sys.executable, "-c", program])}

    assert on_terminal("tail", finished, JOURNAL_ROOT=local_root, **pager) == ""
    assert page.read_text() == "quit"
