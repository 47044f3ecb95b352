"""From the RUN that a command was given to the run that was meant, and its store."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Final, TypeVar

from journal import layout
from journal.errors import Missing
from journal.log import stream_names
from journal.stores import Found, ReadStore, connect, read_only
from readers.runs import find, latest, parse_place, run_ids

Answer = TypeVar("Answer")

PATTERN_RUNS: Final = 1000  # one page of a listing


def with_run(root: str | None, run: str, act: Callable[[ReadStore, str], Answer]) -> Answer:
    """Call `act` with the store to read and the id of the run that was meant.

    A whole id is tried as it is, which spares a request; only if there is no such run is it taken
    for the beginning of one.
    """
    place = parse_place(root, run)
    store = read_only(connect(place.root))
    if place.run == "latest":
        return act(store, latest(store))
    run_id = layout.check_name("run id", place.run)
    try:
        return act(store, run_id)
    except Missing:
        meant = find(store, run_id)
        if meant == run_id:
            raise
        return act(store, meant)


def runs_meant(root: str | None, runs: Sequence[str]) -> tuple[ReadStore, list[str]]:
    """Return the store and the ids of the runs that were meant, newest last, each once.

    A pattern with `*`, `?` or `[…]` means those of the newest PATTERN_RUNS that it matches.
    Raises Missing if there is none, ValueError if they lie under several roots.
    """
    roots = {parse_place(root, run).root for run in runs}
    if len(roots) > 1:
        raise ValueError("these runs lie under several roots; follow one root at a time")
    store = read_only(connect(roots.pop()))
    found: list[str] = []
    for run in runs:
        text = parse_place(root, run).run
        if is_pattern(text):
            found += reversed(matching(store, text))
        else:
            found.append(with_run(root, run, _existing))
    return store, list(dict.fromkeys(found))


def is_pattern(run: str) -> bool:
    """Whether RUN means all runs that it matches."""
    return any(sign in run for sign in "*?[")


def matching(store: ReadStore, pattern: str) -> list[str]:
    """Return the ids that match a pattern, newest first, of the newest PATTERN_RUNS."""
    newest = islice(run_ids(store), PATTERN_RUNS)
    return [run_id for run_id in newest if fnmatchcase(run_id, pattern)]


def _existing(store: ReadStore, run_id: str) -> str:
    if isinstance(store.get(layout.snapshot_key(run_id)), Found):
        return run_id
    if not stream_names(store, run_id):
        raise Missing(f"no run {run_id} under this root; `journal ls` shows the runs")
    return run_id
