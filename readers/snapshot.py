"""How a run stands, for Python: one call, and the verdict with its reason.

found = snapshot.read("latest", "s3://bucket/training-runs")
print(found.verdict.health, found.verdict.why, found.document["progress"]["files_done"])
"""

from readers.runs import located
from readers.status import Status, status


def read(run: str, root: str | None = None) -> Status:
    """Return how a run stands: `document`, `verdict`, and what is wrong with its journal.

    `run` is what RUN is on the command line. Raises Missing, Unavailable, Refused, Corrupt,
    ValueError.
    """
    store, run_id = located(run, root)
    return status(store, run_id)
