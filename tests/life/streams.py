"""The streams of a run as they lie in the store, and what must hold of every one."""

from recorder.stored import keys, lines, records


def streams(root, run_id="run-1"):
    """The names of the run's streams, `main` first."""
    found = {
        key.split("stream=")[1].split("/")[0] for key in keys(root, run_id) if "stream=" in key
    }
    return sorted(found, key=lambda name: (name != "main", name))


def beside(root, run_id="run-1"):
    """The records of each stream but `main`, in the order of the streams' names."""
    return [records(root, name, run_id) for name in streams(root, run_id) if name != "main"]


def seals(root, run_id="run-1"):
    """How the last segment of each stream but `main` ends."""
    names = [name for name in streams(root, run_id) if name != "main"]
    return [lines(root, name, run_id)[-1].get("reason") for name in names]


def paths(root, run_id="run-1"):
    """The paths of all files that are done, over all streams."""
    return sorted(
        record["path"]
        for name in streams(root, run_id)
        for record in records(root, name, run_id)
        if record["type"] == "file_done"
    )


def numbered(root, run_id="run-1"):
    """Tell whether every stream numbers its records 0, 1, 2 without a gap."""
    found = [
        [line["seq"] for line in records(root, name, run_id)] for name in streams(root, run_id)
    ]
    return all(numbers == list(range(len(numbers))) for numbers in found)
