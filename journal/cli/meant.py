"""From the RUN that a command was given to the run that was meant, and its store."""

from collections.abc import Callable
from typing import TypeVar

from journal import layout
from journal.errors import Missing
from journal.stores import ReadStore, connect, read_only
from readers.runs import find, latest, parse_place

Answer = TypeVar("Answer")


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
