"""Becoming the writer of a stream: the first slot, or a take-over. FORMAT.md has the protocol."""

from hashlib import sha256
from uuid import uuid4

from journal import layout, segments
from journal.errors import Conflict, Held, Pruned, Unavailable
from journal.limits import NAME_CHARS, UNMOVED_CONFLICTS
from journal.stores.contract import ABSENT, Found, Version
from journal.stream import Stream, StreamWriter, unreliable


class Claim:
    """Becoming the writer of a stream; with `resume` in place of whoever holds it now.

    A claim is one or two conditional puts and ends with a new segment that holds its opening only.
    It may take several attempts; what an attempt sent and heard nothing of is settled by the next,
    or a lost reply would make a claimant take its own opening for another's.
    """

    def __init__(self, stream: Stream, *, resume: bool, hint: int | None = None) -> None:
        """Prepare a claim; `hint` is a segment likely to exist, to spare the listing."""
        self._stream = stream
        self._resume = resume
        self._hint = hint
        self._claimant = segments.Claimant(
            uuid4().hex,
            stream.host,
            stream.pid,
            stream.flush_seconds,
            stream.heartbeat_seconds,
        )
        self._sent: tuple[segments.Opening, bytes, int] | None = None

    def attempt(self) -> StreamWriter:
        """Return the writer.

        Raises Unavailable (attempt it again), Held, Refused (Pruned is one) or Corrupt.
        """
        while True:
            writer = self._create(*self._sent) if self._sent else self._next()
            if writer is not None:
                return writer
            if not self._resume:
                raise self._held()

    def _next(self) -> StreamWriter | None:
        """Try for the next slot; None if another was faster."""
        last = self._last_segment() if self._resume else None
        if last is None:
            return self._open(segment=0, epoch=1, seq=0, prev=None)
        segment, found = last
        self._hint = segment
        stream = self._stream
        tail = segments.tail_of(found.body, stream.key(segment))
        if tail.sealed == segments.PRUNED:
            raise Pruned(stream.run_id)
        epoch, body, digest = tail.epoch + 1, found.body, sha256(found.body)
        if tail.sealed is None:
            seal_line = segments.sealed_line(
                len(body),
                digest.hexdigest(),
                reason="takeover",
                epoch=epoch,
                seq=tail.seq,
                ts=stream.clock.stamp(),
            )
            body += seal_line
            digest.update(seal_line)
            if not self._seal(segment, body, found.version):
                return None
        prev = segments.Link(segment, len(body), digest.hexdigest())
        return self._open(segment=segment + 1, epoch=epoch, seq=tail.seq, prev=prev)

    def _seal(self, segment: int, body: bytes, version: Version) -> bool:
        """Replace the tail by `body`, its seal included; False if another has moved it."""
        stream, key = self._stream, self._stream.key(segment)
        for _ in range(UNMOVED_CONFLICTS):
            try:
                stream.store.put(key, body, expect=version)
            except Conflict:
                found = stream.read(segment)
                if found is None or found.version != version:
                    return False
            else:
                return True
        raise unreliable(key)

    def _open(
        self, *, segment: int, epoch: int, seq: int, prev: segments.Link | None
    ) -> StreamWriter | None:
        """Create a slot; None if another writer has it."""
        stream, clock = self._stream, self._stream.clock
        opening = segments.Opening(
            stream.run_id, stream.name, segment, epoch, self._claimant, clock.offset, prev
        )
        body = segments.opened_line(opening, seq=seq, ts=clock.stamp())
        self._sent = (opening, body, seq)
        return self._create(*self._sent)

    def _create(self, opening: segments.Opening, body: bytes, seq: int) -> StreamWriter | None:
        stream = self._stream
        try:
            put = stream.store.put(stream.key(opening.segment), body, expect=ABSENT)
        except Conflict:
            return self._settle()
        stream.clock.saw(put.store_time)
        self._check_pruned(opening)
        return StreamWriter(stream, opening, body, put.version, seq)

    def _settle(self) -> StreamWriter | None:
        """Find out what became of the opening that was sent."""
        if self._sent is None:
            return None
        opening, body, seq = self._sent
        found = self._stream.read(opening.segment)
        if found is None:
            raise Unavailable(f"{self._stream.key(opening.segment)}: refused as existing, and gone")
        if found.body == body:
            self._check_pruned(opening)
            return StreamWriter(self._stream, opening, body, found.version, seq)
        self._sent = None
        return None

    def _check_pruned(self, opening: segments.Opening) -> None:
        """Raise Pruned if the slot was free only because a prune had deleted what was there.

        Nothing is deleted before the first slot is a tombstone; so if it is none now, the chain was
        whole when the slot was created.
        """
        if opening.segment > 0 and self._stream.is_pruned():
            raise Pruned(self._stream.run_id)

    def _last_segment(self) -> tuple[int, Found] | None:
        """Find the end of the chain: from the hint if it exists, else from a listing."""
        stream, segment = self._stream, self._hint
        found = None if segment is None else stream.read(segment)
        if segment is None or found is None:
            prefix = layout.stream_prefix(stream.run_id, stream.name)
            places = (layout.parse_segment_key(entry.key) for entry in stream.store.list(prefix))
            segment = max((place[2] for place in places if place is not None), default=None)
            if segment is None:
                return None
            found = stream.read(segment)
        while found is not None and (after := stream.read(segment + 1)) is not None:
            segment, found = segment + 1, after
        return None if found is None else (segment, found)

    def _held(self) -> Held:
        stream = self._stream
        last = self._last_segment()
        if last is None:
            return Held(stream.run_id, stream.name, "an unknown host", 0, "just now")
        tail = segments.tail_of(last[1].body, stream.key(last[0]))
        if tail.sealed == segments.PRUNED:
            raise Pruned(stream.run_id)
        opened = tail.opened
        pid = opened.get("pid")
        pid = pid if type(pid) is int else 0
        host, since = (_shown(opened.get(field)) for field in ("host", "ts"))
        return Held(stream.run_id, stream.name, host, pid, since)


def _shown(text: object) -> str:
    """Show what a foreign hand may have written: an uncaught exception goes to a terminal."""
    return ascii(text[:NAME_CHARS])[1:-1] if isinstance(text, str) else "?"
