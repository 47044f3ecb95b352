"""The errors, one for each thing the caller can do next.

    JournalError
    ├── Unavailable      try later: the store did not answer, or its answer settles nothing
    ├── Conflict         read again and decide: the object is not what was expected
    │   └── Held         the run has a writer already; carries who
    ├── Fenced           stop writing: another writer owns the stream
    ├── Corrupt          stop and call a person: what lies in the store contradicts the format
    ├── Refused          fix credentials or set-up: the store will not do it, now or later
    │   ├── Denied       give these credentials the right that the message names
    │   └── Pruned       choose another run id
    └── Missing          no such run, stream or object

`ValueError` is the caller's own mistake (an ill-formed name, an impossible option).
"""


class JournalError(Exception):
    """Anything the journal raises that is not the caller's mistake."""


class Unavailable(JournalError):
    """The store did not answer, or not conclusively. A put may or may not have been applied."""


class Conflict(JournalError):
    """The condition of a put did not hold. Not proof that somebody else wrote: read it back."""


class Held(Conflict):
    """The run has a writer: `run_id`, `stream`, `host`, `pid` and `since` (its `ts`) say which."""

    def __init__(self, run_id: str, stream: str, host: str, pid: int, since: str) -> None:
        super().__init__(
            f"run {run_id}: stream {stream} is held by pid {pid} on {host} since {since}; "
            "choose another run id, or take over with resume=True"
        )
        self.run_id = run_id
        self.stream = stream
        self.host = host
        self.pid = pid
        self.since = since


class Fenced(JournalError):
    """Another writer took the stream over; this one must not write to it again."""


class Corrupt(JournalError):
    """The stored bytes contradict the format, and no retry will mend that."""


class Refused(JournalError):
    """The store refuses for a reason that time does not cure: rights, set-up, missing features."""


class Denied(Refused):
    """The store is sound, and these credentials lack a right."""


class Pruned(Refused):
    """The run was pruned: its id is not used again."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"run {run_id} was pruned; its id is not used again, choose another run id"
        )


class Missing(JournalError):
    """There is no such run."""
