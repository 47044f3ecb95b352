"""Folding what is new and installing the snapshot, by one or by several at once."""

from dataclasses import replace

import fakes
import orjson
import pytest
from fakes import RUN, claimed, overwrite

from journal import events, layout, snapshot
from journal.clock import stamp
from journal.compactor import Compactor, read_run
from journal.errors import Corrupt, Unavailable
from journal.segments import Cursor

KEY = layout.snapshot_key(RUN)


@pytest.fixture
def store():
    return fakes.FaultyStore()


@pytest.fixture
def writer(store):
    writer = claimed(store)
    tell(writer, "started", job="prepare", attempt=1)
    return writer


def tell(writer, kind, *, minute=0.0, seal=None, **fields):
    """Say a record and flush it."""
    place = {"seq": writer.next_seq, "ts": stamp(fakes.STORE_TIME + minute * 60), "type": kind}
    writer.append(events.encode({**place, **fields}), 1)
    writer.flush(seal)


def shown(store):
    return orjson.loads(store.get(KEY).body)


def folded_anew(store):
    """The bytes of a document made from the whole journal, into an empty place."""
    reading = read_run(WithoutSnapshot(store), RUN, everything=True)
    return snapshot.encode(reading.document(RUN))


class WithoutSnapshot(fakes.FaultyStore):
    """The same run seen before anybody compacted it."""

    def get(self, key, **options):
        return super().get("nothing/there" if key == KEY else key, **options)


# What is new


def test_a_compaction_installs_the_document(store, writer):
    """From no document to that of all records."""
    compaction = Compactor(store, RUN).compact()

    assert compaction.installed
    assert shown(store)["status"] == "running"
    assert store.get(KEY).body == folded_anew(store)


def test_compacting_piece_by_piece_is_compacting_at_once(store, writer):
    """After any number of compactions the document is that of the whole journal."""
    compactor = Compactor(store, RUN)
    compactor.compact()
    tell(writer, "source_started", source="a", sub_phase="downloading")
    compactor.compact()
    tell(writer, "file_done", source="a", path="x", bytes=5, seal="roll")
    compactor.compact()
    tell(writer, "file_done", source="a", path="y", bytes=5)

    compactor.compact()

    assert store.get(KEY).body == folded_anew(store)


def test_a_compaction_reads_only_what_is_new(store, writer):
    """From the cursor on: the snapshot, and one ranged read of each open stream."""
    compactor = Compactor(store, RUN)
    compactor.compact()
    tell(writer, "file_done", source="a", path="x", bytes=5)
    store.requests.clear()

    compactor.compact()

    segment = layout.segment_key(RUN, "main", 0)
    assert store.requests == [("get", KEY), ("get", segment), ("put", KEY)]


def test_nothing_new_is_no_put(store, writer):
    """A document that would be the same is left as it lies."""
    Compactor(store, RUN).compact()
    store.requests.clear()

    compaction = Compactor(store, RUN).compact()

    assert not compaction.installed
    assert store.puts == 0


def test_a_run_without_a_journal_is_left_alone(store):
    """No stream, no document."""
    compaction = Compactor(store, RUN).compact()

    assert (compaction.installed, compaction.document, store.puts) == (False, {}, 0)


def test_a_compaction_says_what_is_damaged(store, writer):
    """Damage is reported with its place; what is sound is in the document."""
    key = layout.segment_key(RUN, "main", 0)
    overwrite(store, key, store.get(key).body + b"rubbish\n")

    compaction = Compactor(store, RUN).compact()

    assert compaction.document["status"] == "running"
    assert len(compaction.damages) == 1
    assert compaction.damages[0].startswith(f"{key}: the line at byte ")


def test_a_missing_segment_is_said_and_gone_past(store, writer):
    """A hole does not hide what is behind it."""
    tell(writer, "source_started", source="a", seal="roll")
    tell(writer, "source_started", source="b", seal="roll")
    tell(writer, "source_started", source="c")
    store.delete(layout.segment_key(RUN, "main", 1))

    compaction = Compactor(store, RUN).compact()

    assert [one["source"] for one in compaction.document["sources"]] == ["a", "c"]
    assert compaction.damages == [f"{layout.segment_key(RUN, 'main', 1)}: the segment is missing"]


def test_a_later_format_is_corrupt(store, writer):
    """What a newer program wrote is not guessed at."""
    key = layout.segment_key(RUN, "main", 0)
    overwrite(store, key, store.get(key).body.replace(b'"v":1', b'"v":9'))

    with pytest.raises(Corrupt, match="journal format 9"):
        Compactor(store, RUN).compact()


# Several streams


def test_all_streams_are_folded(store, writer):
    """The first compaction of a process lists the streams there are."""
    worker = claimed(store, pid=2, name="worker")
    tell(worker, "started", job="tokenize", attempt=1)

    Compactor(store, RUN).compact()

    assert sorted(shown(store)["journal"]["streams"]) == ["main", "worker"]


def test_a_stream_that_comes_later_is_found_in_the_document(store, writer):
    """Who joins installs its own state; others see it there without listing."""
    compactor = Compactor(store, RUN)
    compactor.compact()
    worker = claimed(store, pid=2, name="worker")
    tell(worker, "started", job="tokenize", attempt=1)
    Compactor(store, RUN).compact()
    tell(worker, "source_started", source="a")
    store.requests.clear()

    compactor.compact()

    assert [one["source"] for one in shown(store)["sources"]] == ["a"]
    assert "list" not in dict(store.requests)


def test_a_closed_stream_is_not_asked_again(store, writer):
    """Behind `close` nothing comes, except in main."""
    worker = claimed(store, pid=2, name="worker")
    tell(worker, "started", job="tokenize", attempt=1, seal="close")
    compactor = Compactor(store, RUN)
    compactor.compact()
    store.requests.clear()

    compactor.compact()

    assert all("stream=worker" not in key for _, key in store.requests)


def test_a_finished_main_that_is_resumed_is_seen(store, writer):
    """Main is asked again although it was closed: another attempt may follow."""
    tell(writer, "finished", status="failed", seal="finish")
    compactor = Compactor(store, RUN)
    compactor.compact()
    tell(claimed(store, pid=2), "started", job="prepare", attempt=2, minute=5)

    compactor.compact()

    assert (shown(store)["status"], shown(store)["attempt"]) == ("running", 2)


# Several compactors


def test_a_lost_race_means_again(store, writer):
    """Another compactor was faster: read again, fold, install."""
    slow = Compactor(store, RUN)
    tell(writer, "source_started", source="a")
    store.meanwhile.append(Compactor(store, RUN).compact)

    compaction = slow.compact()

    assert store.get(KEY).body == folded_anew(store)
    assert not compaction.installed  # the other one had installed the very same


def test_a_race_lost_to_an_older_state_is_won_again(store, writer):
    """What the other one installed lacked the newest record: ours is installed over it."""
    old = store.get(layout.segment_key(RUN, "main", 0)).body
    tell(writer, "source_started", source="a")
    aside = fakes.FaultyStore()
    overwrite(aside, layout.segment_key(RUN, "main", 0), old)
    Compactor(aside, RUN).compact()
    store.meanwhile.append(lambda: overwrite(store, KEY, aside.get(KEY).body))

    compaction = Compactor(store, RUN).compact()

    assert compaction.installed
    assert store.get(KEY).body == folded_anew(store)


def test_races_lost_for_ever_are_given_up(store, writer):
    """Others replace the document faster than it can be read: later."""
    store.meanwhile.extend([foreign_overwrite(store, number) for number in range(50)])

    with pytest.raises(Unavailable, match="replaced by others too fast"):
        Compactor(store, RUN).compact()


def foreign_overwrite(store, number):
    return lambda: overwrite(store.inner, KEY, b'{"number": %d}' % number)


def test_a_compactor_goes_on_after_an_outage(store, writer):
    """What it had folded is forgotten, and folded again."""
    compactor = Compactor(store, RUN)
    compactor.compact()
    tell(writer, "source_started", source="a")
    store.deaf = 1
    with pytest.raises(Unavailable):
        compactor.compact()

    compactor.compact()

    assert store.get(KEY).body == folded_anew(store)


def test_a_put_that_is_not_heard_of_is_found_installed(store, writer):
    """A lost reply is no loss: the document is there."""
    compactor = Compactor(store, RUN)
    store.faults.append(fakes.Fault.LOST)
    with pytest.raises(Unavailable):
        compactor.compact()

    assert not compactor.compact().installed
    assert store.get(KEY).body == folded_anew(store)


# Cursors


def moved(store, cursor):
    """Store the document with another cursor for main in it."""
    reading = read_run(store, RUN)
    run = {"main": replace(reading.run["main"], cursor=cursor)}
    overwrite(store, KEY, snapshot.encode(snapshot.render(RUN, run, {})))


def test_a_document_behind_is_caught_up(store, writer):
    """A snapshot may lag; it is folded on from where it stands."""
    Compactor(store, RUN).compact()
    tell(writer, "source_started", source="a")

    Compactor(store, RUN).compact()

    assert store.get(KEY).body == folded_anew(store)


def test_a_document_ahead_of_own_memory_is_taken(store, writer):
    """Another compactor knows more: its state is gone on with, not folded again."""
    slow, fast = Compactor(store, RUN), Compactor(store, RUN)
    slow.compact()
    tell(writer, "source_started", source="a")
    fast.compact()

    assert not slow.compact().installed


@pytest.mark.parametrize("cursor", [Cursor(0, 10**6, 1), Cursor(7, 500, 9), Cursor(7, 0, 9)])
def test_a_cursor_that_leads_nowhere_is_ignored_and_reported(store, writer, cursor):
    """The run is folded anew, and the complaint names the place."""
    Compactor(store, RUN).compact()
    moved(store, cursor)
    tell(writer, "source_started", source="a")

    compaction = Compactor(store, RUN).compact()

    assert store.get(KEY).body == folded_anew(store)
    assert compaction.damages != []
    assert "stream=main/" in compaction.damages[0]


def test_a_run_begun_again_under_an_old_document_is_folded_anew(store, writer):
    """Somebody deleted a finished journal, kept its document, and used the id again."""
    tell(writer, "source_started", source="a", seal="roll")
    tell(writer, "finished", status="failed", seal="finish")
    Compactor(store, RUN).compact()
    store.delete(layout.segment_key(RUN, "main", 0))
    store.delete(layout.segment_key(RUN, "main", 1))
    tell(claimed(store, pid=2), "started", job="prepare", attempt=1)

    Compactor(store, RUN).compact()

    assert (shown(store)["status"], shown(store)["sources"]) == ("running", [])


def test_a_pruned_run_keeps_its_document(store, writer):
    """Of its journal there is a tombstone only; what was folded is all there is."""
    tell(writer, "source_started", source="a", seal="roll")
    tell(writer, "finished", status="completed", seal="finish")
    Compactor(store, RUN).compact()
    before = shown(store)
    key = layout.segment_key(RUN, "main", 0)
    opened = store.get(key).body.splitlines(keepends=True)[0]
    seal = b'{"seq":0,"ts":"2025-08-15T00:00:00Z","type":"segment_sealed","reason":"pruned"}\n'
    overwrite(store, key, opened + seal)
    store.delete(layout.segment_key(RUN, "main", 1))

    Compactor(store, RUN).compact()

    assert shown(store) == before


# Foreign documents


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'{"journal": {"v": 99}}', b"[" * 5000])
def test_a_document_that_is_none_is_replaced(store, writer, body):
    """From the start of the journal if need be."""
    Compactor(store, RUN).compact()
    overwrite(store, KEY, body)

    Compactor(store, RUN).compact()

    assert store.get(KEY).body == folded_anew(store)


@pytest.mark.parametrize(
    "body", [b"", b"not json", b'{"status": "running"}', b'{"x": ' + b"[" * 600 + b"]" * 600 + b"}"]
)
def test_a_compactor_at_work_survives_an_overwrite(store, writer, body):
    """The pipeline's script replaces the document whole: the next compaction mends it."""
    compactor = Compactor(store, RUN)
    compactor.compact()
    overwrite(store, KEY, body)
    tell(writer, "source_started", source="a")

    compactor.compact()

    assert shown(store)["sources"][0]["source"] == "a"


def test_what_the_pipeline_s_script_wrote_is_carried_over(store, writer):
    """Its own fields stay, those of the journal are the journal's."""
    overwrite(store, KEY, b'{"run_id": "x", "status": "failed", "instance_type": "p4d"}')

    Compactor(store, RUN).compact()

    assert (shown(store)["run_id"], shown(store)["status"]) == (RUN, "running")
    assert shown(store)["instance_type"] == "p4d"


def test_a_newer_foreign_document_of_a_finished_run_is_left_alone(store, writer):
    """The run has ended, and whoever came after it has the word: the training phase."""
    tell(writer, "finished", status="completed", seal="finish")
    foreign = b'{"status": "running", "phase": "training", "last_update": "2025-08-05T20:00:00Z"}'
    overwrite(store, KEY, foreign)

    compaction = Compactor(store, RUN).compact()

    assert not compaction.installed
    assert store.get(KEY).body == foreign


@pytest.mark.parametrize(
    "foreign",
    [
        b'{"last_update": "2025-08-05T19:00:00Z"}',
        b'{"last_update": "soon"}',
        b'{"last_update": 5}',
        b"{}",
    ],
)
def test_a_foreign_document_that_is_not_newer_is_replaced(store, writer, foreign):
    """Or of which nobody knows."""
    tell(writer, "finished", status="completed", seal="finish")
    overwrite(store, KEY, foreign)

    Compactor(store, RUN).compact()

    assert shown(store)["status"] == "completed"


def test_a_newer_foreign_document_of_a_running_run_is_replaced(store, writer):
    """While the run goes on, the document is the journal's."""
    overwrite(store, KEY, b'{"last_update": "2025-08-06T00:00:00Z"}')

    Compactor(store, RUN).compact()

    assert shown(store)["status"] == "running"
