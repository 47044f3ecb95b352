"""A run that grows flush by flush in a store in memory."""

import fakes

from journal.claim import Claim
from journal.clock import stamp
from journal.compactor import Compactor
from journal.events import encode
from journal.stores.memory import MemoryStore

RUN = fakes.RUN


class Growing:
    """A run that grows flush by flush, by the writers that jobs have."""

    def __init__(self):
        self.store = MemoryStore(lambda: fakes.STORE_TIME)
        self.writers = {}

    def write(self, history):
        for name, said, seal, compacts in history:
            if name not in self.writers:
                claim = Claim(fakes.stream(self.store, name=name), resume=False)
                self.writers[name] = claim.attempt()
            writer = self.writers[name]
            for minute, kind in said:
                ts = stamp(fakes.STORE_TIME + 60 * minute)
                place = {"seq": writer.next_seq, "ts": ts, "type": kind}
                writer.append(encode({**place, "path": f"é-{writer.next_seq}"}), 1)
            writer.flush(seal)
            if compacts:
                Compactor(self.store, RUN).compact()
        return self
