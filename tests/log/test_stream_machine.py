"""Writers, claims and a faulty store against a list: whatever happens, the promises hold.

Each step is one that a process, a network or a second host may take. After each, the chain is read
raw and held against what every writer said and what it was told is acknowledged.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import fakes
import hypothesis.strategies as st
import pytest
from fakes import Fault
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from journal import events
from journal import stream as stream_module
from journal.claim import Claim
from journal.errors import Fenced, Held, Refused, Unavailable
from journal.limits import UNMOVED_CONFLICTS
from journal.log import StreamReader
from journal.stream import StreamWriter

# Segments small enough that they roll within a few records.
SMALL = {"SEGMENT_ROLL_BYTES": 700, "SEGMENT_ROLL_FLUSHES": 3, "SEGMENT_MAX_BYTES": 2048}

likely = st.sampled_from([True, True, True, False])
sizes = st.lists(st.integers(0, 300), min_size=1, max_size=6)
troubles = st.lists(st.sampled_from([f for f in Fault if f is not Fault.REFUSED]), max_size=3)


@dataclass(eq=False)
class Process:
    """A process with its writer, and the lines it said, by their seq."""

    writer: StreamWriter
    said: dict[int, bytes] = field(default_factory=dict)
    is_over: bool = False  # it said its last
    is_busy: bool = False  # a flush is under way: there is only one at a time


@dataclass
class Chain:
    """A stream as it lies in the store, checked link by link."""

    lines: list[bytes] = field(default_factory=list)  # of all, control lines too
    records: list[tuple[str, bytes]] = field(default_factory=list)  # (writer, line)
    writers: list[str] = field(default_factory=list)  # of each segment
    epochs: list[int] = field(default_factory=list)  # of each segment
    taken: list[bool] = field(default_factory=list)  # of each segment: sealed by a successor


def read_chain(bodies: list[bytes]) -> Chain:
    """Read the segments of a stream raw; every rule of the format is asserted."""
    chain, before = Chain(), b""
    for number, body in enumerate(bodies):
        lines = body.splitlines(keepends=True)
        opened, last = events.decode(lines[0]), events.decode(lines[-1])
        assert opened["type"] == events.SEGMENT_OPENED
        assert opened["segment"] == number
        assert (opened["prev"] or {}).get("sha256") == (
            sha256(before).hexdigest() if number else None
        )
        assert (opened["prev"] or {}).get("bytes") == (len(before) if number else None)
        is_sealed = last["type"] == events.SEGMENT_SEALED
        assert is_sealed or number == len(bodies) - 1
        for line in lines:
            record = events.decode(line)
            assert record["seq"] == len(chain.records)
            if record["type"] not in events.CONTROL:
                chain.records.append((opened["writer"], line))
        if is_sealed:
            content = body[: -len(lines[-1])]
            assert (last["bytes"], last["sha256"]) == (len(content), sha256(content).hexdigest())
        assert sum(events.decode(line)["type"] in events.CONTROL for line in lines) == 1 + is_sealed
        chain.lines += lines
        chain.writers.append(opened["writer"])
        chain.epochs.append(opened["epoch"])
        chain.taken.append(is_sealed and last["reason"] == "takeover")
        before = body
    return chain


def attempted(claim: Claim) -> StreamWriter | Held | Refused:
    while True:
        try:
            return claim.attempt()
        except Unavailable:
            continue
        except (Held, Refused) as over:
            return over


class StreamMachine(RuleBasedStateMachine):
    """One stream, any number of processes, and a store that does what stores do."""

    claims = Bundle("claims")
    processes = Bundle("processes")

    def __init__(self):
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        for name, value in SMALL.items():
            self.patch.setattr(stream_module, name, value)
        self.store = fakes.FaultyStore()
        self.chain = Chain()
        self.seen: tuple[list[bytes], Chain] = ([], self.chain)
        self.everybody: list[Process] = []
        self.reader = StreamReader(self.store.inner, fakes.RUN, "main")
        self.read_lines: list[bytes] = []
        self.pids = 0

    @initialize(target=processes, faults=troubles)
    def first(self, faults):
        """The first claim has nobody to be held off by, but its own opening."""
        return self.claim(resume=False, hint=None, faults=faults)

    def enter(self, writer):
        process = Process(writer)
        self.everybody.append(process)
        return process

    # Claims.

    @rule(target=processes, resume=likely, hint=st.none() | st.integers(0, 4), faults=troubles)
    def claim(self, resume, hint, faults):
        """Attempt a claim until the store says something final, as the sender does."""
        claim = self.new_claim(resume=resume, hint=hint)
        self.store.faults.extend(faults)
        answer = attempted(claim)
        self.store.faults.clear()
        if isinstance(answer, StreamWriter):
            return self.enter(answer)
        if isinstance(answer, Held):
            opened = self.openings()[-1]
            assert self.pids > 1
            assert not resume
            assert (answer.host, answer.pid) == (opened["host"], opened["pid"])
        else:
            assert faults == [Fault.FALSE_412] * UNMOVED_CONFLICTS
        return multiple()

    @rule(target=claims, faults=troubles)
    def begin_claim(self, faults):
        """Attempt a claim once: a claimant may pause, or die, between its puts."""
        claim = self.new_claim()
        self.store.faults.extend(faults)
        with suppress(Unavailable, Refused):
            claim.attempt()
        self.store.faults.clear()
        return claim

    @rule(target=processes, claim=consumes(claims))
    def go_on_with_claim(self, claim):
        return self.enter(claim.attempt())

    def new_claim(self, *, resume=True, hint=None):
        self.pids += 1
        return Claim(fakes.stream(self.store, self.pids), resume=resume, hint=hint)

    def openings(self):
        lines = self.look().lines
        return [events.decode(line) for line in lines if b'"type":"segment_opened"' in line]

    # Writing.

    @rule(process=processes, sizes=sizes)
    def append(self, process, sizes):
        if process.is_over:
            return
        for size in sizes:
            seq = process.writer.next_seq
            line = fakes.note(seq, f"{process.writer.writer[:4]} {'x' * size}")
            process.said[seq] = line
            process.writer.append(line, 1)

    @rule(process=processes, sizes=sizes)
    def write(self, process, sizes):
        self.append(process, sizes)
        self.do_flush(process, None)

    @rule(process=processes, sizes=sizes, faults=troubles)
    def write_in_trouble(self, process, sizes, faults):
        self.append(process, sizes)
        self.store.faults.extend(faults)
        self.do_flush(process, None)
        self.store.faults.clear()

    @rule(process=processes)
    def write_unheard(self, process):
        """A put is applied, what reads it back is not answered, and more is to be said."""
        self.append(process, [1])
        self.store.faults.append(Fault.DOUBLED)
        self.store.deaf = 1
        self.do_flush(process, None)
        self.store.deaf = 0
        self.store.faults.clear()

    @rule(process=processes, seal=st.sampled_from(["close", "finish"]), faults=troubles)
    def close(self, process, seal, faults):
        process.is_over = True
        self.store.faults.extend(faults)
        self.do_flush(process, seal)
        self.store.faults.clear()

    @rule(process=consumes(processes))
    def crash(self, process):
        """The process is gone; what it has under way may still arrive."""

    def do_flush(self, process, seal):
        if process.is_busy:
            return
        process.is_busy = True
        writer = process.writer
        before = self.look()
        had_successor = self.has_successor(before, process)
        acknowledged = writer.acknowledged
        failed: Exception | None = None
        try:
            is_done = writer.flush(seal)
        except (Unavailable, Refused, Fenced) as error:
            failed, is_done = error, False
        process.is_busy = False
        after = self.look()
        if isinstance(failed, Fenced):
            # Only a successor fences: a lone writer is never told so.
            assert self.has_successor(after, process)
        if had_successor:
            mine = [line for by, line in after.records if by == writer.writer]
            assert mine == [line for by, line in before.records if by == writer.writer]
        if is_done:
            assert writer.waiting_bytes == 0
            assert seal is None or writer.closed
        assert writer.acknowledged >= acknowledged

    def has_successor(self, chain: Chain, process: Process) -> bool:
        """Whether another has sealed this writer's last segment, or has a later one."""
        mine = [i for i, by in enumerate(chain.writers) if by == process.writer.writer]
        return mine[-1] < len(chain.writers) - 1 or chain.taken[-1]

    # What others do in the meantime.

    @precondition(lambda self: self.store.late)
    @rule(data=st.data())
    def deliver(self, data):
        """A late put arrives."""
        self.store.deliver(data.draw(st.integers(0, len(self.store.late) - 1)))

    @rule(process=processes, other=processes)
    def write_meanwhile(self, process, other):
        """Another process writes just before the put of this one reaches the store."""
        self.store.meanwhile.append(partial(self.write, other, [3]))
        self.write(process, [2])
        self.store.meanwhile.clear()

    @rule(process=processes)
    def claim_meanwhile(self, process):
        """Another process takes over just before the put of this one reaches the store."""
        self.store.meanwhile.append(self.new_claim().attempt)
        self.write(process, [2])
        self.store.meanwhile.clear()

    @rule(target=processes, other=processes)
    def write_during_claim(self, other):
        """The holder writes between what a claimant reads and what it puts, twice."""
        write = partial(self.write, other, [3])
        self.store.meanwhile.extend([write, write])
        writer = self.new_claim().attempt()
        self.store.meanwhile.clear()
        return self.enter(writer)

    @rule(target=processes)
    def claims_race(self):
        """Another claimant is faster at either step."""
        self.store.meanwhile.extend([self.new_claim().attempt] * 2)
        writer = self.new_claim().attempt()
        self.store.meanwhile.clear()
        return self.enter(writer)

    # Reading.

    @rule()
    def read(self):
        """A reader that comes again and again sees a growing prefix, and nothing amiss."""
        for batch in self.reader.read():
            assert batch.damages == []
            self.read_lines += [line + b"\n" for line in batch.lines]
        assert self.read_lines == self.look().lines

    def settle(self, process):
        """With a store that answers, an old writer that has something to say learns its fate."""
        for _ in range(9):
            if process.writer.waiting_bytes and not process.writer.fenced:
                self.do_flush(process, None)
        assert process.writer.fenced or not process.writer.waiting_bytes
        assert process.writer.fenced or process.is_over

    def look(self) -> Chain:
        bodies = fakes.bodies(self.store.inner)
        if bodies != self.seen[0]:
            self.seen = bodies, read_chain(bodies)
        return self.seen[1]

    @invariant()
    def holds(self):
        before, self.chain = self.chain, self.look()
        chain = self.chain
        # For good: what was there is there, and only more came.
        assert chain.lines[: len(before.lines)] == before.lines
        # One writer per epoch, epochs ascending.
        owners = dict(zip(chain.epochs, chain.writers, strict=True))
        assert chain.epochs == sorted(chain.epochs)
        assert [owners[epoch] for epoch in chain.epochs] == chain.writers
        # Every line is what its writer said under this seq, and every acknowledged one is there.
        for process in self.everybody:
            mine = {
                seq: line
                for seq, (by, line) in enumerate(chain.records)
                if by == process.writer.writer
            }
            assert mine.items() <= process.said.items()
            assert {seq for seq in process.said if seq < process.writer.acknowledged} <= mine.keys()

    def teardown(self):
        """Once the network heals, a new process takes over, writes and closes."""
        try:
            self.store.faults.clear()
            process = self.enter(fakes.claimed(self.store, 999))
            for old in self.everybody[:-1]:
                self.append(old, [1])
                self.settle(old)
            self.append(process, [10])
            assert process.writer.flush("close")
            while self.store.late:
                self.store.deliver()
            self.holds()
            self.read()
        finally:
            self.patch.undo()


TestStreamMachine = StreamMachine.TestCase
