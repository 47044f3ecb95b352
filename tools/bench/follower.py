"""`journal tail -f` with its requests counted: `python -m tools.bench.follower ROOT RUN SKIP FOR`.

The command as it is, in this process. After SKIP seconds, when it has begun to follow, its CPU time
and its requests are counted FOR so many seconds; then it ends with one line of JSON on stderr.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.httpsession import URLLib3Session

from journal.cli.tail import command
from tools.bench.counted import kind_of


def main() -> None:
    """Follow the run until the time is over."""
    root, run_id, skipped, lasting = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:5])
    sent: Counter[str] = Counter()
    send = URLLib3Session.send

    def counting(self: Any, request: Any) -> Any:
        answer = send(self, request)
        sent[f"{_told(request)} {answer.status_code}"] += 1
        return answer

    def measure() -> None:
        time.sleep(skipped)
        sent.clear()
        cpu, begun = time.process_time(), time.monotonic()
        time.sleep(lasting)
        cpu, wall = time.process_time() - cpu, time.monotonic() - begun
        print(json.dumps({"cpu": cpu, "seconds": wall, "sent": dict(sent)}), file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)

    threading.Thread(target=measure, daemon=True).start()
    with patch.object(URLLib3Session, "send", counting):
        command(["-f", "-n", "0", "--root", root, run_id])


def _told(request: Any) -> str:
    """Return what a request asks for: its method, or `list`, and the kind of key."""
    url = urlsplit(request.url)
    if "list-type" in parse_qs(url.query, keep_blank_values=True):
        return "list"
    return f"{request.method.lower()} {kind_of(unquote(url.path).partition('training-runs/')[2])}"


if __name__ == "__main__":
    main()
