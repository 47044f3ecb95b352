"""Names and keys. Every key of the store is built here and nowhere else.

    {run_id}/metadata.json                                 the snapshot
    {run_id}/_error, _complete                             end markers of the old monitor
    {run_id}/progress.json                                 its second heartbeat, a companion
    {run_id}/logs/training_log_latest.txt                  what its alerts quote
    {run_id}/journal/stream={stream}/{segment:010d}.jsonl  the log
    _index/runs/{9999999999999 - start_ms:013d}.{run_id}   newest run first
    _index/jobs/{job}/{the same}                           newest run of a job first

Keys are relative to the root that the store was connected with.
"""

import re
from typing import Final

from journal.limits import NAME_CHARS

MAIN: Final = "main"
SNAPSHOT: Final = "metadata.json"
ERROR_MARKER: Final = "_error"
COMPLETE_MARKER: Final = "_complete"
PROGRESS: Final = "progress.json"
LATEST_LOG: Final = "logs/training_log_latest.txt"
RUN_INDEX: Final = "_index/runs/"
PROBE: Final = "_probe/"

_NAME: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{NAME_CHARS - 1}}}", re.ASCII)
_SEGMENT_KEY: Final = re.compile(
    r"(?P<run_id>[^/]+)/journal/stream=(?P<stream>[^/]+)/(?P<segment>[0-9]{10})\.jsonl", re.ASCII
)
_LAST_MS: Final = 9_999_999_999_999


def check_name(kind: str, name: object) -> str:
    """Return `name` if it is a well-formed run id, stream or job name; `kind` says which it is.

    Raises ValueError otherwise.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    shown = ascii(name if not isinstance(name, str) else name[: NAME_CHARS + 2])
    raise ValueError(
        f"{kind} {shown} is not allowed: 1 to {NAME_CHARS} of A-Z a-z 0-9 . _ -, "
        "beginning with a letter or digit"
    )


def is_name(name: str) -> bool:
    """Tell whether a text is a well-formed name."""
    return _NAME.fullmatch(name) is not None


def as_name(text: str, default: str) -> str:
    """Make a name out of any text, `-` for what is not allowed; `default` if nothing is left."""
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", text).lstrip("._-").rstrip("-")[:NAME_CHARS]
    return cleaned or default


def snapshot_key(run_id: str) -> str:
    """Return the key of a run's snapshot document."""
    return f"{run_id}/{SNAPSHOT}"


def marker_key(run_id: str, marker: str) -> str:
    """Return the key of a run's end marker (`_error` or `_complete`)."""
    return f"{run_id}/{marker}"


def progress_key(run_id: str) -> str:
    """Return the key of the second heartbeat that the old monitor reads."""
    return f"{run_id}/{PROGRESS}"


def latest_log_key(run_id: str) -> str:
    """Return the key of the log whose last line the old monitor's alerts quote."""
    return f"{run_id}/{LATEST_LOG}"


def run_prefix(run_id: str) -> str:
    """Return the prefix of all objects of a run."""
    return f"{run_id}/"


def streams_prefix(run_id: str) -> str:
    """Return the prefix under which a run's streams lie."""
    return f"{run_id}/journal/"


def stream_prefix(run_id: str, stream: str) -> str:
    """Return the prefix of a stream's segments."""
    return f"{run_id}/journal/stream={stream}/"


def segment_key(run_id: str, stream: str, segment: int) -> str:
    """Return the key of a segment."""
    return f"{run_id}/journal/stream={stream}/{segment:010d}.jsonl"


def parse_segment_key(key: str) -> tuple[str, str, int] | None:
    """Return (run_id, stream, segment) of a segment's key, None for any other key."""
    match = _SEGMENT_KEY.fullmatch(key)
    if match is None or not (is_name(match["run_id"]) and is_name(match["stream"])):
        return None
    return match["run_id"], match["stream"], int(match["segment"])


def parse_stream_prefix(prefix: str) -> str | None:
    """Return the stream whose segments lie under a prefix, None if it is no stream's."""
    head, _, name = prefix.rstrip("/").rpartition("/stream=")
    return name if head.endswith("/journal") and is_name(name) else None


def job_index(job: str) -> str:
    """Return the prefix of the index of a job's runs."""
    return f"_index/jobs/{job}/"


def index_name(run_id: str, start_time: float) -> str:
    """Return the name of a run in an index; names sort newest first."""
    return f"{_LAST_MS - int(start_time * 1000):013d}.{run_id}"


def parse_index_name(name: str) -> tuple[str, float] | None:
    """Return (run_id, start in epoch seconds) of an index name, None for a foreign one."""
    number, _, run_id = name.partition(".")
    if len(number) != 13 or not number.isascii() or not number.isdigit() or not is_name(run_id):
        return None
    return run_id, (_LAST_MS - int(number)) / 1000
