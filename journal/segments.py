"""The bytes of a segment: its opening and its seal, and what its two ends tell. Pure.

    {"seq":0,"ts":…,"type":"segment_opened",…,"prev":null}
    {"seq":0,"ts":…,"type":"started",…}
    …
    {"seq":57,"ts":…,"type":"segment_sealed","reason":"roll",…,"bytes":…,"sha256":…}

A control line carries the `seq` of the next record and uses none up.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from journal import events
from journal.errors import Corrupt
from journal.limits import COUNT_MAX, FORMAT_VERSION

Reason = Literal["roll", "close", "finish", "takeover", "pruned"]

PRUNED: Final = "pruned"
SEAL_ROOM: Final = 512  # more than any seal line takes


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in a stream: `bytes` into `segment`, where the record `seq` comes next."""

    segment: int = 0
    bytes: int = 0
    seq: int = 0


START: Final = Cursor()


@dataclass(frozen=True, slots=True)
class Link:
    """How a segment names the one before it: its number, its length and the hash of all of it."""

    segment: int
    size: int  # bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who writes: `writer` is unique to one claim; the promises are in seconds."""

    writer: str
    host: str
    pid: int
    flush_seconds: float
    heartbeat_seconds: float


@dataclass(frozen=True, slots=True)
class Opening:
    """What a segment's first line says. `clock_offset` is store minus host, in seconds."""

    run_id: str
    stream: str
    segment: int
    epoch: int
    claimant: Claimant
    clock_offset: float
    prev: Link | None


@dataclass(frozen=True, slots=True)
class Tail:
    """What the two ends of a segment say: the next record's `seq`, the latest epoch, the seal."""

    seq: int
    epoch: int
    sealed: Reason | None
    opened: events.Record


def opened_line(opening: Opening, *, seq: int, ts: str) -> bytes:
    """Return the first line of a segment; `seq` is the next record's."""
    prev, by = opening.prev, opening.claimant
    return events.encode(
        {
            "seq": seq,
            "ts": ts,
            "type": events.SEGMENT_OPENED,
            "v": FORMAT_VERSION,
            "run_id": opening.run_id,
            "stream": opening.stream,
            "segment": opening.segment,
            "epoch": opening.epoch,
            "writer": by.writer,
            "host": by.host,
            "pid": by.pid,
            "clock_offset": opening.clock_offset,
            "flush_seconds": by.flush_seconds,
            "heartbeat_seconds": by.heartbeat_seconds,
            "prev": prev and {"segment": prev.segment, "bytes": prev.size, "sha256": prev.sha256},
        }
    )


def sealed_line(size: int, digest: str, *, reason: Reason, epoch: int, seq: int, ts: str) -> bytes:
    """Return the line that seals a segment of `size` bytes so far, whose SHA-256 is `digest`."""
    return events.encode(
        {
            "seq": seq,
            "ts": ts,
            "type": events.SEGMENT_SEALED,
            "reason": reason,
            "epoch": epoch,
            "bytes": size,
            "sha256": digest,
        }
    )


def is_pruned(body: bytes) -> bool:
    """Tell whether a segment ends with the seal of a prune, whatever else it holds."""
    try:
        last = events.decode(body[body.rfind(b"\n", 0, -1) + 1 :])
    except ValueError:
        return False
    return last["type"] == events.SEGMENT_SEALED and last.get("reason") == PRUNED


def tail_of(body: bytes, name: str) -> Tail:
    """Read the two ends of a segment. Raises Corrupt, naming it by `name`, if it has none."""
    try:
        opened = events.decode(body[: body.index(b"\n") + 1])
        if not body.endswith(b"\n"):
            raise ValueError("its last line has no end")
        last = events.decode(body[body.rfind(b"\n", 0, -1) + 1 :])
        if opened["type"] != events.SEGMENT_OPENED:
            raise ValueError("it does not begin with segment_opened")
        check_version(opened, name)
        if last["type"] == events.SEGMENT_SEALED:
            epoch = max(_epoch_of(opened), _epoch_of(last))
            reason: Any = last["reason"]
            if not isinstance(reason, str):
                raise ValueError("its seal gives no reason")
            return Tail(last["seq"], epoch, reason, opened)  # type: ignore[arg-type]
        used = last["type"] not in events.CONTROL
        return Tail(last["seq"] + used, _epoch_of(opened), None, opened)
    except (ValueError, KeyError, TypeError) as wrong:
        raise Corrupt(f"{name} is not a journal segment: {wrong}") from wrong


def _epoch_of(control: events.Record) -> int:
    epoch = control.get("epoch")
    if type(epoch) is not int or not 0 <= epoch <= COUNT_MAX:
        raise ValueError("its epoch is no number")
    return epoch


def check_version(opened: events.Record, name: str) -> None:
    """Raise Corrupt if a segment was written in a later version of the format than ours."""
    version = opened.get("v")
    if version != FORMAT_VERSION:
        # Whatever it is, it has to go into a line.
        shown = f"a {type(version).__name__}" if isinstance(version, dict | list) else repr(version)
        raise Corrupt(
            f"{name}: journal format {shown[:64]} is not known here (known: "
            f"{FORMAT_VERSION}); read it with a newer progress-journal"
        )
