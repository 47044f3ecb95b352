"""`start_run`: from what the job says to a run at work."""

import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from journal import layout
from journal.clock import StoreClock, now, stamp, stamp_seconds
from journal.errors import Held
from journal.events import plain
from journal.limits import (
    FLUSH_SECONDS,
    HEARTBEAT_SECONDS,
    PROMISE_MAX_SECONDS,
    PROMISE_SLACK_SECONDS,
    START_SECONDS,
)
from journal.recorder.opening import Ended, Opening, Start
from journal.recorder.plan import SourcePlan, is_plan, parts_of, planned
from journal.recorder.run import Run
from journal.redaction import Secret, redaction_of
from journal.stores import connect
from journal.stream import Stream

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
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    flush_seconds: float = FLUSH_SECONDS,
) -> Run:
    """Start a run, or with `resume` go on with it in place of whoever holds it; use it in `with`.

    `root` is where runs lie (`s3://bucket/prefix`, `file://…`, a directory; by default
    `JOURNAL_ROOT`, else a directory under the user's data home). `run_id` is made from `job` and
    the time if not given; `job` names what is run, by default the script. `sources` says what is
    to come: a number, names, or mappings of `source`, `files`, `bytes`. `force` resumes even a
    completed run. If `JOURNAL_RUN_ID` names a run that exists, this process joins it with a
    stream of its own.

    Passwords, keys, tokens and signatures are hidden in all that is said. `redact` names more: a
    word is the name of a secret (`password` is one), a pattern or a text between slashes a regular
    expression whose every match is hidden; `JOURNAL_REDACT` holds the same with blanks between. The
    journal's own fields (`source`, `path`, `host` …) are not hidden by their names. A pattern that
    takes long holds up the whole process, since it holds the interpreter.

    Raises Held if the run exists and `resume` was not asked for, and ValueError for a mistake of
    the caller. A store that is down or refuses is logged, and the run goes on without it until it
    answers. Waits START_SECONDS at most for the store.
    """
    global _current  # noqa: PLW0603 - `current_run` is one per process by definition
    job = layout.check_name("job", job) if job is not None else _job_of_script()
    inherited = os.environ.get("JOURNAL_RUN_ID") or None
    began = now()
    run_id = run_id or inherited or f"{job[:100]}-{_compact_stamp(began)}"
    layout.check_name("run id", run_id)
    layout.check_name("stream", stream)
    _check_promises(heartbeat_seconds, flush_seconds)
    if params is not None and not isinstance(params, Mapping):
        raise ValueError("params must be a mapping")
    redaction = redaction_of(redact, os.environ)
    plan, later_parts = _plan_of(sources)
    host = socket.gethostname()
    fields = {**plan, "host": host, "pid": os.getpid(), "params": _copied(params)}
    opening = Opening(
        Stream(
            store=connect(None if root is None else os.fspath(root)),
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
            join=run_id == inherited and stream == layout.MAIN and not resume,
            redaction=redaction,
        ),
    )
    run = Run(opening)
    opened = run.opened.wait(START_SECONDS)
    run.detach()
    if not opened and isinstance(run.trouble, Held | Ended):
        run.abandon()
        raise run.trouble.with_traceback(None)  # the sender's, which explains nothing here
    if not opened and run.trouble is None:
        log.warning("journal of run %s: the store is slow to answer; the job goes on", run_id)
    _current = run
    run.say_planned(later_parts)
    return run


def current_run() -> Run | None:
    """Return the run that this process started last, None if there is none."""
    return _current


def _job_of_script() -> str:
    script = sys.argv[0] if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    return layout.as_name(Path(script).stem, "run")


def _compact_stamp(at_time: float) -> str:
    return stamp_seconds(at_time).replace("-", "").replace(":", "").replace("T", "-").rstrip("Z")


def _check_promises(heartbeat_seconds: float, flush_seconds: float) -> None:
    for name, value in (("heartbeat_seconds", heartbeat_seconds), ("flush_seconds", flush_seconds)):
        if not isinstance(value, int | float) or not 0 < value < PROMISE_MAX_SECONDS:
            raise ValueError(f"{name} must be a number above 0, not {value!r}")
    promised = heartbeat_seconds + flush_seconds + PROMISE_SLACK_SECONDS
    if promised > PROMISE_MAX_SECONDS:
        raise ValueError(
            f"heartbeat_seconds + flush_seconds + {PROMISE_SLACK_SECONDS:.0f} is {promised:g}; the "
            f"old monitor allows no silence longer than {PROMISE_MAX_SECONDS:.0f} s"
        )


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
