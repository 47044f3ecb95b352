"""The rules of a flush, each switched off: the table of outcomes of a put, seals, next slots.

Each mutant is named as what it does; its docstring says what it takes for what.
"""

from hashlib import sha256

from journal import stream
from journal.errors import Fenced, Refused, Unavailable
from journal.segments import Reason
from journal.stores.contract import ABSENT, Found, Version
from journal.stream import StreamWriter
from tests.simulation.mutant import Replaced, mutant


def _fence(writer: StreamWriter) -> Fenced:
    writer.fenced = True
    return Fenced("so the mutant thinks")


def _read(writer: StreamWriter) -> Found | None:
    return writer._stream.read(writer.segment)


# The table of outcomes of a put.


@mutant(StreamWriter, "_settle")
def conflict_is_fence(_: Replaced) -> Replaced:
    """412 = fenced, without reading back."""

    def settle(self: StreamWriter, body: bytes) -> bool:
        raise _fence(self)

    return settle


@mutant(StreamWriter, "_put")
def busy_is_lost(put: Replaced) -> Replaced:
    """409 = the place is lost."""

    def impatient(self: StreamWriter, body: bytes) -> None:
        try:
            put(self, body)
        except Unavailable as error:
            if str(error) == "409":
                raise _fence(self) from error
            raise

    return impatient


@mutant(StreamWriter, "_put")
def silence_is_success(put: Replaced) -> Replaced:
    """Time-out = applied."""

    def hopeful(self: StreamWriter, body: bytes) -> None:
        try:
            put(self, body)
        except Unavailable:
            self._apply(Version(sha256(body).hexdigest()))

    return hopeful


@mutant(StreamWriter, "_put")
def refused_is_success(put: Replaced) -> Replaced:
    """403 = applied."""

    def deaf(self: StreamWriter, body: bytes) -> None:
        try:
            put(self, body)
        except Refused:
            self._apply(Version(sha256(body).hexdigest()))

    return deaf


@mutant(StreamWriter, "_put")
def acknowledged_before_applied(put: Replaced) -> Replaced:
    """What is sent counts as durable."""

    def hasty(self: StreamWriter, body: bytes) -> None:
        self.acknowledged = self._sent_seq
        put(self, body)

    return hasty


@mutant(StreamWriter, "_settle")
def equal_is_fence(settle: Replaced) -> Replaced:
    """Reading back what was sent = fenced."""

    def doubting(self: StreamWriter, body: bytes) -> bool:
        found = _read(self)
        if found is not None and found.body == body:
            raise _fence(self)
        return bool(settle(self, body))

    return doubting


@mutant(StreamWriter, "_settle")
def equal_is_unknown(settle: Replaced) -> Replaced:
    """Reading back what was sent = not applied; send again."""

    def doubting(self: StreamWriter, body: bytes) -> bool:
        found = _read(self)
        if found is not None and found.body == body:
            raise Unavailable("so the mutant thinks")
        return bool(settle(self, body))

    return doubting


def _is_older(self: StreamWriter, found: Found | None, body: bytes) -> bool:
    return (
        found is not None
        and found.body != body
        and body.startswith(found.body)
        and found.version != self._version
    )


@mutant(StreamWriter, "_settle")
def older_is_fence(settle: Replaced) -> Replaced:
    """Reading back an older flush of ours = fenced."""

    def strict(self: StreamWriter, body: bytes) -> bool:
        if _is_older(self, _read(self), body):
            raise _fence(self)
        return bool(settle(self, body))

    return strict


@mutant(StreamWriter, "_settle")
def older_is_not_taken(settle: Replaced) -> Replaced:
    """Reading back an older flush of ours: its version is not taken."""

    def stubborn(self: StreamWriter, body: bytes) -> bool:
        if _is_older(self, _read(self), body):
            raise Unavailable("so the mutant thinks")
        return bool(settle(self, body))

    return stubborn


@mutant(StreamWriter, "_settle")
def longer_is_not_applied(settle: Replaced) -> Replaced:
    """Reading back what was sent and a successor's seal = fenced, and not applied."""

    def forgetful(self: StreamWriter, body: bytes) -> bool:
        acknowledged = self.acknowledged
        try:
            return bool(settle(self, body))
        except Fenced:
            self.acknowledged = acknowledged
            raise

    return forgetful


@mutant(StreamWriter, "_settle")
def absent_create_is_fence(settle: Replaced) -> Replaced:
    """Absent after a create = fenced."""

    def gloomy(self: StreamWriter, body: bytes) -> bool:
        if self._version is ABSENT and _read(self) is None:
            raise _fence(self)
        return bool(settle(self, body))

    return gloomy


@mutant(StreamWriter, "_settle")
def deleted_is_created_again(settle: Replaced) -> Replaced:
    """Absent on a rewrite: it is created again."""

    def eager(self: StreamWriter, body: bytes) -> bool:
        if self._version is not ABSENT and _read(self) is None:
            self._version = ABSENT
            return False
        return bool(settle(self, body))

    return eager


@mutant(StreamWriter, "_settle")
def deleted_is_unknown(settle: Replaced) -> Replaced:
    """Absent on a rewrite: send again."""

    def patient(self: StreamWriter, body: bytes) -> bool:
        if self._version is not ABSENT and _read(self) is None:
            raise Unavailable("so the mutant thinks")
        return bool(settle(self, body))

    return patient


@mutant(StreamWriter, "_settle")
def unmoved_is_fence(settle: Replaced) -> Replaced:
    """412 over the very version that was expected = fenced."""

    def curt(self: StreamWriter, body: bytes) -> bool:
        found = _read(self)
        if found is not None and found.version == self._version:
            raise _fence(self)
        return bool(settle(self, body))

    return curt


@mutant(stream, "UNMOVED_CONFLICTS")
def unmoved_for_ever(_: Replaced) -> int:
    """412 over the very version that was expected: no limit."""
    return 1_000_000_000


@mutant(stream, "UNMOVED_CONFLICTS")
def unmoved_once(_: Replaced) -> int:
    """412 over the very version that was expected, once = the compare is broken."""
    return 1


@mutant(StreamWriter, "_settle")
def other_is_overwritten(settle: Replaced) -> Replaced:
    """Anything else = read back and overwrite it."""

    def bold(self: StreamWriter, body: bytes) -> bool:
        try:
            return bool(settle(self, body))
        except Fenced:
            self.fenced = False
            found = _read(self)
            self._version = found.version if found else ABSENT
            return False

    return bold


# Sealing and opening.


@mutant(StreamWriter, "_next_body")
def seal_is_taken_back(compose: Replaced) -> Replaced:
    """Lines are added after an unsettled seal, in its place."""

    def careless(self: StreamWriter, seal: Reason | None) -> bytes | None:
        if self._sealed is not None and not self._settled and self._waiting:
            self._sent = self._sent[: self._sent.rfind(b"\n", 0, -1) + 1]
            self._sealed = None
        body: bytes | None = compose(self, seal)
        return body

    return careless


@mutant(StreamWriter, "_next_body")
def seal_is_taken_for_settled(compose: Replaced) -> Replaced:
    """The next slot is opened on an unsettled seal."""

    def hasty(self: StreamWriter, seal: Reason | None) -> bytes | None:
        self._settled = self._settled or self._sealed is not None
        body: bytes | None = compose(self, seal)
        return body

    return hasty


@mutant(StreamWriter, "_put")
def next_slot_is_overwritten(put: Replaced) -> Replaced:
    """The next slot is put without expect=ABSENT."""

    def bold(self: StreamWriter, body: bytes) -> None:
        if self._version is ABSENT:
            found = _read(self)
            self._version = found.version if found else ABSENT
        put(self, body)

    return bold
