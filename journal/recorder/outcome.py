"""How a program ended, in the journal's words: the status of the run, and the error before it."""

import signal
from typing import Any, Final, NamedTuple

from journal.limits import LAST_LINES, LAST_WORDS_CHARS, REASON_CHARS
from journal.recorder.child import ENDING
from journal.redaction import Redaction
from journal.telltales import compiled

# Sequences that move a terminal's cursor or colour it, and what else is not to be printed.
_ESCAPES: Final = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.?)"
_CONTROL: Final = r"[^\t\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]"


class Outcome(NamedTuple):
    """What `finished` says, and the fields of the error that explains it, if one does."""

    status: str
    message: str | None
    error: dict[str, Any] | None


def outcome_of(code: int, asked: int | None, stalled: str | None, last_words: str) -> Outcome:
    """Return what a program's end means: its exit code, or a signal's number below 0.

    `asked` is the signal by which somebody asked for the end, `stalled` says that we did, and why.
    """
    behind = f" after {_name(asked)}" if asked is not None else ""
    if code == 0:
        return Outcome("completed", f"exit code 0{behind}" if behind else None, None)
    if stalled is not None:
        return _failed("Stalled", f"{stalled}: terminated", last_words)
    if code < 0:
        if -code in ENDING:
            return Outcome("aborted", _name(-code), None)
        return _failed("Killed", _name(-code), last_words)
    if asked is not None or code - 128 in ENDING:
        # A shell's way of saying that a signal ended what it ran.
        why = behind or f" ({_name(code - 128)})"
        return Outcome("aborted", f"exit code {code}{why}", None)
    return _failed("ExitCode", f"exit code {code}", last_words)


def last_words(tail: bytes, is_whole: bool, redaction: Redaction) -> str:  # noqa: FBT001
    """Return the last lines that a program wrote, as text: no controls, no secrets, bounded."""
    if not tail:
        return ""
    text = tail.decode("utf-8", errors="replace")
    if not is_whole:
        # Half a secret might not look like one.
        text = text.partition("\n")[2]
    # A progress bar writes over its line: what one would see is what came last.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    plain = "\n".join(_plain(line) for line in lines)
    seen = [line for line in redaction.text(plain).split("\n") if line]
    return "\n".join(seen[-LAST_LINES:])[-LAST_WORDS_CHARS:]


def _plain(line: str) -> str:
    return compiled(_CONTROL).sub("", compiled(_ESCAPES).sub("", line)).rstrip()


def _failed(kind: str, message: str, last_words: str) -> Outcome:
    reason = last_words.rpartition("\n")[2][:REASON_CHARS]
    message = f"{message}: {reason}" if reason else message
    fields = {"message": message, "error": kind, "fatal": True}
    return Outcome("failed", message, fields | ({"stderr": last_words} if last_words else {}))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time one
