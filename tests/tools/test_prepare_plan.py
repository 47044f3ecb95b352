"""What is to come is told ahead, in an order of work that shows early what it costs."""

from tools.prepare import download, sources


def plans(bench) -> dict[object, object]:
    """What was planned of each sub-phase."""
    return {record["sub_phase"]: record["sources"] for record in bench.said("planned")}


def test_all_steps_are_told_before_the_first_source_begins(bench) -> None:
    """Files and bytes as listed, and of the split that it is one file."""
    bench.source("b", {"a.txt": "a", "b.txt": "bb"})
    bench.source("a", {"c.txt": "c"})
    assert bench.prepare().code == 0

    listed = [{"source": "b", "files": 2, "bytes": 3}, {"source": "a", "files": 1, "bytes": 1}]
    assert plans(bench) == {
        "downloading_policy": listed,
        "processing": listed,
        "splitting": [{"source": "records", "files": 1}],
    }
    assert bench.said("planned")[-1]["seq"] < bench.said("source_started")[0]["seq"]


def test_what_archives_hold_is_not_guessed(bench) -> None:
    """Archives are to be extracted; what comes out of them is planned by its name alone."""
    folder = bench.source("s", {"a.txt": "a"})
    bench.manifest.unlink()
    bench.add("s", f"file://{folder}", 'pack = "zip"')
    assert bench.prepare().code == 0

    size = (bench.work / "downloads" / "s").glob("*.zip").__next__().stat().st_size
    assert plans(bench)["extracting_archives"] == [{"source": "s", "files": 1, "bytes": size}]
    assert plans(bench)["processing"] == [{"source": "s"}]


def test_a_dead_source_is_not_planned(bench) -> None:
    """What cannot be listed is not to come."""
    bench.add("dead", "file:///no/such/directory")
    bench.source("s", {"a.txt": "a"})
    assert bench.prepare().code == 1

    assert plans(bench)["downloading_policy"] == [{"source": "s", "files": 1, "bytes": 1}]


def test_a_dozen_files_of_each_source_come_first(bench) -> None:
    """Then the rest, source by source."""
    files = {f"{number:02d}.txt": str(number) for number in range(14)}
    bench.source("a", files)
    bench.source("b", files)
    assert bench.prepare("--jobs", "1").code == 0

    order = "".join(str(done["source"]) for done in bench.said("file_done"))
    assert order.startswith("a" * 12 + "b" * 12 + "aabb")


def test_the_job_is_named_after_the_manifest(bench) -> None:
    """So that a history is of the same dataset."""
    bench.source("s", {"a.txt": "a"})
    assert bench.prepare().code == 0

    assert bench.said("started")[0]["job"] == "prepare_dataset-manifest"


def test_the_same_manifest_prepared_again_goes_by_what_it_took(bench, monkeypatch, until) -> None:
    """The second run knows what each step of each source took in the first."""
    bench.source("s", {"a.txt": "a"})
    assert bench.prepare().code == 0

    def opened(url: str):
        until(lambda: bench.said("history", run_id="run-2"))
        return sources.open_url(url)

    monkeypatch.setattr(download, "open_url", opened)
    again = str(bench.path / "again")
    assert bench.prepare("--run-id", "run-2", "--work-dir", again).code == 0

    (history,) = bench.said("history", run_id="run-2")
    told = [(one["source"], one["sub_phase"], one["files"]) for one in history["sources"]]
    assert history["run_id"] == "run-1"
    assert told == [
        ("s", "downloading_policy", 1),
        ("s", "processing", 1),
        ("records", "splitting", 1),
    ]
