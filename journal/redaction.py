"""What authorises is hidden before anything is stored: passwords, keys, tokens, signatures.

A secret is known by the name it stands behind (`password=…`, `"api_key": "…"`, `--token …`), by its
own look (`ghp_…`, a private key) or by its place (the user information of a URL); `telltales.py`
has them all. What only looks alike stays readable: `tokens=1024`, `pad_token=…`, the `key=…` of a
partitioned path.
"""

import re
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from journal import telltales
from journal.backtracking import is_explosive
from journal.clock import thread_cpu_seconds
from journal.limits import LINE_BYTES, NAME_CHARS, REDACT_SECONDS
from journal.telltales import compiled

HIDDEN: Final = "***"
ENVIRONMENT: Final = "JOURNAL_REDACT"

_WORD: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_. -]{{0,{NAME_CHARS - 1}}}", re.ASCII)

Secret = str | re.Pattern[str]


class Redaction:
    """What is hidden: the secrets that everybody has, and those that a job says it has.

    A word is the name of a secret, as `password` is one; a pattern, or a text between slashes, is
    a regular expression whose every match is hidden. Raises ValueError for anything else, and for
    an expression that may take for ever.
    """

    def __init__(self, secrets: Sequence[Secret] = ()) -> None:
        if isinstance(secrets, str | bytes) or not isinstance(secrets, Sequence):
            raise ValueError("redact must be a list of names and regular expressions")
        own = [_checked(secret) for secret in secrets]
        self._words = frozenset(secret for secret in own if isinstance(secret, str))
        self._patterns = [secret for secret in own if not isinstance(secret, str)]
        self._most_chars = 2 * LINE_BYTES  # of a text that these patterns are tried on

    def is_plain(self, text: str) -> bool:
        """Tell whether there surely is nothing to hide in a text, a record's line for one."""
        return not self._patterns and not self._is_marked(text)

    def are_plain(self, names: str) -> bool:
        """Tell the same of the names of many files; quick if they are nothing but names."""
        if self._patterns:
            return False
        for sign in "=@%:\\ ":
            if sign in names:
                return self.is_plain(names)
        # No token in use is without a capital letter, though one may be written so.
        return names == names.lower() or not any(mark in names for mark, _ in telltales.LOOKS)

    def text(self, text: str) -> str:
        """Return a text with what authorises hidden."""
        for pattern in self._patterns:
            text = self._without(pattern, text)
        if not self._is_marked(text):
            return text
        for mark, look in telltales.LOOKS:
            if mark in text:
                text = compiled(look).sub(HIDDEN, text)
        text = compiled(telltales.BASIC).sub(
            _without_basic, compiled(telltales.BEARER).sub(_without_rest, text)
        )
        if "@" in text or "%" in text:
            text = compiled(telltales.USERINFO).sub(_without_rest, text)
            text = compiled(telltales.ODD_USERINFO).sub(_without_rest, text)
        return self._without_named(text)

    def hides(self, name: str, value: Any) -> bool:
        """Tell whether what a structure has under a name is a secret, whatever it looks like."""
        if value is None or value is True or value is False:
            return False
        kind = self._kind_of(name)
        # A number of tokens is none. (Not isinstance: that may run code of the value's.)
        is_number = type(value) in (int, float) or (type(value) is str and value.isdecimal())
        return kind == "secret" or (kind == "token" and not is_number)

    def hides_next(self, word: str, length: int) -> bool:
        """Tell whether the item behind a word is a secret, in a list of `length` items.

        It is behind the option of a command, and behind a name if the two are all there is.
        """
        if word.startswith("-"):
            return self.hides(word, "")
        return length == 2 and self._kind_of(word) == "secret"

    def _is_marked(self, text: str) -> bool:
        small = text.lower()
        if any(map(small.__contains__, telltales.MARKS)):
            return True
        return bool(self._words) and any(word in telltales.squeezed(small) for word in self._words)

    def _without_named(self, text: str) -> str:
        """Hide what stands behind the name of a secret: `name=…`, `"name": "…"`, `--name …`."""
        parts, done = [], 0
        for pattern in (telltales.NAMED, telltales.OPTION):
            at = 0
            while found := compiled(pattern).search(text, at):
                at = found.end()
                value = self._value_of(found)
                if value is not None:
                    parts += [text[done : value.end("opening")], HIDDEN]
                    at = done = value.end()
            text, parts, done = "".join([*parts, text[done:]]), [], 0
        return text

    def _value_of(self, found: re.Match[str]) -> re.Match[str] | None:
        """Return the value behind a name that was found, if it is to be hidden."""
        text, name, end = found.string, found["name"], found.end()
        begin = telltales.escape_before(text, found.start("name"))
        kind = self._kind_of(name) or self._kind_of(text[begin : found.end("name")])
        if "sign" not in found.re.groupindex:
            is_option = kind in ("secret", "token")
            return compiled(telltales.BARE).match(text, end) if is_option else None
        if kind is None or not _counts_here(kind, found, begin):
            return None
        sign = found["sign"]
        if sign == ":" and telltales.squeezed(name).endswith(("authorization", "cookie")):
            line = compiled(telltales.HEADER).match(text, end)
            if line is not None:
                return line
        of_kind = telltales.ENCODED if sign[0] == "%" else telltales.BARE
        value = compiled(of_kind).match(text, end)
        told = text[value.end("opening") : value.end()] if value else ""
        # A number of tokens; where a shell is, which an environment says in capital letters.
        is_none = (kind == "token" and told.isdecimal()) or (
            name.endswith("PWD") and told[:1] in ("/", "~")
        )
        return None if is_none else value

    def _kind_of(self, name: str) -> telltales.Kind | None:
        if self._words and not self._words.isdisjoint(
            (telltales.squeezed(name), telltales.squeezed(name.rpartition(" ")[2]))
        ):
            return "secret"
        return telltales.kind_of(name[-NAME_CHARS:])  # its end is what counts

    def _without(self, pattern: re.Pattern[str], text: str) -> str:
        """Hide what one of the job's patterns matches.

        Nothing stops a pattern at work. One that took too long is tried on shorter texts only, and
        longer ones are hidden whole: rather too much than a secret.
        """
        if len(text) > self._most_chars:
            return HIDDEN
        before = thread_cpu_seconds()
        hidden = pattern.sub(lambda found: HIDDEN if found[0] else "", text)
        took = thread_cpu_seconds() - before
        if took > REDACT_SECONDS:
            # Here and not above: readers, which hide nothing, import this module, too.
            from logging import getLogger  # noqa: PLC0415

            self._most_chars = len(text) // 4
            getLogger("journal").warning(
                "redact: %a took %.1f s for a text of %d characters; from now on those with more "
                "than %d are hidden whole",
                pattern.pattern,
                took,
                len(text),
                self._most_chars,
            )
        return hidden


STANDARD: Final = Redaction()


def redaction_of(secrets: Sequence[Secret] | None, environment: Mapping[str, str]) -> Redaction:
    """Return what hides the standard secrets, the job's and those that JOURNAL_REDACT names.

    The variable holds words and /expressions/ with blanks between them. Raises ValueError.
    """
    named = environment.get(ENVIRONMENT, "").split()
    try:
        Redaction(named)
    except ValueError as wrong:
        raise ValueError(f"{ENVIRONMENT}: {wrong}") from None
    if secrets is None and not named:
        return STANDARD
    Redaction(secrets or ())  # which may be no list at all
    return Redaction([*(secrets or ()), *named])


def _checked(secret: object) -> Secret:
    """Return a pattern, or a word as names are compared."""
    if isinstance(secret, str) and len(secret) > 2 and secret[0] == secret[-1] == "/":
        try:
            secret = re.compile(secret[1:-1])
        except re.error as wrong:
            raise ValueError(f"redact: {secret!a} is no regular expression: {wrong}") from None
    if isinstance(secret, re.Pattern):
        if not isinstance(secret.pattern, str):
            raise ValueError(f"redact: {secret.pattern!a} is a pattern of bytes; give one of text")
        if is_explosive(secret):
            raise ValueError(
                f"redact: {secret.pattern!a} may take for ever: a repetition holds another, or a "
                "choice; make the inner one possessive (`++`, `*+`) or atomic (`(?>…)`)"
            )
        return secret
    if isinstance(secret, str) and _WORD.fullmatch(secret):
        return telltales.squeezed(secret)
    raise ValueError(
        f"redact: {secret!a} is neither a name (of A-Z a-z 0-9 _ . -) nor a regular expression; "
        "in a text that is between slashes"
    )


def _counts_here(kind: telltales.Kind, found: re.Match[str], begin: int) -> bool:
    """Tell whether a name of some kind, which begins at `begin`, means a secret where it stands."""
    if kind == "secret":
        return True
    sign, text = found["sign"], found.string
    is_assigned = found["quote"] or sign[0] == "%" or (sign[0] == "=" and not found["blanks"])
    is_in_path = text[found.start() - 1 : found.start()] == "/"
    if not is_assigned or is_in_path:
        return False
    return kind != "parameter" or telltales.is_in_query(text, begin)


def _without_rest(found: re.Match[str]) -> str:
    return found["opening"] + HIDDEN


def _without_basic(found: re.Match[str]) -> str:
    """Hide the user and password of `Basic …`, if that is what it is and no other word."""
    try:
        decoded = a2b_base64(found["words"].replace("-", "+").replace("_", "/") + "==").decode()
    except ValueError:
        return found[0]
    return _without_rest(found) if ":" in decoded else found[0]
