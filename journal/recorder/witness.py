"""Tells the journal of a program, from beside it: that it works, that it stalls, how it ends.

Whatever hinders the journal, the program never hears of it: one line says so, and that is all.
"""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal, NamedTuple

from journal import events
from journal.limits import (
    ECHO_TAIL_BYTES,
    FLUSH_SECONDS,
    GROWTH_SECONDS,
    HEARTBEAT_SECONDS,
    MAIL_SECONDS,
    UNWATCHED_SECONDS,
)
from journal.recorder.child import Child
from journal.recorder.opening import Watch
from journal.recorder.outcome import last_words, outcome_of
from journal.recorder.owner import at_work, run_path, spool_home, this_host
from journal.recorder.run import Run
from journal.recorder.stall import Stall
from journal.recorder.start import begin, stream_of_joiner
from journal.redaction import redaction_of
from journal.stores import connect, endpoint_of, root_of

if TYPE_CHECKING:
    from journal.recorder.growth import Growth
    from journal.recorder.reaction import Reaction


class Wanted(NamedTuple):
    """What is told of a program, and how."""

    run_id: str
    job: str
    root: str | None = None
    phase: tuple[str, str | None] | None = None
    stall_seconds: float | None = None
    on_stall: Literal["warn", "dump", "term"] = "warn"
    progress_from: str | None = None
    source: str | None = None
    files: int | None = None
    bytes: int | None = None
    heartbeat_seconds: float = HEARTBEAT_SECONDS
    flush_seconds: float = FLUSH_SECONDS


class Witness:
    """Tells of one program, from its begin to its end."""

    def __init__(
        self, child: Child, wanted: Wanted, ended: Event, complain: Callable[[str], None]
    ) -> None:
        """Begin to tell of it, and wait for nothing.

        `ended` is set when it has ended; `complain` prints a line for people. Raises ValueError.
        """
        self._child = child
        self._wanted = wanted
        self._ended = ended
        self._complain = complain
        self._redaction = redaction_of(None, os.environ)
        self._reaction: Reaction | None = None
        self._run = self._begin()

    def attend(self) -> None:
        """Follow what grows, and take mail in, until the program has ended."""
        growth = self._growth()
        # A short program leaves no mail; what would come for it has to be imported.
        keeping = None
        if not self._ended.wait(UNWATCHED_SECONDS):
            keeping = Thread(target=self._keep_mail, name="journal-mail", daemon=True)
            keeping.start()
        pause = min(GROWTH_SECONDS, self._wanted.heartbeat_seconds / 4)
        while growth is not None and not self._ended.is_set():
            growth.look(self._ended.wait)
            self._ended.wait(pause)
        self._ended.wait()
        if growth is not None:
            growth.end(ok=self._child.code == 0)
        if keeping is not None:
            keeping.join()

    def end(self, tail: bytes) -> None:
        """Say how it ended, with the last that it wrote to stderr; waits as `Run.finish` does."""
        words = last_words(tail, len(tail) < ECHO_TAIL_BYTES, self._redaction)
        why = self._reaction.why if self._reaction is not None else None
        outcome = outcome_of(self._child.code or 0, self._child.asked, why, words)
        if outcome.error is not None:
            self._run.emit(events.ERROR, **outcome.error)
        self._run.finish(outcome.status, outcome.message)

    def _begin(self) -> Run:
        wanted = self._wanted
        run = begin(
            wanted.run_id,
            root=wanted.root,
            job=wanted.job,
            stream=stream_of_joiner(wanted.run_id, wanted.job, wanted.root),
            join=True,
            watch=Watch(self._child.pid, self._heed_stall),
            heartbeat_seconds=wanted.heartbeat_seconds,
            flush_seconds=wanted.flush_seconds,
            waits=False,
        )
        if wanted.phase is not None or wanted.stall_seconds is not None:
            # A limit is of a phase: what is run is one by itself.
            phase, sub_phase = wanted.phase or (wanted.job, None)
            run.phase(phase, sub_phase, stall_after=wanted.stall_seconds)
        return run

    def _growth(self) -> "Growth | None":
        wanted, child = self._wanted, self._child
        if wanted.progress_from is None:
            return None
        from journal.recorder.growth import Growth  # noqa: PLC0415 - most have none
        from journal.recorder.processes import tree, written_files  # noqa: PLC0415

        path = os.path.abspath(wanted.progress_from)  # noqa: PTH100
        return Growth(
            self._run,
            path,
            wanted.source or os.path.basename(path) or path,  # noqa: PTH119
            begun_ns=child.begun_ns,
            files=wanted.files,
            bytes=wanted.bytes,
            written=lambda: written_files(tree(child.pid)),
        )

    @property
    def _spools(self) -> Path | None:
        """Where this host's processes at work on the run have their spools, if anywhere."""
        home, root = spool_home(), root_of(self._wanted.root)
        path = run_path(this_host(), root, endpoint_of(root), self._run.run_id)
        return None if home is None else home / path

    def _keep_mail(self) -> None:
        """Say what shell commands leave for the run, if nobody else is there who does."""
        from journal.recorder.keeper import obey  # noqa: PLC0415
        from journal.recorder.mailbox import Keeper, Mailbox  # noqa: PLC0415
        from journal.recorder.postman import Postman  # noqa: PLC0415

        home, root, run_id = spool_home(), root_of(self._wanted.root), self._run.run_id
        if home is None:
            return
        mailbox = Mailbox(
            home, host=this_host(), root=root, endpoint=endpoint_of(root), run_id=run_id
        )
        try:
            if not mailbox.keep(Keeper(os.getpid(), self._run.stream, root, self._wanted.job)):
                return
            postman = Postman(self._run, mailbox)
            is_over = False
            while not is_over and not self._run.is_over:
                is_over = self._ended.wait(MAIL_SECONDS)
                act = postman.step()
                if act is not None:
                    obey(self._run, act)
            mailbox.release()
        except OSError as failed:
            self._complain(f"what is said to run {run_id} by other commands stays there: {failed}")

    def _heed_stall(self, stall: Stall) -> str:
        if self._reaction is None:
            from journal.recorder.reaction import Reaction, run_is_stalled  # noqa: PLC0415

            wanted = self._wanted
            self._reaction = Reaction(
                self._child,
                wanted.on_stall,
                ended=self._ended,
                job=wanted.job,
                redaction=self._redaction,
                complain=self._complain,
                others=self._others,
                is_stalled=lambda: run_is_stalled(connect(wanted.root), wanted.run_id),
                tell=self._run.intake.say,
                seconds=wanted.heartbeat_seconds,
            )
        return self._reaction.heed(stall)

    def _others(self) -> set[int]:
        spools = self._spools
        return set() if spools is None else {one.pid for one in at_work(spools)}
