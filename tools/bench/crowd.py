"""Many streams of one run, some of which write: `python -m tools.bench.crowd ROOT RUN ALL WRITING`.

Those that write flush every FLUSH_SECONDS, spread over that time, and one thread compacts the run
as often as a run does itself. It says `ready` when all streams are there and the run is compacted,
and goes on until it is killed.
"""

import sys
import threading
import time
from itertools import count

from journal.compactor import Compactor
from journal.limits import COMPACT_SECONDS, FLUSH_SECONDS
from journal.stores import connect
from tools.bench.chain import Chain
from tools.bench.workload import files

_FILES = 10  # of a stream in one flush


def main() -> None:
    """Open all streams, then write and compact."""
    root, run_id, streams, writing = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    store = connect(root)
    names = ["main", *(f"worker-{number:04d}" for number in range(1, streams))]
    chains = [Chain(store, run_id, name=name) for name in names]
    Compactor(store, run_id).compact()
    print("ready", flush=True)
    threading.Thread(target=_compact, args=(root, run_id), daemon=True).start()
    _write(chains[-writing:])


def _write(chains: list[Chain]) -> None:
    sources = [chain.source(f"source-{number}") for number, chain in enumerate(chains)]
    pause = FLUSH_SECONDS / len(chains)
    due = time.monotonic()
    for turn in count():
        for chain, source in zip(chains, sources, strict=True):
            for path, size, took in files(source.name, _FILES, turn):
                source.file_done(path, bytes=size, seconds=took)
            chain.flush()
            due += pause
            time.sleep(max(due - time.monotonic(), 0.0))


def _compact(root: str, run_id: str) -> None:
    compactor = Compactor(connect(root), run_id)
    while True:
        time.sleep(COMPACT_SECONDS)
        compactor.compact()


if __name__ == "__main__":
    main()
