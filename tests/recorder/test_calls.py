"""What each call of the API writes."""

from datetime import UTC, datetime

import pytest
from recorder.stored import document, lines, of_type, records, types

import journal


def story(run):
    """Say something of every kind."""
    run.phase("data_prep", "downloading")
    with run.source("a", files=2) as source:
        source.file_done("x", bytes=5, seconds=0.5)
        source.file_skipped("y", "not a PDF")
    run.waiting("rate limited", until="2030-01-02T03:04:05Z")
    run.error("no such page", source="a", path="z")
    run.emit("checkpoint", step=3)
    assert run.flush(60)
    run.finish()


def told(root):
    times = ("ts", "seconds", "clock_offset", "writer", "bytes", "sha256")
    return [{key: line[key] for key in line.keys() - times} for line in lines(root)]


def test_on_s3_lies_what_lies_in_a_directory(local_root, moto_url, start):
    """The same calls leave the same lines on S3 and in a directory."""
    story(start(local_root))
    story(start(moto_url))

    assert len(told(local_root)) == 12
    assert told(moto_url) == told(local_root)


def test_started_says_who_and_what(local_root, start):
    """`started` is the first record: job, attempt, plan, place and params."""
    start(
        local_root, sources=["a", {"source": "b", "files": 2, "bytes": 10}], params={"k": 1}
    ).finish()

    started = records(local_root)[0]
    assert list(started)[:5] == ["seq", "ts", "type", "job", "attempt"]
    assert (started["seq"], started["type"], started["attempt"]) == (0, "started", 1)
    assert started["sources"] == [{"source": "a"}, {"source": "b", "files": 2, "bytes": 10}]
    assert (started["sources_total"], started["params"]) == (2, {"k": 1})


def test_a_phase_says_what_was_given(local_root, start):
    """`phase` carries phase, sub-phase and operation."""
    with start(local_root) as run:
        run.phase("data_prep", "downloading_policy", "federal")

    told = {"phase": "data_prep", "sub_phase": "downloading_policy", "operation": "federal"}
    assert of_type(local_root, "phase") == told


def test_a_source_says_where_it_belongs_and_what_was_done(local_root, start):
    """`source_started` carries totals, the sub-phase, and what an earlier attempt finished."""
    with start(local_root) as run:
        run.phase("data_prep", "downloading")
        run.source("a", files=3, bytes=30, done_files=1, done_bytes=10)

    assert of_type(local_root, "source_started") == {
        "source": "a",
        "files": 3,
        "bytes": 30,
        "sub_phase": "downloading",
        "done": {"files": 1, "bytes": 10},
    }


def test_a_file_that_was_left_normally_is_done(local_root, start):
    """Leaving a file's block says `file_done` with its size and how long it took."""
    with start(local_root) as run, run.source("a") as source, source.file("x/y", size=7):
        pass

    done = of_type(local_root, "file_done")
    assert (done["source"], done["path"], done["bytes"]) == ("a", "x/y", 7)
    assert 0 <= done["seconds"] < 60


def test_a_file_without_a_block_is_said_in_one_call(local_root, start):
    """`file_done` says a file that needed no block."""
    with start(local_root) as run:
        run.source("a").file_done("x", bytes=5, seconds=0.5)

    assert of_type(local_root, "file_done") == {
        "source": "a",
        "path": "x",
        "bytes": 5,
        "seconds": 0.5,
    }


def test_a_skipped_file_says_why(local_root, start):
    """`file_skipped` carries the reason."""
    with start(local_root) as run:
        run.source("a").file_skipped("x", "not a PDF")

    assert of_type(local_root, "file_skipped") == {
        "source": "a",
        "path": "x",
        "reason": "not a PDF",
    }


def fail_in_a_file(run):
    with run.source("a") as source, source.file("x"):
        raise OSError("disk gone")


def test_a_file_that_fails_is_an_error_and_not_done(local_root, start):
    """The error of a file names it, with its traceback; the exception goes on."""
    run = start(local_root)
    with pytest.raises(OSError, match="disk gone"):
        fail_in_a_file(run)
    run.finish("failed")

    of_file, of_source = [line for line in records(local_root) if line["type"] == "error"]
    assert (of_file["source"], of_file["path"], of_file["fatal"]) == ("a", "x", False)
    assert "fail_in_a_file" in of_file["traceback"]
    assert (of_source["source"], of_source["fatal"]) == ("a", True)
    assert "traceback" not in of_source


def test_a_source_done_has_the_sums(local_root, start):
    """`source_done` sums up the files and bytes of its source."""
    with start(local_root) as run, run.source("a") as source:
        source.file_done("x", bytes=5)
        source.file_done("y", bytes=6)

    done = of_type(local_root, "source_done")
    assert (done["source"], done["files"], done["bytes"]) == ("a", 2, 11)


def test_a_source_of_a_name_used_before_goes_on(local_root, start):
    """The same name in the same sub-phase is the same source: its sums go on."""
    with start(local_root) as run:
        run.source("a").file_done("x", bytes=5)
        with run.source("a") as again:
            again.file_done("y", bytes=6)

    assert of_type(local_root, "source_done")["files"] == 2


@pytest.mark.parametrize(
    "until",
    [
        "2030-01-02T03:04:05Z",
        datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp(),
    ],
)
def test_a_wait_says_until_when(local_root, start, until):
    """`waiting` takes its end as text, as an aware datetime or in seconds since the epoch."""
    with start(local_root) as run:
        run.waiting("rate limited", until=until)

    told = {"reason": "rate limited", "until": "2030-01-02T03:04:05.000000Z"}
    assert of_type(local_root, "waiting") == told


def test_an_error_says_what_it_is_of(local_root, start):
    """`error` carries class, words, source and path, and whether it is fatal."""
    with start(local_root) as run:
        run.error(KeyError("k"), source="a", path=b"x")

    told = {"message": "'k'", "error": "KeyError", "fatal": False, "source": "a", "path": "x"}
    assert of_type(local_root, "error") == told


def test_an_event_of_any_type_is_kept_as_it_is(local_root, start):
    """`emit` says what the journal does not know, of any JSON type."""
    with start(local_root) as run:
        run.emit("checkpoint", step=3, loss=0.5, tags=["a", None], nested={"b": True})

    told = {"step": 3, "loss": 0.5, "tags": ["a", None], "nested": {"b": True}}
    assert of_type(local_root, "checkpoint") == told


def test_finished_is_the_last_record_before_the_seal(local_root, start):
    """A run's end is `finished` with its status and message, then the seal `finish`."""
    start(local_root).finish("preempted", "spot instance reclaimed")

    finished, seal = lines(local_root)[-2:]
    assert (finished["status"], finished["message"]) == ("preempted", "spot instance reclaimed")
    assert (seal["type"], seal["reason"]) == ("segment_sealed", "finish")


def test_handing_over_closes_the_stream_without_an_end(local_root, start):
    """`hand_over` seals with `close` and says no `finished`; the block's end adds nothing."""
    with start(local_root) as run:
        run.hand_over()

    assert types(local_root) == ["started"]
    assert lines(local_root)[-1]["reason"] == "close"
    assert document(local_root)["status"] == "running"


def test_tracked_paths_are_files_with_their_sizes(local_root, start, tmp_path):
    """`track` yields each path inside a file's block, its size taken from the file system."""
    (tmp_path / "x").write_bytes(b"12345")
    with start(local_root) as run:
        assert list(run.source("a").track([tmp_path / "x", "absent"])) == [tmp_path / "x", "absent"]

    done = [line for line in records(local_root) if line["type"] == "file_done"]
    assert [(line["path"], line["bytes"]) for line in done] == [
        (str(tmp_path / "x"), 5),
        ("absent", 0),
    ]


def leave_the_loop(run, path):
    for _ in run.source("a").track([path]):
        raise ValueError("bad page")


def test_a_loop_over_tracked_paths_that_fails_tells_its_own_error(local_root, start):
    """What a loop over `track` is left by is not blamed on the generator."""
    with pytest.raises(ValueError, match="bad page"), start(local_root) as run:
        leave_the_loop(run, "x")

    assert of_type(local_root, "error")["error"] == "ValueError"


def test_a_wrapped_file_counts_what_passes(local_root, start, tmp_path):
    """`file.wrap` counts what is read in whatever way, and passes everything else on."""
    (tmp_path / "x").write_bytes(b"one\ntwo\nthree\nfour\nfive\n")
    buffer = bytearray(2)
    with (
        start(local_root) as run,
        run.source("a").file("x") as file,
        (tmp_path / "x").open("rb") as raw,
        file.wrap(raw) as wrapped,
    ):
        read = [wrapped.read(2), wrapped.readline(), next(wrapped), wrapped.readinto(buffer)]
        assert [*read, *wrapped] == [b"on", b"e\n", b"two\n", 2, b"ree\n", b"four\n", b"five\n"]
        assert wrapped.tell() == 24

    assert of_type(local_root, "file_done")["bytes"] == 24


def test_what_is_written_through_a_wrapped_file_counts(local_root, start, tmp_path):
    """`file.wrap` counts what is written, too."""
    with (
        start(local_root) as run,
        run.source("a").file("x") as file,
        file.wrap((tmp_path / "x").open("wb")) as wrapped,
    ):
        wrapped.write(b"12345")

    assert of_type(local_root, "file_done")["bytes"] == 5


def test_the_run_started_last_is_the_current_one(local_root, start):
    """`current_run` finds the run for code that was not handed it."""
    run = start(local_root)

    assert journal.current_run() is run


def test_a_run_id_is_made_of_job_and_time(local_root, start):
    """Without a run id one is made: the job and the time of its start."""
    with start(local_root, None, job="nightly") as run:
        pass

    assert run.run_id.startswith("nightly-20")
    assert len(run.run_id) == len("nightly-20250805-142652")
