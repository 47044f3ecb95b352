"""A stream's records, told one after another: the little language of these tests."""

from journal.clock import stamp
from journal.fold import fold
from journal.segments import Cursor
from journal.snapshot import Folded, render
from journal.state import StreamState

RUN = "mistral-20250805-142652"
BEGAN = 1754422500.0  # 2025-08-05T19:35:00Z


class Story:
    """Records of one stream; `minute` is the time at which the next ones are said."""

    def __init__(self, *, offset=0.0, host="host-1", pid=1, epoch=1):
        self.minute = 0.0
        self.records = []
        self.opened(offset=offset, host=host, pid=pid, epoch=epoch)

    def opened(self, *, offset=0.0, host="host-1", pid=1, epoch=1, heartbeat_seconds=180.0):
        return self.say(
            "segment_opened",
            v=1,
            epoch=epoch,
            writer=f"writer-{epoch}",
            host=host,
            pid=pid,
            clock_offset=offset,
            flush_seconds=5.0,
            heartbeat_seconds=heartbeat_seconds,
            prev=None,
        )

    def say(self, kind, *, after=0.0, **fields):
        """Say a record, `after` so many minutes."""
        self.minute += after
        place = {"seq": len(self.records), "ts": stamp(BEGAN + self.minute * 60), "type": kind}
        self.records.append({**place, **fields})
        return self

    def started(self, *, after=0.0, attempt=1, **fields):
        return self.say("started", after=after, job="prepare", attempt=attempt, **fields)

    def source(self, name, *, after=0.0, sub_phase="downloading_policy", **fields):
        return self.say("source_started", after=after, source=name, sub_phase=sub_phase, **fields)

    def files(self, name, count, *, after=0.0, bytes=100):
        for number in range(count):
            path = f"{name}/{number}"
            self.say("file_done", after=after / count, source=name, path=path, bytes=bytes)
        return self

    def done(self, name, *, after=0.0):
        return self.say("source_done", after=after, source=name, files=0, bytes=0, seconds=1.0)

    def beat(self, *, after=3.0, offset=0.0, **counters):
        return self.say("heartbeat", after=after, clock_offset=offset, **counters)

    def beats(self, minutes, **counters):
        for _ in range(minutes // 3):
            self.beat(**counters)
        return self

    def finished(self, status="completed", *, after=0.0, message=None):
        return self.say("finished", after=after, status=status, message=message)

    @property
    def state(self):
        return fold(StreamState(), self.records)

    @property
    def folded(self):
        return Folded(Cursor(0, 100 * len(self.records), len(self.records)), self.state)

    def document(self, stored=None, **others):
        """The document of a run whose main stream this is; `others` are further streams."""
        return document({"main": self, **others}, stored)


def document(streams, stored=None):
    return render(RUN, {name: story.folded for name, story in streams.items()}, stored or {})


def seconds_after(stamped):
    """How long after the beginning a stamp of the document is, in seconds."""
    from journal.clock import parse_stamp  # noqa: PLC0415

    return parse_stamp(stamped) - BEGAN
