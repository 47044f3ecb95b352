"""A command's stderr is passed on as it is, and its last words are kept."""

import os
import pty
import signal
import sys
import termios

import pytest
from recorder.processes import journal, wait_until
from recorder.stored import everything, of_type

from journal.limits import ECHO_TAIL_BYTES, LAST_WORDS_CHARS
from journal.recorder.outcome import last_words
from journal.redaction import STANDARD

BYTES = "import os\nfor n in range(400): os.write(2, bytes(range(256)) * 17)"
DAEMON = """
import os, sys, time
if os.fork():
    sys.exit(3)
os.setsid()
os.close(0)
os.close(1)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
os.write(2, b"of the daemon\\n")
open(sys.argv[2], "x").close()
"""
TERMINAL = (
    "import os\nprint(os.isatty(2), *os.get_terminal_size(2), flush=True)\nos.write(2, b'a\\nb')"
)


def test_every_byte_is_passed_on(spawn, local_root, tmp_path):
    """Whatever it is, and however much."""
    err = tmp_path / "err"
    command = journal("exec", "--", sys.executable, "-c", BYTES)
    child = spawn(["sh", "-c", f'exec "$@" 2> {err}', "sh", *command], JOURNAL_ROOT=local_root)

    assert child.wait() == 0
    assert err.read_bytes() == bytes(range(256)) * 17 * 400


def test_what_is_written_is_passed_on_at_once(wrap):
    """A person who watches does not wait for the end."""
    child = wrap("sh", "-c", "printf half-a-line >&2; exec sleep 60")

    wait_until(lambda: child.err == "half-a-line")

    child.signal(signal.SIGTERM)
    assert child.wait() == 143


def test_a_daemon_left_behind_holds_nobody_up(wrap, tmp_path):
    """The wrapper ends with the command; what the daemon writes later still arrives."""
    go, proof = tmp_path / "go", tmp_path / "proof"
    child = wrap(sys.executable, "-c", DAEMON, str(go), str(proof))

    assert child.wait() == 3
    go.touch()

    wait_until(proof.exists, "the daemon was not ended by its writing")
    wait_until(lambda: child.err == "of the daemon\n")


def test_where_stderr_is_a_terminal_the_command_has_one_too(local_root):
    """Of the same size, and what it writes there looks the same."""
    pid, terminal = pty.fork()
    if pid == 0:
        termios.tcsetwinsize(2, (33, 101))
        os.environ.update(JOURNAL_ROOT=local_root, JOURNAL_RUN_ID="run-1")
        words = journal("exec", "--", sys.executable, "-c", TERMINAL)
        os.execv(words[0], words)
    said = b"".join(iter(lambda: _read(terminal), b""))
    _, status = os.waitpid(pid, 0)
    os.close(terminal)

    assert (status, said) == (0, b"True 101 33\r\na\r\nb")


def test_the_command_s_terminal_follows_ours(local_root):
    """Its size, and it is told of a change after that was made."""
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGWINCH, lambda *_: print(*os.get_terminal_size(2), flush=True))\n"
        "print('ready', flush=True)\nwhile True: signal.pause()"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(JOURNAL_ROOT=local_root, JOURNAL_RUN_ID="run-1")
        words = journal("exec", "--", sys.executable, "-c", program)
        os.execv(words[0], words)
    _until(terminal, b"ready")
    termios.tcsetwinsize(terminal, (12, 34))
    said = _until(terminal, b"34 12")
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    os.close(terminal)

    assert b"34 12" in said


def test_without_a_stderr_there_is_none(spawn, local_root, tmp_path):
    """The command finds it as closed as we do."""
    words = [sys.executable, "-c", "import os\nos.fstat(2)"]
    codes = tmp_path / "codes"
    command = journal("exec", "--", *words)
    script = f'"$@" 2>&-; echo $? >> {codes}'
    spawn(["sh", "-c", script, "sh", *words]).wait()
    spawn(["sh", "-c", script, "sh", *command], JOURNAL_ROOT=local_root).wait()

    assert codes.read_text(encoding="utf-8").split() == ["1", "1"]


def test_what_only_we_hold_open_is_let_go_of(spawn, local_root, tmp_path):
    """A lock of the calling script's does not stay held by what copies for a daemon."""
    lock, go = tmp_path / "lock", tmp_path / "go"
    words = [sys.executable, "-c", DAEMON, str(go), str(tmp_path / "proof")]
    close = "import os, sys; os.close(9); os.execv(sys.argv[1], sys.argv[1:])"
    command = journal("exec", "--", sys.executable, "-c", close, *words)
    script = f'exec 9> {lock}; flock 9; "$@"; exec 9>&-; flock -n {lock} echo free'
    child = spawn(["sh", "-c", script, "sh", *command], JOURNAL_ROOT=local_root)

    assert child.wait() == 0, child.err
    assert child.said == ["free"]
    go.touch()


def test_secrets_are_not_among_the_last_words(wrap, local_root):
    """Neither in the error nor in the end, nor anywhere else."""
    child = wrap(
        "sh", "-c", "echo url https://joe:s3cr3t-pass@host/x password=hunter22 >&2; exit 1"
    )

    assert child.wait() == 1
    assert "s3cr3t-pass" in child.err  # which is the command's own
    assert "password=***" in of_type(local_root, "error")["stderr"]
    assert b"s3cr3t-pass" not in everything(local_root)
    assert b"hunter22" not in everything(local_root)


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"", ""),
        (b"one\ntwo", "one\ntwo"),
        (b" 1 %\r 50 %\r100 %\r\ndone\r\n", "100 %\ndone"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b(Bplain\x00\x07\xff\n", "red Bplain\ufffd"),
        (b"\xe2\x80\xae\xc2\x9bup\n\n\n", "\u202eup"),
        (b"token\x1b]", "token"),
    ],
)
def test_last_words_are_plain_text(tail, words):
    """What a person would see, without what moves a terminal."""
    assert last_words(tail, True, STANDARD) == words


def test_last_words_are_bounded():
    """Twenty lines, and of these the last characters; a line that is cut is left out."""
    many = b"".join(b"%06d " % n + b"x" * 30 + b"\n" for n in range(1000))

    words = last_words(many[-ECHO_TAIL_BYTES:], False, STANDARD)
    long = last_words(b"y" * ECHO_TAIL_BYTES, True, STANDARD)

    assert [line[:6] for line in words.split("\n")] == [f"{n:06d}" for n in range(980, 1000)]
    assert len(long) == LAST_WORDS_CHARS
    assert last_words(b"half a secret", False, STANDARD) == ""


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1024)
    except OSError:  # the last user of its other end has gone
        return b""


def _until(terminal: int, words: bytes) -> bytes:
    said = b""
    while words not in said and (more := _read(terminal)):
        said += more
    return said
