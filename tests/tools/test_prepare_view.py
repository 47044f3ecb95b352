"""The view shows how far it is, never disturbs the work, and passes no control characters on."""

import io

from tools.prepare.view import Picture, Size, View, live_lines, plain_line

PICTURE = Picture(
    step="processing",
    sources=1,
    sources_total=8,
    files=3,
    files_total=10,
    bytes=5 * 1024,
    bytes_total=10 * 1024,
    bad=2,
    path="s/\x1b[2Jevil\u202e\n.txt",
)


def test_the_plain_line_tells_it_all() -> None:
    assert plain_line(PICTURE, 3661, 2048) == (
        "1:01:01 processing, 3 of 10 files, 1 of 8 sources, 5.0 KiB of 10.0 KiB, 2.0 KiB/s, 2 bad"
    )


def test_no_control_character_of_a_file_name_reaches_the_terminal() -> None:
    assert all(line.isprintable() for line in live_lines(PICTURE, 1, 0, 80))


def test_no_line_is_wider_than_the_terminal() -> None:
    wide = Picture(path="x" * 500, sources_total=1)
    assert max(map(len, live_lines(wide, 1, 0, 40))) < 40


def test_a_step_of_nothing_is_shown_too() -> None:
    assert live_lines(Picture(step="splitting", sources_total=1), 1, 0, 80)


def test_where_there_is_no_terminal_lines_come_without_control_characters(until) -> None:
    stream = io.StringIO()
    with View(stream, live=False, plain_seconds=0.01) as view:
        view.step("processing", [Size(4, 100)])
        view.advance("s/\x1b[2Ja", 50)
        until(lambda: "50 B of 100 B" in stream.getvalue())
    assert all(line.isprintable() for line in stream.getvalue().splitlines())


def test_a_live_view_takes_its_lines_back_at_the_end(until) -> None:
    stream = io.StringIO()
    with View(stream, live=True):
        until(stream.getvalue)
    assert stream.getvalue().endswith("\x1b[J")


def test_a_stream_that_went_away_does_not_disturb_the_work(until) -> None:
    stream = io.StringIO()
    with View(stream, live=False, plain_seconds=0.01) as view:
        stream.close()
        until(lambda: not view._thread.is_alive())
        view.advance("a", 1)


def test_a_short_preparation_in_a_pipe_prints_its_result_alone(bench) -> None:
    bench.source("s", {"a.txt": "a"})
    outcome = bench.prepare()
    assert outcome.err == ""
    assert outcome.out.splitlines() == [
        f"dataset in {bench.work}",
        "run run-1: 0 records to train, 1 to validate, 0 duplicates dropped, 0 bad left out",
    ]
