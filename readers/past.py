"""Earlier runs of a job, replayed to learn which stall limit would have served them."""

from collections.abc import Callable
from itertools import islice

from journal import layout
from journal.errors import Corrupt, Missing
from journal.stores import ReadStore
from readers.runs import job_runs
from readers.tail import Tail
from readers.tuning import Rehearsal, Tuning


def tune(
    store: ReadStore, job: str, count: int, leave_out: Callable[[str, str, bool], None]
) -> Tuning:
    """Rehearse the newest `count` runs of a job, one after the other.

    `leave_out` is called with each run that cannot be used, why, and whether it is damaged. Raises
    Missing if the job has no run, ValueError for an ill-formed job, Unavailable, Refused.
    """
    tuning, found = Tuning(), 0
    for run_id in islice(job_runs(store, layout.check_name("job", job)), count):
        found += 1
        damages, is_damaged = list[str](), False
        rehearsal = Rehearsal(tuning.limits)
        tail = Tail(store, run_id, damages.append)
        try:
            for event in tail.everything():
                rehearsal.take(event.stream, event.record)
                if is_damaged := tail.damaged > 0:
                    break
        except Missing:
            leave_out(run_id, "there is no journal of it", False)
            continue
        except Corrupt as wrong:
            damages, is_damaged = [str(wrong)], True
        if is_damaged or tail.damaged:
            leave_out(run_id, damages[0], True)
        elif rehearsal.is_empty:
            leave_out(run_id, "its events are not there any more", False)
        else:
            store_time = store.get(layout.snapshot_key(run_id)).store_time
            tuning.add(run_id, rehearsal.end(store_time), rehearsal.places)
    if not found:
        raise Missing(
            f"no run of job {job} under this root; `journal compact --all` enters runs that the "
            "index does not know"
        )
    return tuning
