"""Where objects lie: four verbs, and no put without a condition.

`connect` gives the store of a root URL; the contract is in `journal.stores.contract`.
"""

from journal.stores.connection import connect, default_root, endpoint_of, read_only, root_of
from journal.stores.contract import (
    ABSENT,
    Absent,
    Entry,
    Found,
    Put,
    ReadStore,
    Store,
    Unchanged,
    Version,
)

__all__ = [
    "ABSENT",
    "Absent",
    "Entry",
    "Found",
    "Put",
    "ReadStore",
    "Store",
    "Unchanged",
    "Version",
    "connect",
    "default_root",
    "endpoint_of",
    "read_only",
    "root_of",
]
