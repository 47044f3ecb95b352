"""Every number that bounds something, with its unit last in the name and its reason beside it."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * 1024

# Lines and names.
LINE_BYTES: Final = 64 * KIB  # a longer line is cut field by field and marked `truncated`
NAME_CHARS: Final = 128  # run ids, stream names, job names
FORMAT_VERSION: Final = 1  # `v` of segment_opened and of the snapshot's journal part
FOLD_VERSION: Final = 2  # what was folded by another rule is folded again, if it is still there

# Segments and flushes.
SEGMENT_ROLL_BYTES: Final = 128 * KIB  # roll from here on, once it was flushed often enough
SEGMENT_ROLL_FLUSHES: Final = 4  # fewer than this and rolling would only make many objects
SEGMENT_MAX_BYTES: Final = 8 * MIB  # one PUT, one GET, one hash: all well under a second
FLUSH_SECONDS: Final = 5.0  # how long an ordinary record may wait
FLUSH_BYTES: Final = 64 * KIB  # how much may wait before it is sent early
FLUSH_PAUSE_SECONDS: Final = 1.0  # the least time between two flushes
UNMOVED_CONFLICTS: Final = 3  # a 412 over the very version expected, so often: compare is broken

# The job's side.
QUEUE_RECORDS: Final = 200_000  # said and not yet pumped
PLAN_SOURCES: Final = 200  # of a plan in one record: with usual names a quarter of a line
PLAN_BYTES: Final = 32 * KIB  # … with long ones; the other half is for params, and for redaction
HISTORY_RUNS: Final = 5  # earlier runs of a job looked at for one that was completed
SAMPLE_FILES: Final = 12  # of each source, before the rest: enough for its cost per byte and file
OUTBOX_BYTES: Final = 64 * MIB  # pumped and not yet durable, while the store is down
OUTBOX_SOFT_BYTES: Final = 16 * MIB  # from here on heartbeats and progress are given up first
SPOOL_BYTES: Final = 1024 * MIB  # on disk: six million files, hours of an outage
SPOOL_CUT_BYTES: Final = MIB  # less that the store has is not worth a new file
SPOOL_MARK_BYTES: Final = 64 * KIB  # the places remembered in a spool lie so far apart
SPOOL_READ_BYTES: Final = 8 * MIB  # of a spool at once; never less than a line
SPOOL_SLOTS: Final = 64  # spools of one stream on one host
PUMP_RECORDS: Final = 20_000  # of one step, or a killed process would lose more than that moment
REDACT_SECONDS: Final = 0.5  # CPU that one of the job's patterns may take for one text
PUMP_SECONDS: Final = 0.05  # a killed process loses at most what was said since the last step
HEARTBEAT_SECONDS: Final = 180.0
STARVED_MIN_SECONDS: Final = 2.0  # the dead-man timer runs for a heartbeat, but never for less
PROGRESS_SECONDS: Final = 15.0  # the least time between two progress records of one source
IN_FLIGHT_FILES: Final = 8  # oldest files named in a heartbeat
START_SECONDS: Final = 10.0  # how long start_run waits for the store before it goes on without
EXIT_SECONDS: Final = 10.0  # how long the end of a run waits for the store
UNWATCHED_SECONDS: Final = 0.1  # that a program lives before anybody looks for mail to its run
ECHO_BYTES: Final = 64 * KIB  # of a program's stderr at once: what a pipe holds
ECHO_TAIL_BYTES: Final = 16 * KIB  # its last words; less than a pipe holds, so no write blocks
ECHO_DRAIN_BYTES: Final = MIB  # passed on after its end: the most that a pipe can be made to hold
LAST_LINES: Final = 20  # of a program's stderr in its error …
LAST_WORDS_CHARS: Final = 4_000  # … and characters
REASON_CHARS: Final = 200  # of the last of these lines, behind the exit code
TREE_PROCESSES: Final = 64  # of a tree, and threads of a process; what is more is not looked at
TREE_FILES: Final = 4096  # open files of a tree, for who still writes
DUMP_CHARS: Final = 16_000  # what a tree is doing, in a record: a quarter of a line
DUMP_COMMAND_CHARS: Final = 400  # of it a process's command
DUMP_FILES: Final = 12  # open files of a process, and places where its threads stand
GROWTH_SECONDS: Final = 5.0  # from one look at what grows to the next, at least
GROWTH_FILES: Final = 1_000_000  # known one by one, in 64 MiB; of more only the bytes are told of
GROWTH_MOVING: Final = 10_000  # of them at once in flight; further ones wait for a later look …
GROWTH_SETTLED_SECONDS: Final = 60.0  # … or are complete if they rest for so long
GROWTH_END_SECONDS: Final = 5.0  # CPU of the last look, for which the program's end waits
LOOK_SHARE: Final = 0.02  # of a core, for looking at what grows
LOOK_SLICE_SECONDS: Final = 0.005  # CPU of a look before it rests
LOOK_DEPTH: Final = 64  # folders in folders; each takes an open file
TERM_SECONDS: Final = 30.0  # from SIGTERM to SIGKILL, for a program that stalls
RETRY_FIRST_SECONDS: Final = 1.0
RETRY_MAX_SECONDS: Final = 30.0

# A run that a shell's commands speak for.
MAIL_SECONDS: Final = 0.25  # between two looks for what they left
LINGER_SECONDS: Final = 5.0  # for more of it, where nobody keeps the run
ENDED_SECONDS: Final = 5.0  # beyond EXIT_SECONDS, for a keeper to be seen gone

# Snapshot and compaction.
COMPACT_SECONDS: Final = 15.0  # the least time between two ordinary compactions
COMPACT_STALE_SECONDS: Final = 60.0  # another stream does the whole work from this age on
COMPACT_ATTEMPTS: Final = 8  # lost races before a compaction gives up until the next
CARRIED_BYTES: Final = 64 * KIB  # of others' fields that their newest document has no more
LATEST_LOG_LINES: Final = 50  # of the log that the old monitor's alerts quote
LATEST_LOG_BYTES: Final = 64 * KIB
LATEST_LOG_LINE_CHARS: Final = 1000  # an alert quotes the last line whole
COMPANION_SECONDS: Final = 2.0  # how long the end of a run waits for its companions
PROMISE_SLACK_SECONDS: Final = 15.0  # heartbeat + flush + this = the longest silence promised
PROMISE_MAX_SECONDS: Final = 300.0  # the old monitor's documents allow no more
SOURCES_KEPT: Final = 256  # sources a stream's state names; older finished ones are summed up
ERROR_CLASSES_KEPT: Final = 32
PHASES_KEPT: Final = 32
FIELDS_KEPT: Final = 32  # of a heartbeat, and of a file in flight
STATE_TEXT_CHARS: Final = 500  # of any text in a state: a name, a reason, an error's message
COUNT_MAX: Final = 2**53 - 1  # what every JSON reader holds exactly; more than this is no size
TIME_MAX: Final = 200_000_000_000.0  # seconds since the epoch, far beyond any clock's
CLOCK_OFFSET_MAX: Final = 100 * 366 * 86400.0  # a host without a battery may believe in 1970

# Liveness and progress.
CLOCK_SLACK_SECONDS: Final = 2.0  # two streams' times may differ so much: S3 tells whole seconds
LATE_PROMISES: Final = 2  # silences promised and passed: late
LOST_PROMISES: Final = 3  # … lost
STALL_MIN_SECONDS: Final = 15 * 60.0  # without a declared limit a stall is never called earlier
STALL_MAX_SECONDS: Final = 60 * 60.0  # and CPU alone holds it off no longer
STALL_GAPS: Final = 3.0  # times the longest gap between evidence of work seen so far
WAIT_MAX_SECONDS: Final = 60 * 60.0  # a declared wait without `until`
EVIDENCE_IO_BYTES: Final = 64 * KIB  # less I/O than this in HEARTBEAT_SECONDS proves no work
EVIDENCE_CPU_SECONDS: Final = 1.0  # nor does less CPU
EVIDENCE_MIN_SECONDS: Final = 30.0  # in which somebody who beats more often has to show as much
SLOW_SECONDS: Final = 5 * 60.0  # with CPU or errors alone, and it is called slow
RECENT_SECONDS: Final = 5 * 60.0  # what moved lately is told of so long, at least
MARK_SECONDS: Final = 30.0  # the least time between two marks of what was done
MARKS_KEPT: Final = 12  # of them, to see RECENT_SECONDS and a little more
QUIET_STREAMS_KEPT: Final = 8  # streams beside the lead that were silent for the longest time
STACKS_TOLD: Final = 3  # of one stall: its begin, and twice again while it lasts

# Pruning. Both ages are judged by the store's clock, and the first is by far the greater: what a
# prune has removed can be missed only by somebody who has slept for longer than the second.
PRUNE_MIN_SECONDS: Final = 7 * 86400.0  # after the last write, at the earliest
SLEPT_SECONDS: Final = 86400.0  # since a writer was last answered, and it looks for a tombstone

# Stores.
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
PROBE_RACERS: Final = 4
PROBE_DAYS: Final = 30  # how long a passed probe is remembered

ETA_TIME_MAX: Final = 253_402_300_799.0  # the last second of the year 9999
# Predictions kept for the ETA's score: one at each twelfth more of age, over eleven twelfths of it.
PREDICTIONS_KEPT: Final = 40
