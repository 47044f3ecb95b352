"""`start_run`: from what the job says to a run at work."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from journal import layout
from journal.clock import StoreClock, now, stamp, stamp_seconds
from journal.errors import Held
from journal.events import plain
from journal.limits import (
    FLUSH_SECONDS,
    HEARTBEAT_SECONDS,
    START_SECONDS,
)
from journal.recorder.mode import is_disabled
from journal.recorder.null import NullRun
from journal.recorder.opening import Ended, Opening, Start, Watch, beside_main
from journal.recorder.owner import has_main, run_path, spool_home, this_host
from journal.recorder.plan import SourcePlan, is_plan, parts_of, planned
from journal.recorder.promise import check_promise
from journal.recorder.run import Run
from journal.redaction import Secret, redaction_of
from journal.stores import Store, connect, endpoint_of, root_of
from journal.stream import Stream

if TYPE_CHECKING:
    from journal.companions import Companion

log: Final = logging.getLogger("journal")

_current: Run | None = None


def start_run(
    run_id: str | None = None,
    *,
    root: str | os.PathLike[str] | None = None,
    job: str | None = None,
    stream: str = layout.MAIN,
    resume: bool = False,
    force: bool = False,
    sources: int | SourcePlan | None = None,
    params: Mapping[str, Any] | None = None,
    redact: Sequence[Secret] | None = None,
    companions: str | None = None,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    flush_seconds: float = FLUSH_SECONDS,
) -> Run:
    """Start a run, or with `resume` go on with it in place of whoever holds it; use it in `with`.

    `root` is where runs lie (`s3://bucket/prefix`, `file://…`, a directory; by default
    `JOURNAL_ROOT`, else a directory under the user's data home). `run_id` is made from `job` and
    the time if not given; `job` names what is run, by default the script. `sources` says what is
    to come: a number, names, or mappings of `source`, `files`, `bytes`. `force` resumes even a
    completed run. If `JOURNAL_RUN_ID` names a run that exists, this process joins it with a
    stream of its own. `JOURNAL_MODE=disabled` returns a run that takes everything in and keeps
    nothing.

    Passwords, keys, tokens and signatures are hidden in all that is said. `redact` names more: a
    word is the name of a secret (`password` is one), a pattern or a text between slashes a regular
    expression whose every match is hidden; `JOURNAL_REDACT` holds the same with blanks between. The
    journal's own fields (`source`, `path`, `host` …) are not hidden by their names. A pattern that
    takes long holds up the whole process, since it holds the interpreter.

    `companions` asks for what may follow the run's document, by default what JOURNAL_COMPANIONS
    says: `progress` is the old monitor's `progress.json`, `copy=ROOT` a second copy of the document
    under another root; both with a blank between.

    Raises Held if the run exists and `resume` was not asked for, and ValueError for a mistake of
    the caller. A store that is down or refuses is logged, and the run goes on without it until it
    answers. Waits START_SECONDS at most for the store.
    """
    if is_disabled():
        return _begun(NullRun(run_id or os.environ.get("JOURNAL_RUN_ID") or new_run_id(job)))
    inherited = os.environ.get("JOURNAL_RUN_ID") or None
    run_id = run_id or inherited or new_run_id(job)
    joins = run_id == inherited and stream == layout.MAIN and not resume
    if joins:
        job = layout.check_name("job", job) if job is not None else _job_of_script()
        stream = stream_of_joiner(run_id, job, root)
    return begin(
        run_id,
        root=root,
        job=job,
        stream=stream,
        resume=resume,
        force=force,
        join=joins,
        sources=sources,
        params=params,
        redact=redact,
        companions=companions,
        heartbeat_seconds=heartbeat_seconds,
        flush_seconds=flush_seconds,
    )


def attach(
    *,
    stream: str | None = None,
    job: str | None = None,
    params: Mapping[str, Any] | None = None,
    redact: Sequence[Secret] | None = None,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    flush_seconds: float = FLUSH_SECONDS,
) -> Run:
    """Go along with the run that JOURNAL_RUN_ID names, in a stream of this process's own.

    For programs that a run's script, or `journal exec`, starts; its end ends this stream, not the
    run. The stream is named after `job` unless `stream` says otherwise, with a number behind it if
    the name is taken. In a process that is at work on the run already it returns that `Run`.
    Without JOURNAL_RUN_ID there is nothing to go along with: a run is returned that takes
    everything in and keeps nothing, so that the program works alone as well.

    Waits, and raises ValueError, as `start_run` does.
    """
    run_id = os.environ.get("JOURNAL_RUN_ID") or None
    if run_id is None or is_disabled():
        if run_id is None:
            log.info("JOURNAL_RUN_ID is not set: nothing is journaled")
        return _begun(NullRun(run_id or new_run_id(job)))
    if _current is not None and _current.run_id == run_id and not _current.is_over:
        return _current
    job = job or _job_of_script()
    return begin(
        run_id,
        job=job,
        stream=stream or beside_main(layout.check_name("job", job)),
        join=True,
        params=params,
        redact=redact,
        heartbeat_seconds=heartbeat_seconds,
        flush_seconds=flush_seconds,
    )


def begin(
    run_id: str,
    *,
    root: str | os.PathLike[str] | None = None,
    job: str | None = None,
    stream: str = layout.MAIN,
    resume: bool = False,
    force: bool = False,
    join: bool = False,
    watch: Watch | None = None,
    sources: int | SourcePlan | None = None,
    params: Mapping[str, Any] | None = None,
    redact: Sequence[Secret] | None = None,
    companions: str | None = None,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    flush_seconds: float = FLUSH_SECONDS,
    waits: bool = True,
) -> Run:
    """Start, resume or, with `join`, go along with a run, whatever the environment says.

    Of `start_run`; `watch` is the process whose work is told of, if it is not this one.
    Without `waits` nothing of the store's is waited for, and what becomes of it is logged.
    """
    job = layout.check_name("job", job) if job is not None else _job_of_script()
    began = now()
    layout.check_name("run id", run_id)
    layout.check_name("stream", stream)
    check_promise(heartbeat_seconds, flush_seconds)
    if params is not None and not isinstance(params, Mapping):
        raise ValueError("params must be a mapping")
    redaction = redaction_of(redact, os.environ)
    store = connect(None if root is None else os.fspath(root))
    beside = _companions(companions, store, run_id)
    plan, later_parts = _plan_of(sources)
    host = this_host()
    pid = watch.pid if watch else os.getpid()
    fields = {**plan, "host": host, "pid": pid, "params": _copied(params)}
    opening = Opening(
        Stream(
            store=store,
            run_id=run_id,
            name=stream,
            host=host,
            pid=os.getpid(),
            flush_seconds=flush_seconds,
            heartbeat_seconds=heartbeat_seconds,
            clock=StoreClock(),
        ),
        Start(
            ts=stamp(began),
            job=job,
            fields=fields,
            resume=resume,
            force=force,
            join=join,
            redaction=redaction,
            watch=watch,
            companions=beside,
        ),
    )
    run = Run(opening)
    opened = run.opened.wait(START_SECONDS if waits else 0.0)
    run.detach()
    if not opened and isinstance(run.trouble, Held | Ended):
        run.abandon()
        raise run.trouble.with_traceback(None)  # the sender's, which explains nothing here
    if not opened and run.trouble is None and waits:
        run.warn_slow()
    run.say_planned(later_parts)
    return _begun(run)


def stream_of_joiner(run_id: str, job: str, root: str | os.PathLike[str] | None) -> str:
    """Return the stream of a process that goes along with a run if there is one: main if not.

    Whether there is one the store will tell; as long as it does not answer, what is known on this
    host has to do, or several processes would take themselves for the first. Raises ValueError.
    """
    is_known = bool(os.environ.get("JOURNAL_JOIN"))  # who wraps this program is just claiming main
    with suppress(OSError):
        place = root_of(None if root is None else os.fspath(root))
        home = spool_home()
        if home is not None and not is_known:
            run = home / run_path(this_host(), place, endpoint_of(place), run_id)
            is_known = has_main(run)
    return beside_main(job) if is_known else layout.MAIN


def new_run_id(job: str | None = None) -> str:
    """Return an id for a run that begins now: `<job>-YYYYMMDD-HHMMSS`. Raises ValueError."""
    name = layout.check_name("job", job) if job is not None else _job_of_script()
    return f"{name[:100]}-{_compact_stamp(now())}"


def _begun(run: Run) -> Run:
    global _current  # noqa: PLW0603 - `current_run` is one per process by definition
    _current = run
    return run


def current_run() -> Run | None:
    """Return the run that this process started last, None if there is none."""
    return _current


def _companions(text: str | None, store: Store, run_id: str) -> "Sequence[Companion]":
    if text is None and not os.environ.get("JOURNAL_COMPANIONS"):
        return ()
    # Here and not above: a short run need not pay for what it does not want.
    from journal.companions import companions_of  # noqa: PLC0415

    return tuple(companions_of(text, os.environ).beside(store, run_id))


def _job_of_script() -> str:
    script = sys.argv[0] if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    return layout.as_name(Path(script).stem, "run")


def _compact_stamp(at_time: float) -> str:
    return stamp_seconds(at_time).replace("-", "").replace(":", "").replace("T", "-").rstrip("Z")


def _copied(params: Mapping[str, Any] | None) -> Any:
    """Copy what the job may change; what runs code of its own and fails is named, not raised."""
    try:
        return {} if params is None else dict(params)
    except Exception:  # noqa: BLE001 - a foreign mapping may raise anything
        return plain(params)


def _plan_of(
    sources: int | SourcePlan | None,
) -> tuple[dict[str, Any], list[list[dict[str, Any]]]]:
    """Return what `started` says of the sources to come, and the parts that it has no room for."""
    if sources is None:
        return {}, []
    if isinstance(sources, int) and not isinstance(sources, bool) and sources >= 0:
        return {"sources_total": sources}, []
    if isinstance(sources, int) or not is_plan(sources):
        raise ValueError("sources must be a number, a list of names, or a list of mappings")
    plan = planned(sources)
    first, *later = list(parts_of(plan)) or [[]]
    return {"sources_total": len(plan), "sources": first}, later
