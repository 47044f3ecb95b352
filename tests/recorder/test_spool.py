"""The spool: what was said is on this host's disk until the store has it."""

import json
import os
import stat

import pytest

from journal.recorder import outbox as outbox_module
from journal.recorder.outbox import Outbox
from journal.recorder.owner import Owner, entries, lock_folder, spool_home
from journal.recorder.spool import Spool

OWNER = Owner("s3://bucket/runs", "", "run-1", "main", "prep", "host", 7, 5.0, 180.0)


def line(seq, **fields):
    return json.dumps({"seq": seq, "ts": "2025-08-05T19:35:00.000000Z", "type": "note", **fields})


def lines(*numbers, **fields):
    return "".join(line(seq, **fields).replace(": ", ":") + "\n" for seq in numbers).encode()


@pytest.fixture
def place(tmp_path):
    return tmp_path / "spools"


@pytest.fixture
def spool(place):
    return Spool.open(place, OWNER, resume=False)


def records(spool):
    return (spool.folder / "records.jsonl").read_bytes()


def say(outbox, *numbers):
    """Do what the pump does in a step."""
    outbox.fresh += lines(*numbers)
    outbox.fresh_count += len(numbers)
    outbox.next_seq = numbers[-1] + 1
    outbox.commit()


def begun(spool, seq=0):
    """An outbox behind its claim, its `started` sent and acknowledged."""
    outbox = Outbox(spool)
    outbox.begin_at(seq, [lines(0)])
    outbox.take()
    outbox.acknowledge(seq + 1)
    return outbox


def test_it_lies_where_the_state_of_users_lies(monkeypatch, tmp_path):
    """XDG_STATE_HOME, unless JOURNAL_SPOOL names a directory or says `off`."""
    assert spool_home().is_relative_to(os.environ["XDG_STATE_HOME"])
    monkeypatch.setenv("JOURNAL_SPOOL", str(tmp_path))
    assert spool_home() == tmp_path
    monkeypatch.setenv("JOURNAL_SPOOL", "off")
    assert spool_home() is None


def test_nobody_else_can_read_it(spool):
    """What a job says is its user's business."""
    assert stat.S_IMODE((spool.folder / "records.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700


def test_what_waits_is_in_it_and_what_the_store_has_is_not(spool):
    """Its acknowledged front is cut."""
    outbox = begun(spool)
    say(outbox, 1, 2, 3)
    assert records(spool) == lines(1, 2, 3)

    assert bytes(outbox.take()[0]) == lines(1, 2, 3)
    assert records(spool) == lines(1, 2, 3)
    outbox.acknowledge(4)
    assert records(spool) == b""


def test_its_front_is_cut_while_more_waits(spool, monkeypatch):
    """A spool does not grow as long as the store takes what is said, however busy the job is."""
    monkeypatch.setattr(outbox_module, "SPOOL_CUT_BYTES", 100)
    outbox = begun(spool)
    say(outbox, 1, 2, 3)
    outbox.take()
    say(outbox, 4)
    outbox.acknowledge(4)

    assert records(spool) == lines(4)
    assert bytes(outbox.take()[0]) == lines(4)


def test_what_memory_has_no_room_for_waits_in_it(spool, monkeypatch):
    """Lines come back from the disk in their order, and count as they should."""
    monkeypatch.setattr(outbox_module, "OUTBOX_SOFT_BYTES", 150)
    outbox = begun(spool)
    for number in range(1, 8):
        say(outbox, number)

    assert outbox.count == 7
    assert outbox.waiting_bytes == len(lines(*range(1, 8)))
    taken = [outbox.take() for _ in range(2)]
    assert b"".join(bytes(part) for part, _ in taken) == lines(*range(1, 8))
    assert [count for _, count in taken] == [2, 5]
    assert outbox.take() == (b"", 0)


def test_a_claim_numbers_anew_what_waits_in_memory_and_on_disk(spool, monkeypatch):
    """Before the claim nobody knows where the stream goes on; the file is replaced whole."""
    monkeypatch.setattr(outbox_module, "OUTBOX_SOFT_BYTES", 150)
    outbox = Outbox(spool, lines(0))
    for number in range(1, 6):
        say(outbox, number)
    assert records(spool) == lines(0, 1, 2, 3, 4, 5)

    outbox.begin_at(40, [lines(0)])

    assert records(spool) == lines(40, 41, 42, 43, 44, 45)
    assert outbox.next_seq == 46
    assert bytes(outbox.take()[0]) == lines(40, 41, 42, 43, 44, 45)


def test_a_torn_last_line_is_cut(place, spool):
    """What the death of a process left half-written is nothing."""
    spool.append(lines(1, 2), 1, 2)
    with (spool.folder / "records.jsonl").open("ab") as file:
        file.write(b'{"seq":3,"ts":"2025-')
    spool.leave()

    assert Spool.open(place, OWNER, resume=True).base == len(lines(1, 2))


def test_a_locked_spool_is_left_alone(place, spool):
    """Another process of the same stream on the same host takes a folder of its own."""
    spool.append(lines(1), 1, 1)
    other = Spool.open(place, OWNER, resume=True)

    assert (spool.folder.name, other.folder.name) == ("main", "main~1")
    assert (other.base, spool.base, spool.size) == (0, 0, len(lines(1)))


def test_only_who_resumes_takes_what_was_left(place, spool):
    """A new run of the same id must not begin with the events of another."""
    spool.append(lines(1), 1, 1)
    spool.leave()

    fresh = Spool.open(place, OWNER, resume=False)
    assert fresh.base == 0
    fresh.leave()
    assert Spool.open(place, OWNER, resume=True).base == len(lines(1))


def test_what_a_fenced_writer_said_is_kept_apart(place, spool):
    """It is neither sent by who resumes nor lost."""
    outbox = begun(spool)
    say(outbox, 1, 2)
    outbox.close(ok=False)
    outbox.set_aside("abc", 2)
    say(outbox, 3)
    outbox.leave_spool()

    (entry,) = entries(spool.folder.parent)
    assert [path.name for path in entry.fenced] == ["fenced-abc.jsonl"]
    assert entry.fenced[0].read_bytes() == lines(2, 3)
    assert Spool.open(place, OWNER, resume=True).base == 0


def test_what_an_earlier_attempt_left_outlives_the_fence_of_the_next(place, spool):
    """Who resumed and was fenced before it could send it leaves it to whoever recovers."""
    spool.append(lines(0, 1, 2), 0, 3)
    spool.leave()
    resumed = Spool.open(place, OWNER, resume=True)
    outbox = Outbox(resumed, lines(0))
    say(outbox, 1)
    outbox.begin_at(7, [lines(1, 2), lines(0)])
    outbox.close(ok=False)
    outbox.set_aside("abc", 8)
    outbox.leave_spool()

    (entry,) = entries(resumed.folder.parent)
    assert (entry.folder / "records.jsonl").read_bytes() == lines(8)
    assert entry.fenced[0].read_bytes() == lines(9, 10)


def test_what_an_earlier_attempt_left_outlives_one_that_is_turned_away(place, spool):
    """A run that may not be resumed loses nothing of what waits to be recovered."""
    spool.append(lines(0, 1), 0, 2)
    spool.leave()
    outbox = Outbox(Spool.open(place, OWNER, resume=True), lines(0))
    say(outbox, 1)
    outbox.leave_spool(remove=True)

    assert Spool.open(place, OWNER, resume=True).base == len(lines(0, 1))


def test_a_forked_child_lets_go_and_its_parent_keeps_the_lock(spool):
    """The lock belongs to both; closing it in one does not free it."""
    child = os.fork()
    if child == 0:
        spool.leave()
        os._exit(0)
    os.waitpid(child, 0)

    assert lock_folder(spool.folder) is None


def test_nothing_is_left_of_it_in_the_end(place, spool):
    """A run whose every word is in the store leaves no trace."""
    outbox = begun(spool)
    outbox.leave_spool(remove=True)

    assert not list(place.rglob("*")) or not (place / "host").exists()


class Full:
    """A disk without room, for as long as `is_full`."""

    def __init__(self, monkeypatch):
        self.is_full = True
        self._pwrite = os.pwrite
        monkeypatch.setattr("journal.recorder.spool.os.pwrite", self.pwrite)

    def pwrite(self, file, data, offset):
        """Write half of it, then have no room."""
        if not self.is_full:
            return self._pwrite(file, data, offset)
        if len(data) > 4:
            return self._pwrite(file, data[:4], offset)
        raise OSError(28, "No space left on device")


def test_a_full_disk_costs_the_spool_and_nothing_else(spool, monkeypatch, caplog):
    """What does not fit waits in memory; once there is room the spool goes on with whole lines."""
    outbox = begun(spool)
    disk = Full(monkeypatch)
    say(outbox, 1)
    disk.is_full = False
    say(outbox, 2)

    assert records(spool) == lines(2)
    assert bytes(outbox.take()[0]) == lines(1, 2)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "the spool cannot be written"
    ]


def test_a_disk_that_is_full_from_the_start_costs_the_spool(spool, monkeypatch):
    """A claim that cannot replace the spool goes on from memory, and leaves nothing to double."""
    outbox = Outbox(spool, lines(0))
    say(outbox, 1)
    monkeypatch.setattr(
        "journal.recorder.spool.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full"))
    )
    outbox.begin_at(5, [lines(0)])

    assert outbox.spool is None
    assert bytes(outbox.take()[0]) == lines(5, 6)
    assert not spool.folder.exists()


def test_it_is_bounded(spool, monkeypatch):
    """Beyond its bound lines wait in memory; when that is full too there is no room."""
    monkeypatch.setattr(outbox_module, "SPOOL_BYTES", len(lines(1, 2)))
    monkeypatch.setattr(outbox_module, "OUTBOX_BYTES", len(lines(1, 2, 3)))
    outbox = begun(spool)
    say(outbox, 1, 2)
    assert outbox.room > 0
    say(outbox, 3)

    assert records(spool) == lines(1, 2)
    assert outbox.room <= 0
