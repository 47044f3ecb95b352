"""Makes the journal's own waits as short as the minutes of these tests.

Python imports it in every program that has this folder on its PYTHONPATH, so a pipeline of shell
scripts and of programs that know nothing of it keeps time all through. How long anyone waits for
the real machine has a factor of its own, for tests in which the machine does not answer at all.
"""

import os

from journal import limits

_WAITS = {"CONNECT_SECONDS", "EXIT_SECONDS", "READ_SECONDS", "START_SECONDS"}
_KEPT = {
    "CLOCK_SLACK_SECONDS",  # S3 tells whole seconds, however short a minute is
    "PUMP_SECONDS",
    "REDACT_SECONDS",
}

_minutes = float(os.environ.get("JOURNAL_TESTS_SCALE", "1"))
_waits = float(os.environ.get("JOURNAL_TESTS_WAITS", "1"))
for _name, _value in vars(limits).copy().items():
    if _name.endswith("_SECONDS") and _name not in _KEPT:
        setattr(limits, _name, _value * (_waits if _name in _WAITS else _minutes))
