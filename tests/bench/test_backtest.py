"""The backtest judges estimates as its definitions say, on recordings that are what they were."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bench.backtest import (
    ahead,
    counter,
    current,
    goals,
    libraries,
    measure,
    rules,
    table,
)
from tools.bench.backtest.neighbours import CONTROL, answers_in, neighbours
from tools.bench.backtest.ours import Journal
from tools.bench.backtest.recording import FOLDER, MODES, Recording, load, paths, reruns
from tools.bench.backtest.score import HOUR, score

ROOT = Path(__file__).resolve().parents[2]
UNIFORM = goals.uniform()
SEQUENTIAL = FOLDER / "s3-upload-seq.json.xz"
PARALLEL = FOLDER / "npm-tree-a.json.xz"
ALWAYS = {  # MAE/T of `SEQUENTIAL` in mode lazy
    "sources done, sources": 0.523,
    "mean, files": 0.365,
    "indicatif, files": 0.289,
    "restic, files": 0.231,
    "rclone, files": 0.259,
    "pv (30 s), files": 0.25,
    "aria2 (10 s), files": 0.283,
    "rsync (5 s), files": 0.337,
    "Hadoop SES, files": 0.216,
    "Holt, files": 0.243,
    "Parallax, files": 0.343,
    "mean, bytes": 0.368,
    "indicatif, bytes": 0.37,
    "restic, bytes": 0.368,
    "rclone, bytes": 0.333,
    "pv (30 s), bytes": 0.37,
    "aria2 (10 s), bytes": 0.415,
    "rsync (5 s), bytes": 0.458,
    "Hadoop SES, bytes": 0.252,
    "Holt, bytes": 0.335,
    "Parallax, bytes": 0.354,
    "control, bytes": 0.056,
    "control, files": 0.06,
}
RULES = [
    (name, mode)
    for name in sorted(neighbours())
    for mode in MODES
    if answers_in(name, mode)
    and name.rpartition(",")[0] not in {*libraries.LIBRARIES, CONTROL}  # wrong on purpose
    and name != "sources done, sources"  # moves in eight steps
]


class Said:
    """Says what a function of the time makes of it."""

    def __init__(self, said, interval=None):
        self._said = said
        self._interval = interval or (lambda now: None)
        self.seen = []

    def start(self, header):
        self.header = header

    def observe(self, event):
        self.seen.append(event)

    def estimate(self, now):
        return self._said(now), self._interval(now)

    def source_remaining(self, now, name):
        return self._said(now)


def test_the_truth_has_no_error():
    known = score(UNIFORM, Said(lambda now: HOUR - now), "all")
    assert (known.mae, known.alr, known.bias, known.none) == pytest.approx((0, 0, 0, 0))
    assert known.jitter == pytest.approx(0)


def test_who_says_nothing_is_taken_to_have_said_0():
    silent = score(UNIFORM, Said(lambda now: None), "all")
    assert silent.none == 1
    assert silent.mae == pytest.approx(0.5)


def test_too_much_and_too_little_weigh_the_same_in_the_log_ratio():
    error = HOUR / 100  # what keeps the ratio finite at the end
    double = score(UNIFORM, Said(lambda now: 2 * (HOUR - now) + error), "all")
    half = score(UNIFORM, Said(lambda now: (HOUR - now) / 2 - error / 2), "all")
    assert double.alr == pytest.approx(half.alr)
    assert double.mae > half.mae


def test_an_end_that_moves_by_a_tenth_once_has_a_jitter_of_a_tenth():
    moved = score(UNIFORM, Said(lambda now: HOUR - now + HOUR / 10 * (now < HOUR / 2)), "all")
    assert moved.jitter == pytest.approx(0.1)


def test_an_interval_that_held_at_first_only_held_in_its_share_of_moments():
    held = score(
        UNIFORM,
        Said(lambda now: HOUR - now, lambda now: (0.0, HOUR * (now < HOUR / 3 + 1))),
        "all",
    )
    assert held.early == 1
    assert held.cover == pytest.approx(32 / 97)


@pytest.mark.parametrize(
    "path", [*paths(), *(second for _, second in reruns())], ids=lambda p: p.name
)
def test_a_recording_holds_all_files_of_its_sources(path):
    recording = load(path)
    counted = {
        total.source: (
            sum(item.source == total.source for item in recording.items),
            sum(item.bytes for item in recording.items if item.source == total.source),
        )
        for total in recording.totals
    }
    assert counted == {total.source: (total.files, total.bytes) for total in recording.totals}


def test_a_recording_is_unpacked_as_it_was_packed():
    recording = load(paths()[-1])
    assert Recording.unpacked(recording.packed) == recording


def test_a_replay_goes_in_order_of_time_and_ends_with_its_clock():
    times = [t for t, _ in load(paths()[-1]).replay("all", HOUR)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(HOUR)


def test_mode_lazy_tells_a_source_s_totals_when_it_begins():
    said = Said(lambda now: None)
    score(UNIFORM, said, "lazy")
    assert {source["files_total"] for source in said.header["sources"]} == {None}
    assert said.seen[0]["files_total"] == UNIFORM.totals[0].files


def test_mode_files_only_tells_no_bytes():
    said = Said(lambda now: None)
    score(UNIFORM, said, "files_only")
    assert {event.get("bytes") for event in said.seen} == {None}
    assert {event.get("bytes_total") for event in said.seen} == {None}


def test_the_truth_about_a_source_has_no_error():
    one = UNIFORM.totals[:1]
    alone = Recording("one", "uniform", "", one, UNIFORM.items[: one[0].files])
    assert current.error(alone, Said(lambda now: HOUR - now), "all") == pytest.approx(0)


def test_an_unknown_total_counts_as_the_mean_of_the_known_ones():
    assert counter.guessed({"a": 10, "b": 30, "c": None}) == 60


def test_without_any_total_there_is_none():
    assert counter.guessed({"a": None}) is None


def test_the_mean_of_a_uniform_run_is_right():
    assert score(UNIFORM, rules.Mean("files"), "all").mae < 0.001


def test_the_control_says_less_the_less_is_done():
    mean, control = rules.Mean("files"), rules.Control("files")
    said = [_after_a_half(estimator)[0] for estimator in (mean, control)]
    assert said[1] == pytest.approx(said[0] * 0.7)


def _after_a_half(estimator):
    """Let an estimator see half of a run of two files."""
    estimator.start({"sources": [{"name": "a", "files_total": 2, "bytes_total": 2}]})
    estimator.observe({"ev": "file_done", "t": 10.0, "source": "a", "bytes": 1, "seconds": 10.0})
    return estimator.estimate(10.0)


@pytest.mark.parametrize(("name", "mode"), RULES)
def test_a_rule_is_nearly_right_about_a_uniform_run(name, mode):
    assert score(UNIFORM, neighbours()[name](), mode).mae < 0.12


def test_the_rules_give_what_they_have_always_given():
    scores = measure.mean_scores([measure.Task(SEQUENTIAL, tuple(ALWAYS))])
    assert {name: round(scores[name, "lazy"].mae, 3) for name in ALWAYS} == ALWAYS


def test_a_library_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(libraries, "find_spec", {"tqdm": "there"}.get)
    assert list(libraries.installed()) == ["tqdm", "tqdm (smoothing 0)"]
    assert "rich" in libraries.missing()


def test_the_journal_is_told_of_a_run_in_its_own_records():
    journal = Journal()
    journal.start(UNIFORM.header("all"))
    first, second = UNIFORM.replay("all"), UNIFORM.totals[0]
    journal.observe(next(first)[1])
    journal.observe(next(first)[1])
    (source,) = journal.state.sources
    assert (source.source, source.files, source.bytes) == ("source-0", 1, second.bytes // 250)
    assert (source.files_total, source.bytes_total) == (second.files, second.bytes)
    assert len(journal.state.planned) == len(UNIFORM.totals)


def test_before_its_last_file_a_source_is_at_work():
    (source,) = _told(events=250).state.sources
    assert (source.files, source.ended) == (249, None)


def test_the_last_file_of_a_source_ends_it():
    source, _ = _told(events=252).state.sources  # the next one begins at the same moment
    assert (source.files, source.ended) == (250, source.spoke)


def _told(events):
    """Return the journal of so many events of the uniform run; the first is a source's begin."""
    journal = Journal()
    journal.start(UNIFORM.header("all"))
    for _, event in itertools.islice(UNIFORM.replay("all"), events):
        journal.observe(event)
    return journal


def test_a_second_run_is_told_what_the_first_one_took():
    journal = Journal()
    journal.load_history(UNIFORM)
    journal.start(UNIFORM.header("lazy"))
    former = [(one.source, one.files, one.bytes) for one in journal.state.former]
    assert former == list(UNIFORM.totals)


def test_the_estimators_are_loadable_by_path_from_anywhere(tmp_path):
    code = (
        "import importlib.util as u, sys\n"
        f"spec = u.spec_from_file_location('eta', {str(ROOT / 'tools/bench/eta.py')!r})\n"
        "module = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print(list(module.ESTIMATORS))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['journal']"


def test_a_sample_first_takes_the_same_time_and_the_same_files():
    recording = load(SEQUENTIAL)
    sampled = ahead.with_sample_first(recording, 12)
    assert sampled.seconds == pytest.approx(recording.seconds)
    assert sorted(item[1:] for item in sampled.items) == sorted(
        item[1:] for item in recording.items
    )


def test_a_sample_first_begins_with_so_many_files_of_each_source():
    sampled = ahead.with_sample_first(UNIFORM, 2)
    first = [item.source for item in sampled.items[:6]]
    assert first == ["source-0", "source-0", "source-1", "source-1", "source-2", "source-2"]


def test_a_file_costs_the_same_in_another_order():
    recording = load(SEQUENTIAL)
    sampled = ahead.with_spread_first(recording, 12)
    assert _dearest(sampled) == pytest.approx(_dearest(recording))


def _dearest(recording):
    """Return the longest time between two files."""
    times = [0.0, *(item.t for item in recording.items)]
    return max(after - before for before, after in itertools.pairwise(times))


def test_a_sample_from_all_over_takes_the_second_of_two_files_from_the_middle():
    recording = load(SEQUENTIAL)
    source = recording.items[: recording.totals[0].files]
    sampled = ahead.with_spread_first(recording, 2)
    assert [item[1:] for item in sampled.items[:2]] == [source[0][1:], source[157][1:]]


def test_a_recording_of_files_at_once_is_not_put_in_another_order():
    assert [ahead.is_sampleable(load(path)) for path in (PARALLEL, SEQUENTIAL)] == [False, True]


def test_the_table_begins_with_ours_and_ends_with_the_control():
    names = (measure.OURS, "mean, bytes", "control, bytes")
    scores = measure.mean_scores([measure.Task(SEQUENTIAL, names)])
    rows = table.errors(scores).splitlines()[2:]
    shown = [row.split(" | ")[0] for row in rows]
    assert shown == ["| **journal**", "| mean (bytes)", "| control (bytes)"]


def test_the_table_has_one_line_for_those_who_say_the_same():
    scores = measure.mean_scores([measure.Task(SEQUENTIAL, ("mean, bytes",))])
    scores |= {("twin, bytes", mode): one for (_, mode), one in scores.items()}
    (row,) = table.errors(scores).splitlines()[2:]
    assert row.startswith("| mean, twin (bytes) | ")


def test_the_table_shows_a_dash_where_there_is_no_answer():
    scores = measure.mean_scores([measure.Task(SEQUENTIAL, ("mean, bytes",))])
    (row,) = table.errors(scores).splitlines()[2:]
    assert row.split(" | ")[4] == "\N{EN DASH}"
