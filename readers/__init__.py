"""Readers of runs, handed a store that cannot write; each is imported by its own name.

from journal.stores import connect, read_only
from readers.tail import Tail

store = read_only(connect("s3://bucket/training-runs"))
for event in Tail(store, "mistral-20250805-142652").follow():
    print(event.record)
"""
