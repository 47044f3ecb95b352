"""The old monitor watches the main job: RUNNING from its first second on, SUCCEEDED at its end."""

from datetime import UTC, datetime
from itertools import groupby

from recorder.legacy_monitor import verdict

ROOT_KEYS = ("metadata.json", "_error", "_complete")


def judged(bench) -> str:
    """Say what the old monitor says of the run at this moment, reading as it reads."""
    run = bench.path / "root" / "run-1"
    found = {}
    for name in ROOT_KEYS:
        path = run / name
        if path.exists():
            modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            found[f"run-1/{name}"] = (path.read_bytes(), modified)
    return verdict(found, "run-1", datetime.now(UTC))[0]


def watched(bench, process, until) -> list[str]:
    """Return what the monitor says from the first snapshot to the end, each change once."""
    until((bench.path / "root" / "run-1" / "metadata.json").exists)
    said = [judged(bench)]
    while process.poll() is None:
        said.append(judged(bench))
    said.append(judged(bench))
    return [state for state, _ in groupby(said)]


def test_the_main_job_is_running_until_it_has_succeeded(bench, until, ended) -> None:
    bench.source("many", {f"{number}.txt": f"text {number}" * 999 for number in range(400)})
    process = bench.start("--jobs", "1")
    ended.append(process)
    assert watched(bench, process, until) == ["RUNNING", "SUCCEEDED"]


def test_a_job_with_a_dead_source_ends_as_failed(bench, until, ended) -> None:
    bench.source("alive", {f"{number}.txt": f"text {number}" * 999 for number in range(100)})
    bench.add("dead", "file:///nowhere/at/all")
    process = bench.start("--jobs", "1")
    ended.append(process)
    assert watched(bench, process, until) == ["RUNNING", "FAILED"]


def test_handed_over_the_run_goes_on_running(bench, until, ended) -> None:
    bench.source("s", {"a.txt": "a"})
    process = bench.start("--hand-over")
    ended.append(process)
    assert watched(bench, process, until) == ["RUNNING"]
