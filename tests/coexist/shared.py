"""A document that the journal and other programs write in turns, and a clock for all of them."""

import json
from typing import Any

import fakes
from fakes import RUN

from journal import events, layout
from journal.claim import Claim
from journal.clock import stamp, stamp_seconds
from journal.compactor import Compactor
from journal.stores.contract import Found
from journal.stores.memory import MemoryStore
from readers import legacy

KEY = layout.snapshot_key(RUN)


class Shared:
    """A run under way; every act of these tests takes a minute unless it says otherwise."""

    def __init__(self) -> None:
        self.now = fakes.STORE_TIME
        self.store = fakes.FaultyStore(MemoryStore(lambda: self.now))
        self.writers: dict[str, Any] = {}
        self.compactors = [Compactor(self.store, RUN), Compactor(self.store, RUN)]
        self.wrongs: list[str] = []
        self.say("main", "started", job="prepare", attempt=1)

    def say(self, stream: str, kind: str, *, seal: Any = None, **fields: Any) -> None:
        """Say a record; a stream is begun with its first."""
        if stream not in self.writers:
            self.writers[stream] = Claim(
                fakes.stream(self.store, name=stream), resume=False
            ).attempt()
        writer = self.writers[stream]
        place = {"seq": writer.next_seq, "ts": stamp(self.now), "type": kind}
        writer.append(events.encode({**place, **fields}), 1)
        writer.flush(seal)

    def close(self, stream: str) -> None:
        """Hand over: the stream ends without a word."""
        self.writers[stream].flush("close")

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def overwrite(self, *, ahead: float = 0.0, fractions: bool = False, **fields: Any) -> None:
        """Post a document as the pipeline does: whole, and on no condition."""
        at = (stamp if fractions else stamp_seconds)(self.now + ahead)
        body = {"run_id": RUN, "status": "running", "last_update": at, **fields}
        fakes.overwrite(self.store.inner, KEY, json.dumps(body).encode())

    def compact(self, number: int = 0) -> dict[str, Any]:
        """Compact as one of two processes; return the document."""
        self.compactors[number].compact()
        return self.document

    @property
    def document(self) -> dict[str, Any]:
        found = self.store.inner.get(KEY)
        return json.loads(found.body) if isinstance(found, Found) else {}

    def monitor(self) -> legacy.Opinion:
        """What the old monitor says at this moment."""
        return legacy.opinion(legacy.look(self.store.inner, RUN), self.now)

    def updated(self) -> float:
        """The heartbeat that the old monitor reads in the document."""
        found = self.store.inner.get(KEY)
        if not isinstance(found, Found):
            return 0.0
        return legacy.beat(legacy.Document(found.body, self.now))[0]

    def play(self, acts: list[tuple[Any, ...]]) -> list[str]:
        """Act, and look after each compaction; return what was not as it should be."""
        carried: dict[str, Any] = {}
        for name, *arguments in acts:
            if name == "overwrite":
                fields, ahead, fractions = arguments
                self.overwrite(ahead=ahead, fractions=fractions, **fields)
            elif name == "compact":
                carried.update({k: v for k, v in self.document.items() if k in FOREIGN and v})
                self._compact_and_look(arguments[0], carried)
            elif name == "wait":
                self.wait(*arguments)
            else:
                self.say(name, "source_started", source=f"{self.now}")
        return self.wrongs

    def _compact_and_look(self, number: int, carried: dict[str, Any]) -> None:
        before = min(self.updated(), self.now)
        document = self.compact(number)
        if "journal" not in document:
            self.wrongs.append("the snapshot is not back")
        if self.updated() < before:
            self.wrongs.append(f"last_update went back from {before} to {self.updated()}")
        if self.updated() > self.now + 2:
            self.wrongs.append(f"last_update {self.updated()} is still to come at {self.now}")
        kept = {key: document.get(key) for key in carried}
        # Only who has seen them all can bring all of them back.
        if number == 0 and self.alone and kept != carried:
            self.wrongs.append(f"{carried} was carried, now {kept} is")
        self.alone &= number == 0

    alone = True


FOREIGN = ("base_model", "start_time", "instance_ip", "region", "instance_type", "instance_id")
