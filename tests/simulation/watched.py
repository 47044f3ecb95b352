"""The real stream writer, with the referee looking on: what it is given, what it is told."""

from typing import cast

from journal import segments, stream
from journal.errors import Corrupt, Fenced, Refused
from journal.stores.contract import Version
from tests.simulation.referee import Referee, trouble
from tests.simulation.store import Connection


class Watched(stream.StreamWriter):
    """Tells the referee of everything; does nothing by itself."""

    def __init__(
        self,
        stream: stream.Stream,
        opening: segments.Opening,
        body: bytes,
        version: Version,
        seq: int,
    ) -> None:
        super().__init__(stream, opening, body, version, seq)
        self._connection = cast("Connection", stream.store)
        self._name = stream.name
        self._referee = cast("Referee", self._connection.store.witness)
        self._told = seq  # below it the referee knows of acknowledgements
        self._said: list[bytes] = []  # by seq, from `_told` on
        self._referee.counts["claims"] += 1
        chain = self._referee.chain(stream.name)
        opened = chain.segments[opening.segment] if opening.segment < len(chain.segments) else None
        if opened is None or opened.writer != self.writer:
            self._referee.fail(f"{self._connection.who} has a slot that is not its own")

    def append(self, lines: bytes | bytearray, count: int) -> None:
        """Take in whole record lines."""
        self._said += bytes(lines).split(b"\n")[:-1]
        super().append(lines, count)

    def flush(self, seal: segments.Reason | None = None) -> bool:
        """Make what waits durable."""
        referee, connection = self._referee, self._connection
        was_fenced = self.fenced
        connection.begin()
        try:
            done = super().flush(seal)
        except Fenced:
            self._tell()
            if not was_fenced:
                self._check_fence()
            raise
        except Refused as error:
            self._tell()
            if not connection.may_be_refused:
                referee.fail(trouble(connection.who, error))
            raise
        except Corrupt as error:
            if not referee.chain(self._name).is_deleted:
                referee.fail(trouble(connection.who, error))
            raise
        self._tell()
        connection.store.tell(
            f"{connection.who:12} {self._name} flushed below {self.acknowledged}"
            f"{', all' if done else ''}"
        )
        return done

    def _check_fence(self) -> None:
        connection = self._connection
        connection.store.tell(f"{connection.who:12} {self._name} fenced")
        counted = self.acknowledged >= self._sent_seq
        self._referee.fenced(connection.who, self._name, self.segment, self._sent, counted=counted)

    def _tell(self) -> None:
        count = self.acknowledged - self._told
        if count > 0:
            lines, self._said = self._said[:count], self._said[count:]
            self._referee.acknowledged(self._connection.who, self._name, self._told, lines)
            self._told += count
