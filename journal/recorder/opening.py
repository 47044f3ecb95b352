"""How a stream is started: look, claim, and say `started` with the attempt found out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from journal import events, index, layout, log
from journal.claim import Claim
from journal.clock import StampReader, StoreClock
from journal.compactor import read_run
from journal.errors import Held, Pruned, Unavailable
from journal.layout import MAIN
from journal.recorder.leftover import Leftover, leftover_of
from journal.recorder.owner import Owner, owner_of
from journal.recorder.spool import Spool
from journal.recorder.stall import Stall
from journal.redaction import STANDARD, Redaction
from journal.stores.contract import Store
from journal.stream import Stream, StreamWriter

if TYPE_CHECKING:
    from journal.companions import Companion


@dataclass(frozen=True, slots=True)
class Watch:
    """Another process whose work this one tells of: its tree is sampled, not this one's.

    `stacks`, asked whenever a stall is to be told of, returns what that tree is doing: it takes the
    place of where this process's threads stand.
    """

    pid: int
    stacks: Callable[[Stall], str]


@dataclass(frozen=True, slots=True)
class Start:
    """What is wanted: `started`'s own fields and time, and what may be taken over."""

    ts: str
    job: str
    fields: dict[str, Any]
    resume: bool
    force: bool  # resume even a completed run
    join: bool  # if the run exists, write a stream beside its main
    redaction: Redaction = STANDARD
    watch: Watch | None = None
    companions: "Sequence[Companion]" = ()


class Ended(ValueError):
    """The run that is to be resumed is completed, or was pruned."""


class Opening:
    """Opens a stream; attempted until the store has answered."""

    def __init__(self, stream: Stream, start: Start) -> None:
        self.stream = stream
        self.attempt_number = 1
        self.damaged = 0  # lines of the spool that were no records
        self._start = start
        self._claim: Claim | None = None
        self._writer: StreamWriter | None = None
        self._clock_offset = 0.0  # store minus host in seconds, as the opening says
        self._base = stream.name  # what names of the stream begin with
        self._joined = 1 if start.join and stream.name != MAIN else 0  # names tried beside main

    def attempt(self, spool: Spool | None) -> tuple[StreamWriter, Iterator[bytes]]:
        """Return the writer and the lines it begins with, which are not numbered yet.

        They are what an earlier process left in the spool and the store does not have, and
        `started`. Raises Unavailable or Refused (attempt it again), Held, Ended, Corrupt.
        """
        if self._claim is None:
            hint = self._look()  # it may settle another name for the stream
            _ensure_probed(self.stream.store)
            self._claim = Claim(self.stream, resume=self._start.resume, hint=hint)
        if self._writer is None:
            self._writer = self._claimed()
            self._clock_offset = self._writer.clock_offset
        known, missing = 0, None
        if self._start.resume:
            run = read_run(self.stream.store, self.stream.run_id).run
            folded = run.get(self.stream.name)
            known = folded.state.attempt if folded else 0
        self.attempt_number = known + 1
        if spool is not None and spool.base:
            try:
                missing = leftover_of(spool, self.stream, self._writer)
                self.attempt_number += missing.look_through()
            except OSError as failed:
                raise Unavailable(f"the spool cannot be read: {failed}") from failed
            self.damaged = missing.damaged
        return self._writer, self._begin(missing, known)

    def _begin(self, missing: "Leftover | None", known: int) -> Iterator[bytes]:
        if missing is not None:
            yield from missing.lines(known)
        yield self.started()

    def started(self) -> bytes:
        """Return the line of `started`, as far as its attempt is known."""
        started = {
            "seq": 0,
            "ts": self._start.ts,
            "type": events.STARTED,
            "job": self._start.job,
            "attempt": self.attempt_number,
            **self._start.fields,
        }
        return events.encode(started, self.redaction)

    @property
    def redaction(self) -> Redaction:
        """What is hidden in all that is said."""
        return self._start.redaction

    @property
    def job(self) -> str:
        """What is run."""
        return self._start.job

    @property
    def watch(self) -> Watch | None:
        """Another process whose work is told of, if it is not this one's."""
        return self._start.watch

    @property
    def companions(self) -> "Sequence[Companion]":
        """What is to follow the run's document."""
        return self._start.companions

    @property
    def resumes(self) -> bool:
        """Whether what an earlier attempt left in the spool is to be sent."""
        return self._start.resume

    @property
    def owner(self) -> Owner:
        """Whose spool it is."""
        return owner_of(self.stream, self._start.job)

    def beside(self, pid: int, ts: str) -> "Opening":
        """Return the opening of a stream beside this one, of a process forked from this one's."""
        start = replace(
            self._start,
            ts=ts,
            fields={"host": self.stream.host, "pid": pid, "forked_from": self.stream.name},
            resume=False,
            force=False,
            join=True,
            watch=None,
            companions=(),
        )
        # By its process id, or each of hundreds would have to try the names of all before it.
        name = f"{beside_main(start.job)}-{pid}"
        return Opening(replace(self.stream, name=name, pid=pid, clock=StoreClock()), start)

    def enter_index(self) -> None:
        """Enter a new run in the index. Raises Unavailable or Refused."""
        if self.attempt_number == 1:
            stream, start = self.stream, self._start
            # The very instant that a compactor finds in the journal, or it would enter another.
            began = StampReader()(start.ts) + self._clock_offset
            index.enter(stream.store, stream.run_id, start.job, began)

    def _look(self) -> int | None:
        """See what there is before claiming; return a segment that exists, if one is known.

        The first answer brings the store's time, which the claim writes down.
        """
        stream, start = self.stream, self._start
        answer = stream.store.get(layout.snapshot_key(stream.run_id))
        stream.clock.saw(answer.store_time)
        if start.join:
            # A document alone is no run yet: the pipeline around posts one before. Nor is a stream
            # beside main: a quick program may have opened one before its wrapper came to claim.
            if stream.name == MAIN and MAIN in log.stream_names(stream.store, stream.run_id):
                self._name_beside_main()
            return None
        if not start.resume:
            return None
        folded = read_run(stream.store, stream.run_id, everything=True).run.get(stream.name)
        if folded is None:
            return None
        finish = folded.state.finish
        if finish is not None and finish.status == "completed" and not start.force:
            raise Ended(f"run {stream.run_id} is completed; nothing is left to resume")
        # Behind a seal the cursor is at the start of a segment that may not exist yet.
        return max(0, folded.cursor.segment - (folded.cursor.bytes == 0))

    def _claimed(self) -> StreamWriter:
        while True:
            if self._claim is None:
                self._claim = Claim(self.stream, resume=False)
            try:
                return self._claim.attempt()
            except Held:
                if not self._start.join:
                    raise
                self._name_beside_main()
            except Pruned as over:
                raise Ended(str(over)) from over

    def _name_beside_main(self) -> None:
        """Take the job's name for the stream, or that with the next number behind it."""
        self._joined += 1
        if self._base == MAIN:
            self._base = name = beside_main(self._start.job)
        else:
            name = f"{self._base[:110]}-{self._joined}"
        self.stream = replace(self.stream, name=name)
        self._claim = None


def beside_main(job: str) -> str:
    """Return what a job's stream beside main is called."""
    return job[:100] if job != MAIN else "job"


def _ensure_probed(store: Store) -> None:
    """Probe a store that needs it: a directory's locks are our own."""
    if getattr(store, "identity", None) is not None:
        from journal.stores.probe import ensure_probed  # noqa: PLC0415 - not for a local root

        ensure_probed(store)
