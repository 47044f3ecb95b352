"""What stands between a journal and this place: one finding for each thing, with its remedy.

A finding is `ok`, a `note`, a `warn`ing, `bad`, or `unknown` where nobody may look. What the doctor
puts lies under `{root}/_probe/` and is deleted again; what it may not delete it names.
"""

from journal.doctor.directory import spool
from journal.doctor.examination import examine
from journal.doctor.finding import Finding, Level, of_error, worst

__all__ = ["Finding", "Level", "examine", "of_error", "spool", "worst"]
