"""CPU of a run that has nothing to say, as a share of one core.

A process of its own starts a run in S3 (the server is another process) and sleeps; what its two
threads use is the CPU time of the whole process. Pump and sender go about their rounds, the sender
compacts as usual. A heartbeat comes every minute instead of every three, so that the time measured
has one: the result is above that of default settings.
"""

import subprocess
import sys
from collections.abc import Iterator

from tools.bench.measure import Effort
from tools.bench.result import Result
from tools.bench.server import ROOT, s3_server

_SECONDS = 65.0
_BEAT_SECONDS = 60.0
_PROGRAM = """
import sys, time
import journal
root, seconds, beat = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
run = journal.start_run(root=root, job="idle", heartbeat_seconds=beat)
run.flush()
time.sleep(1)
wall, cpu = time.monotonic(), time.process_time()
time.sleep(seconds)
print((time.process_time() - cpu) / (time.monotonic() - wall))
run.finish()
"""


def run(effort: Effort) -> Iterator[Result]:
    """Let a run do nothing for a good minute."""
    seconds, beat = (3.0, 1.0) if effort.quick else (_SECONDS, _BEAT_SECONDS)
    command = [sys.executable, "-c", _PROGRAM, ROOT, str(seconds), str(beat)]
    with s3_server():
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=seconds + 60
        )
    yield Result(
        "idle",
        float(done.stdout) * 100,
        0.5,
        "%",
        f"CPU of a process with an idle run in S3 over {seconds:.0f} s, of one core; "
        f"a heartbeat every {beat:.0f} s",
    )
