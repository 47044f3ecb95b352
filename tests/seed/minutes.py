"""The one factor by which these tests are faster than life; every other time follows from it."""

MINUTE = 1.0  # seconds

HEARTBEAT = 3 * MINUTE  # the default of 180 s
FLUSH = MINUTE / 12  # that of 5 s
STALL_AFTER = 20 * MINUTE  # as declared: less than the 15 min of the default is not to be had
STALE = 10 * MINUTE  # what the old monitor takes for the end
LONG_FILE = 40 * MINUTE
BLACK_HOLE = 6 * MINUTE  # into that file, nothing comes any more
LATE = 6 * MINUTE  # one file comes so late, and then somebody
HELD = 7 * MINUTE  # holds the interpreter for more than two beats
