"""How a stream is started: look, claim, and say `started` with the attempt found out."""

from dataclasses import dataclass, replace
from typing import Any

from journal import events, index, layout, log
from journal.claim import Claim
from journal.clock import parse_stamp
from journal.compactor import read_run
from journal.errors import Held
from journal.layout import MAIN
from journal.stores.probe import ensure_probed
from journal.stream import Stream, StreamWriter


@dataclass(frozen=True, slots=True)
class Start:
    """What is wanted: `started`'s own fields and time, and what may be taken over."""

    ts: str
    job: str
    fields: dict[str, Any]
    resume: bool
    force: bool  # resume even a completed run
    join: bool  # if the run exists, write a stream beside its main


class Ended(ValueError):
    """The run that is to be resumed is completed."""


class Opening:
    """Opens a stream; attempted until the store has answered."""

    def __init__(self, stream: Stream, start: Start) -> None:
        self.stream = stream
        self.attempt_number = 1
        self._start = start
        self._claim: Claim | None = None
        self._joined = 0  # names tried beside main

    def attempt(self) -> tuple[StreamWriter, bytes]:
        """Return the writer and the line of `started`, its first record.

        Raises Unavailable or Refused (attempt it again), Held, Ended, Corrupt.
        """
        if self._claim is None:
            ensure_probed(self.stream.store)
            hint = self._look()  # it may settle another name for the stream
            self._claim = Claim(self.stream, resume=self._start.resume, hint=hint)
        writer = self._claimed()
        if self._start.resume:
            run = read_run(self.stream.store, self.stream.run_id).run
            known = run.get(self.stream.name)
            self.attempt_number = (known.state.attempt if known else 0) + 1
        started = {
            "seq": writer.next_seq,
            "ts": self._start.ts,
            "type": events.STARTED,
            "job": self._start.job,
            "attempt": self.attempt_number,
            **self._start.fields,
        }
        return writer, events.encode(started)

    def enter_index(self) -> None:
        """Enter a new run in the index. Raises Unavailable or Refused."""
        if self.attempt_number == 1:
            stream, start = self.stream, self._start
            index.enter(stream.store, stream.run_id, start.job, parse_stamp(start.ts))

    def _look(self) -> int | None:
        """See what there is before claiming; return a segment that exists, if one is known.

        The first answer brings the store's time, which the claim writes down.
        """
        stream, start = self.stream, self._start
        answer = stream.store.get(layout.snapshot_key(stream.run_id))
        stream.clock.saw(answer.store_time)
        if start.join:
            # A document alone is no run yet: the pipeline around posts one before.
            if log.stream_names(stream.store, stream.run_id):
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
                if not self._joined:
                    raise
                self._name_beside_main()

    def _name_beside_main(self) -> None:
        """Take the job's name for the stream, or that with the next number behind it."""
        self._joined += 1
        job = self._start.job if self._start.job != MAIN else "job"
        name = job if self._joined == 1 else f"{job[:100]}-{self._joined}"
        self.stream = replace(self.stream, name=name)
        self._claim = None
