"""The one factor by which these tests are faster than life; every other time follows from it."""

import os

MINUTE = float(os.environ.get("STORY_MINUTE", "1.2"))  # seconds
SCALED = "JOURNAL_TESTS_SCALE"  # tells programs the factor; `scaled/sitecustomize.py` heeds it

HEARTBEAT = 3 * MINUTE  # the default of 180 s
STALE = 10 * MINUTE  # what the old monitor takes for the end
SETUP = 1 * MINUTE
DOWNLOAD = 12 * MINUTE  # of one big file, beside which nothing more is to be had
WARMUP = 11 * MINUTE  # from the end of data prep until training is there, longer than STALE
TRAINING = 3 * MINUTE
APART = 3 * MINUTE  # the pipelines begin one after the other: starting takes all processors
LOOKS = 4  # a minute; the monitor itself looks once
