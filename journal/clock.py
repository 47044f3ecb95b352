"""The only place that reads time or sleeps; everything else is handed a clock or a number.

Instants are integers of nanoseconds since the Unix epoch on the host's clock (`*_ns`) or floats of
seconds since the Unix epoch (`*_time`); durations are seconds.
"""

import time
from datetime import UTC, datetime
from typing import Final

NS: Final = 1_000_000_000

# Bound once: the job's hot path calls it for every record.
now_ns = time.time_ns
monotonic = time.monotonic
sleep = time.sleep
thread_cpu_seconds = time.thread_time


def now() -> float:
    """Return the host's time in seconds since the epoch."""
    return time.time()


class Stamp:
    """Formats nanoseconds since the epoch as `YYYY-MM-DDTHH:MM:SS.ffffffZ`.

    The text of a second is kept, since neighbouring records share it.
    """

    __slots__ = ("_prefix", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._prefix = ""

    def __call__(self, at_ns: int) -> str:
        """Return the stamp of an instant, cut to microseconds."""
        second = at_ns // NS
        if second != self._second:
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._second = second
        return f"{self._prefix}{at_ns % NS // 1000:06d}Z"


def stamp(at_time: float) -> str:
    """Format seconds since the epoch as `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""
    return Stamp()(round(at_time * 1e6) * 1000)


def stamp_seconds(at_time: float) -> str:
    """Format seconds since the epoch as `YYYY-MM-DDTHH:MM:SSZ`, cut to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(at_time // 1)))


def parse_stamp(text: str) -> float:
    """Parse an ISO 8601 time into seconds since the epoch; a naive one counts as UTC.

    Raises ValueError for anything else.
    """
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


class StampReader:
    """Parses records' `ts` into seconds since the epoch; keeps the second last read.

    Neighbouring records share it, and parsing a date costs more than the rest of a fold.
    """

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._text = ""
        self._second = 0.0

    def __call__(self, text: str) -> float:
        """Return the instant; raises ValueError if the text is no time."""
        head, tail = text[:19], text[19:]
        if len(tail) == 8 and tail[0] == "." and tail[7] == "Z" and tail[1:7].isdecimal():
            if head != self._text:
                self._second = parse_stamp(head)
                self._text = head
            return self._second + int(tail[1:7]) / 1e6
        return parse_stamp(text)


def parse_http_date(text: str) -> float:
    """Parse the `Date` header of an HTTP reply (whole seconds) into seconds since the epoch.

    Raises ValueError if it is none.
    """
    # Here and not above: it brings half of the standard library's mail along.
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    return parsedate_to_datetime(text).timestamp()


def local(at_time: float) -> datetime:
    """Return an instant as an aware datetime in the host's time zone, for showing to people."""
    return datetime.fromtimestamp(at_time, UTC).astimezone()


def _since_boot() -> float:
    """Return seconds that go on while the machine sleeps, which Linux's monotonic ones do not."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class StoreClock:
    """The host's clock beside the store's: the last reply's time plus what passed since.

    Before the first reply it is the host's. S3's `Date` has whole seconds, so it is exact to ± 1 s.
    """

    __slots__ = ("_seen_at", "_store_time")

    def __init__(self) -> None:
        self._store_time: float | None = None
        self._seen_at = 0.0

    def saw(self, store_time: float) -> None:
        """Take in the store's time of a reply that just arrived."""
        self._store_time = store_time
        self._seen_at = _since_boot()

    @property
    def offset(self) -> float:
        """Store minus host in seconds, as of now: the host's clock may have been set since."""
        return round(self.now() - time.time(), 3) + 0.0  # never -0.0

    def stamp(self) -> str:
        """Return the host's time as a record's `ts`."""
        return stamp(time.time())

    def now(self) -> float:
        """Return the store's present time in seconds since the epoch."""
        if self._store_time is None:
            return time.time()
        return self._store_time + (_since_boot() - self._seen_at)
