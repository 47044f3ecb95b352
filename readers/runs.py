"""Which runs there are, newest first, and which one somebody means."""

from collections.abc import Iterator
from dataclasses import dataclass

from journal import layout
from journal.errors import Missing
from journal.stores import Found, ReadStore, connect, read_only

CANDIDATES_SHOWN = 5


def run_ids(store: ReadStore) -> Iterator[str]:
    """Yield the ids of all runs, newest first by the index, then those it does not know."""
    indexed: set[str] = set()
    for entry in store.list(layout.RUN_INDEX):
        place = layout.parse_index_name(entry.key.removeprefix(layout.RUN_INDEX))
        if place is not None and place[0] not in indexed:
            indexed.add(place[0])
            yield place[0]
    # The index is advisory: a run whose first process died at once may be missing from it.
    for run_id in folders(store, ""):
        if run_id not in indexed:
            yield run_id


def job_runs(store: ReadStore, job: str) -> Iterator[str]:
    """Yield the ids of a job's runs, newest first, as far as the index knows them."""
    prefix, seen = layout.job_index(job), set()
    for entry in store.list(prefix):
        place = layout.parse_index_name(entry.key.removeprefix(prefix))
        if place is not None and place[0] not in seen:
            seen.add(place[0])
            yield place[0]


def begun_since(store: ReadStore, at: float, job: str | None = None) -> Iterator[str]:
    """Yield the ids of runs that began at a time (epoch seconds) or later, newest first.

    As far as the index knows them; no page of the listing is read that is older.
    """
    prefix, seen = layout.RUN_INDEX if job is None else layout.job_index(job), set()
    for entry in store.list(prefix):
        place = layout.parse_index_name(entry.key.removeprefix(prefix))
        if place is None or place[0] in seen:
            continue
        if place[1] < at:
            return
        seen.add(place[0])
        yield place[0]


def latest(store: ReadStore) -> str:
    """Return the id of the newest run. Raises Missing if there is none."""
    for run_id in run_ids(store):
        return run_id
    raise Missing("there is no run yet under this root; check --root and JOURNAL_ROOT")


def find(store: ReadStore, text: str) -> str:
    """Return the id of the run that `text` means: an id, `latest`, or the beginning of one id.

    Takes a listing; somebody who has a whole id tries it first. Raises Missing if it means none,
    ValueError if it means several or is ill-formed.
    """
    if text == "latest":
        return latest(store)
    layout.check_name("run id", text)
    candidates = list(folders(store, text))
    if text in candidates or len(candidates) == 1:
        return text if text in candidates else candidates[0]
    if not candidates:
        raise Missing(f"no run {text} under this root; `journal ls` shows those there are")
    shown = ", ".join(candidates[:CANDIDATES_SHOWN])
    more = ", …" if len(candidates) > CANDIDATES_SHOWN else ""
    raise ValueError(f"run {text} could be any of {len(candidates)}: {shown}{more}")


def folders(store: ReadStore, prefix: str) -> Iterator[str]:
    """Yield the names of the folders under the root that can be runs, and begin so."""
    for entry in store.list(prefix, delimiter="/"):
        name = entry.key.rstrip("/")
        if entry.key.endswith("/") and layout.is_name(name):
            yield name


@dataclass(frozen=True, slots=True)
class Place:
    """A root and, if its URL named one, a run under it."""

    root: str | None
    run: str


def parse_place(root: str | None, text: str) -> Place:
    """Take RUN apart: a URL is a root with a run id behind its last slash."""
    if "://" in text:
        head, _, run = text.rstrip("/").rpartition("/")
        return Place(head, run)
    return Place(root, text)


def located(run: str, root: str | None = None) -> tuple[ReadStore, str]:
    """Return the store to read, and the id of the run that is meant, as the command line does.

    A whole id costs one request more than knowing it. Raises Missing, Unavailable, Refused,
    ValueError.
    """
    place = parse_place(root, run)
    store = read_only(connect(place.root))
    if place.run == "latest":
        return store, latest(store)
    run_id = layout.check_name("run id", place.run)
    if isinstance(store.get(layout.snapshot_key(run_id)), Found):
        return store, run_id
    return store, find(store, run_id)


def newest(root: str | None = None, *, job: str | None = None) -> Iterator[str]:
    """Yield the ids of runs, newest first: of all, or of a job as far as the index knows them.

    Raises Unavailable, Refused, ValueError.
    """
    store = read_only(connect(root))
    return run_ids(store) if job is None else job_runs(store, layout.check_name("job", job))
