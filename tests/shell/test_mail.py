"""What commands leave is on this host's disk when they return, and comes to the journal once."""

import multiprocessing

import pytest
from recorder.stored import document, records, types

from journal.cli.emit import _value
from journal.recorder.mailbox import Keeper, Mail, Mailbox
from journal.recorder.owner import this_host

STREAM = f"shell-{this_host()}"
WRITERS, LETTERS = 6, 40


@pytest.fixture
def box(tmp_path):
    return Mailbox(tmp_path, host="host", root="/root", endpoint="", run_id="run-1")


@pytest.fixture
def handed_over(start, shell, local_root):
    """A run that nobody keeps: its first process has handed it over."""
    run = start(local_root)
    run.hand_over()
    return local_root


def test_an_event_that_nobody_keeps_the_run_for(shell, handed_over, keeper_ends):
    """A process in the background takes it in with a stream of its own, and all that follow."""
    ended = shell.run("journal emit note n=1; journal emit note n=2; journal phase training")
    assert (ended.returncode, ended.stderr) == (0, "")
    keeper_ends(handed_over)
    assert types(handed_over, STREAM) == ["started", "note", "note", "phase"]
    assert document(handed_over)["phase"] == "training"


def test_a_strict_command_waits_for_the_store(shell, handed_over):
    """With --strict the event is durable in the store when the command returns."""
    ended = shell.run("journal emit note --strict")
    assert ended.returncode == 0
    assert types(handed_over, STREAM)[-1] == "note"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("journal emit note --run nowhere", 10, "no run nowhere"),
        ("journal emit 'No Type'", 2, "is not allowed"),
        ("journal emit file_done source=a path=x", 2, "file_done needs bytes=…"),
        ("journal emit finished", 2, "has a method of its own"),
        ("journal emit note seq=5", 2, "belongs to the journal itself"),
        ("journal emit note broken", 2, "expected FIELD=VALUE"),
        ("journal phase ''", 2, "phase must not be empty"),
        ("journal phase training --stall-after soon", 2, "is no duration"),
        ("journal emit", 2, "Missing argument"),
    ],
)
def test_a_mistake_fails_strict_commands_only(shell, command, code, words):
    """It is one line on stderr either way; the script goes on unless it asked to fail."""
    assert shell.run(command).returncode == 0
    ended = shell.run(f"{command} --strict")
    assert ended.returncode == code
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_mail_of_a_run_that_is_not_there_yet(shell, local_root, start):
    """It waits on this host; `journal recover` shows it, and sends it once the run is there."""
    shell.run("journal emit note --strict")
    assert "run-1 mail of a script: waits" in shell.run("journal recover --list").stdout
    run = start(local_root)
    ended = shell.run("journal recover")
    assert "run-1 mail of a script: 1 events sent" in ended.stdout
    assert types(local_root, STREAM) == ["started", "note"]
    run.hand_over()


def test_many_commands_at_once(box):
    """No line is lost, doubled or torn, and those of one process keep their order."""
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(box, writer)) for writer in range(WRITERS)]
    taken = []
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers) or box.has_mail:
        taken += [(mail.fields["writer"], mail.fields["n"]) for mail in box.take()]
        box.forget()
    assert sorted(taken) == [(w, n) for w in range(WRITERS) for n in range(LETTERS)]
    assert [n for writer, n in taken if writer == 0] == list(range(LETTERS))


def _write(box, writer):
    for n in range(LETTERS):
        box.leave(Mail(n, "note", {"writer": writer, "n": n}))


def test_what_was_taken_and_not_forgotten(box):
    """A keeper that dies before it has the mail safe leaves it to the next."""
    box.leave(Mail(1, "note", {"n": 1}))
    list(box.take())
    box.leave(Mail(2, "note", {"n": 2}))
    assert [mail.fields["n"] for mail in box.take()] == [1]
    box.forget()
    assert [mail.fields["n"] for mail in box.take()] == [2]


def test_a_torn_line(box):
    """Half a line, left by a crash, costs no other."""
    box.leave(Mail(1, "note", {"n": 1}))
    with (box.folder / "mail.jsonl").open("ab") as file:
        file.write(b'{"at_ns": 5, "type": "no')
    box.leave(Mail(2, "note", {"n": 2}))
    assert [mail.fields["n"] for mail in box.take()] == [1, 2]


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b'{"at_ns": "x", "type": 1}', b"\xff"])
def test_lines_that_are_no_mail(box, line):
    """They are passed over, whoever wrote them."""
    box.leave(Mail(1, "note", {}))
    with (box.folder / "mail.jsonl").open("ab") as file:
        file.write(line + b"\n")
    assert len(list(box.take())) == 1


def test_one_keeper_at_a_time(box):
    """Who keeps a run is known by name, and only while it does."""
    keeper = Keeper(42, "main", "/root", "job")
    other = Mailbox(box.folder.parents[3], host="host", root="/root", endpoint="", run_id="run-1")
    assert box.keep(keeper)
    assert other.keeper == keeper
    assert not other.keep(keeper)
    box.release({"ok": True})
    assert other.keeper is None
    assert other.outcome == {"ok": True}
    assert other.keep(keeper)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12", 12), ("-3", -3), ("0.5", 0.5), ("1e3", 1000.0), ("true", True), ("null", None)),
        *(("", ""), ("1_000", "1_000"), ("nan", "nan"), ("inf", "inf"), (" 5", " 5"), ("٣", "٣")),
        *(
            ("1.2.3", "1.2.3"),
            ("007", "007"),
            ("1e999", "1e999"),
            ("True", "True"),
            ("9" * 30, "9" * 30),
        ),
    ],
)
def test_values(text, value):
    """Numbers, true, false and null are what they are; anything else, and what JSON cannot hold
    as a number, is text."""
    assert _value(text) == value


def test_secrets_are_hidden(shell, local_root):
    """What looks like a secret in a command's words is not stored in the journal."""
    shell.run(
        "journal start >/dev/null; journal emit note url='https://x/y?X-Amz-Signature=abcdef0123';"
        "journal finish"
    )
    (note,) = [line for line in records(local_root) if line["type"] == "note"]
    assert "abcdef0123" not in note["url"]
