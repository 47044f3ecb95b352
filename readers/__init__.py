"""Readers of runs, handed a store that cannot write.

from journal.stores import connect, read_only
from readers import Tail, status
store = read_only(connect("s3://bucket/training-runs"))
for event in Tail(store, run_id).follow():
print(event.record)
"""

from readers.runs import find, latest, run_ids
from readers.status import Holder, Status, holder, status
from readers.tail import Event, Tail

__all__ = ["Event", "Holder", "Status", "Tail", "find", "holder", "latest", "run_ids", "status"]
