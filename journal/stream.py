"""Writing a stream: append, flush, roll, seal. No thread and no clock of its own.

The tail is the lock. The active segment is rewritten with its growing content, each time on
condition that it is still what this writer left there, so every flush is a compare-and-swap on the
tail of the log. FORMAT.md has the protocol; `StreamWriter.flush` and `_settle` are its table of
outcomes; becoming the writer is in `journal.claim`.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from journal import layout, segments
from journal.errors import Conflict, Corrupt, Fenced, JournalError, Refused, Unavailable
from journal.limits import (
    SEGMENT_MAX_BYTES,
    SEGMENT_ROLL_BYTES,
    SEGMENT_ROLL_FLUSHES,
    SLEPT_SECONDS,
    UNMOVED_CONFLICTS,
)
from journal.stores.contract import ABSENT, Expectation, Found, Store, Version


class Clock(Protocol):
    """Where control lines get their times."""

    @property
    def offset(self) -> float:
        """Store minus host in seconds."""
        ...

    def stamp(self) -> str:
        """Return the host's time as a record's `ts`."""
        ...

    def saw(self, store_time: float) -> None:
        """Take in the store's time of a reply that just arrived."""
        ...


@dataclass(frozen=True, slots=True)
class Stream:
    """Which stream, for whom: what does not change from claim to claim."""

    store: Store
    run_id: str
    name: str
    host: str
    pid: int
    flush_seconds: float
    heartbeat_seconds: float
    clock: Clock

    def key(self, segment: int) -> str:
        """Return the key of one of its segments."""
        return layout.segment_key(self.run_id, self.name, segment)

    def read(self, segment: int) -> Found | None:
        """Read a segment whole, None if it is absent."""
        answer = self.store.get(self.key(segment))
        self.clock.saw(answer.store_time)
        return answer if isinstance(answer, Found) else None

    def is_pruned(self) -> bool:
        """Tell whether the stream was pruned: its first slot holds a tombstone then, for good."""
        found = self.read(0)
        return found is not None and segments.is_pruned(found.body)


class StreamWriter:
    """The one live writer of a stream; made by `journal.claim.Claim`.

    `acknowledged` is the `seq` below which every record is in the journal for good.
    """

    def __init__(
        self, stream: Stream, opening: segments.Opening, body: bytes, version: Version, seq: int
    ) -> None:
        self.acknowledged = seq
        self.fenced = False
        self._stream = stream
        self._opening = opening
        # `_sent` is what the last put of the active segment carried; unless `_settled`, nobody
        # knows yet whether it was applied. `_version` is what we last knew to be there.
        self._sent = body
        self._hash = sha256(body)  # of the active segment: nothing is hashed twice
        self._sent_seq = seq
        self._version: Expectation = version
        self._settled = True
        self._sealed: segments.Reason | None = None
        self._flushes = 1
        self._waiting = bytearray()
        self._next_seq = seq
        self._answered_at = 0.0  # the store's time when it last acknowledged something

    @property
    def segment(self) -> int:
        """The number of the active segment."""
        return self._opening.segment

    @property
    def epoch(self) -> int:
        """The generation of this writer on its stream."""
        return self._opening.epoch

    @property
    def writer(self) -> str:
        """The unique id of this claim."""
        return self._opening.claimant.writer

    @property
    def clock_offset(self) -> float:
        """Store minus host in seconds, as the active segment's opening says."""
        return self._opening.clock_offset

    @property
    def next_seq(self) -> int:
        """The sequence number that the next appended record has to carry."""
        return self._next_seq

    @property
    def waiting_bytes(self) -> int:
        """Bytes appended and not yet acknowledged."""
        return len(self._waiting) + (0 if self._settled else len(self._sent))

    @property
    def closed(self) -> bool:
        """Whether its end (seal `close` or `finish`) is in the journal."""
        return self._settled and self._sealed in ("close", "finish")

    def append(self, lines: bytes | bytearray, count: int) -> None:
        """Take in `count` whole record lines, numbered from `next_seq` on."""
        self._waiting += lines
        self._next_seq += count

    def flush(self, seal: segments.Reason | None = None) -> bool:
        """Make what waits durable, as much as one segment takes; tell whether nothing is left.

        One put, unless its answer has to be settled. With `seal` the last of it seals the segment
        too. Raises Unavailable (nobody knows: call again), Fenced (stop), Refused (not applied;
        waits on), Corrupt (the segment was deleted under its writer).
        """
        if self.fenced:
            raise Fenced(f"stream {self._stream.name} has another writer")
        body = self._next_body(seal)
        if body is None:
            return True
        self._put(body)
        done = not self._waiting
        return done and (seal is None or self._sealed == seal)

    def _next_body(self, seal: segments.Reason | None) -> bytes | None:
        """Compose what the next put carries; None if there is nothing to send."""
        if self._sealed is not None and not self._settled:
            return self._sent  # after a seal nothing may be added, not even by trying again
        if self._sealed is not None:
            if not self._waiting and (seal is None or self._sealed in ("close", "finish")):
                return None
            self._open_next()
        if not self._waiting and seal is None and self._settled:
            return None
        room = SEGMENT_MAX_BYTES - segments.SEAL_ROOM - len(self._sent)
        end = len(self._waiting)
        if end > room:
            end = self._waiting.rfind(b"\n", 0, max(room, 0)) + 1
        taken = bytes(self._waiting[:end])
        del self._waiting[:end]
        body = self._sent + taken
        self._hash.update(taken)
        # Counting lines takes as long as composing the body; as a rule everything is taken.
        self._sent_seq = self._sent_seq + taken.count(b"\n") if self._waiting else self._next_seq
        reason = seal
        if self._waiting or (reason is None and self._is_full(len(body))):
            reason = "roll"
        if reason is not None:
            seal_line = segments.sealed_line(
                len(body),
                self._hash.hexdigest(),
                reason=reason,
                epoch=self.epoch,
                seq=self._sent_seq,
                ts=self._stream.clock.stamp(),
            )
            body += seal_line
            self._hash.update(seal_line)
            self._sealed = reason
        return body

    def _is_full(self, size: int) -> bool:
        return size >= SEGMENT_ROLL_BYTES and self._flushes + 1 >= SEGMENT_ROLL_FLUSHES

    def _open_next(self) -> None:
        previous = self._opening
        self._opening = segments.Opening(
            run_id=previous.run_id,
            stream=previous.stream,
            segment=previous.segment + 1,
            epoch=previous.epoch,
            claimant=previous.claimant,
            clock_offset=self._stream.clock.offset,
            prev=segments.Link(previous.segment, len(self._sent), self._hash.hexdigest()),
        )
        self._sent = segments.opened_line(
            self._opening, seq=self._sent_seq, ts=self._stream.clock.stamp()
        )
        self._hash = sha256(self._sent)
        self._version = ABSENT
        self._settled = False
        self._sealed = None
        self._flushes = 0

    def _put(self, body: bytes) -> None:
        self._sent = body
        self._settled = False
        stream, key = self._stream, self._stream.key(self.segment)
        unmoved = 0
        while unmoved < UNMOVED_CONFLICTS:
            expected = self._version
            try:
                put = stream.store.put(key, body, expect=expected)
            except Conflict:
                if self._settle(body):
                    return
                # As many older flushes may land late as were sent; each moves it on.
                unmoved += self._version == expected
            else:
                stream.clock.saw(put.store_time)
                self._take_answer(put.version, put.store_time)
                return
        raise unreliable(key)

    def _take_answer(self, version: Version, store_time: float, *, is_last: bool = True) -> None:
        """Take in that what was sent is there, unless the run was pruned while we slept.

        `is_last` tells that at that time nobody can have gone on behind it.
        """
        # Where a prune has deleted a slot, a writer that was fenced long ago and has slept since
        # can create it. Whoever was answered a moment ago cannot: prune keeps its distance.
        slept = store_time - self._answered_at >= SLEPT_SECONDS
        if not self._flushes and slept and self._stream.is_pruned():
            self.fenced = True
            raise Fenced(f"run {self._stream.run_id} was pruned")
        if is_last:
            self._answered_at = store_time
        self._apply(version)

    def _apply(self, version: Version) -> None:
        self._version = version
        self._settled = True
        self._flushes += 1
        self.acknowledged = self._sent_seq

    def _settle(self, body: bytes) -> bool:
        """Find out what a refused condition means; True if `body` was applied after all.

        False: send again under the condition that holds now. An equal object is our own put whose
        reply was lost; a proper prefix is an older flush of ours that landed late.
        """
        name = f"segment {self.segment} of stream {self._stream.name}"
        found = self._stream.read(self.segment)
        if found is None:
            if self._version is ABSENT:
                raise Unavailable(f"{name} was refused as existing, and is absent")
            raise Corrupt(f"{name} was deleted under its writer")
        if found.body == body:
            is_last = self._sealed is None
            self._take_answer(found.version, found.store_time, is_last=is_last)
            return True
        if found.body and body.startswith(found.body):
            self._version = found.version
            return False
        self.fenced = True
        if found.body.startswith(body):
            self._take_answer(found.version, found.store_time)
        raise Fenced(f"{name} was taken over by {self._successor()}")

    def _successor(self) -> str:
        """Say who took over, as far as it can be read."""
        try:
            found = self._stream.read(self.segment + 1) or self._stream.read(self.segment)
            opened = segments.tail_of(found.body, "its successor").opened if found else {}
        except JournalError:
            opened = {}  # who it was is only told; that it was somebody is certain
        if opened.get("writer") == self.writer:
            opened = {}  # our own segment, sealed by a claimant that has not opened its slot yet
        return f"pid {opened.get('pid', '?')} on {opened.get('host', 'an unknown host')}"


def unreliable(key: str) -> Refused:
    """Return the error for a store that refuses to replace what is as it was expected."""
    return Refused(
        f"the store refuses to replace {key} though it is what was expected; "
        "its conditional writes cannot be relied on"
    )
