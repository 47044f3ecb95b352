"""The manifest: a TOML file that says which sources make up a dataset.

    [split]                     # optional
    validation = 0.05           # the fraction of records that goes into validation.jsonl
    salt = ""                   # another text draws another sample

    [limits]                    # optional; what an archive or a record may hold at most
    extracted_bytes = 17_179_869_184
    extracted_ratio = 200       # times the size of the archive
    extracted_files = 200_000
    record_bytes = 268_435_456

    [[sources]]
    name = "corpus"             # a directory in the work directory, a source in the journal
    url = "s3://bucket/prefix"  # also file://, https://, http://
    include = ["*.jsonl"]       # optional, as in patterns.py
    exclude = ["old/"]          # optional
    max_files = 1000            # optional; the first so many, by name
    format = "jsonl"            # optional: jsonl, json, csv, text; else by the file's name
    pack = "zip"                # optional, file:// only: pack into zip, tar, tar.gz or gz first

In a `file://` URL `{stdlib}` stands for the directory of Python's standard library,
`{package:NAME}` for that of an installed package and `{here}` for that of the manifest.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

from journal.layout import is_name
from tools.prepare.errors import ManifestError
from tools.prepare.paths import printable
from tools.prepare.placeholders import expanded
from tools.prepare.redaction import public_url
from tools.prepare.toml_lines import line_of

SCHEMES = ("file", "s3", "https", "http")
FORMATS = ("jsonl", "json", "csv", "text")
PACKINGS = ("zip", "tar", "tar.gz", "gz")


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What the manifest says of one source."""

    name: str
    url: str = field(repr=False)  # may carry a signature
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    max_files: int | None = None
    format: str | None = None
    pack: str | None = None

    @property
    def scheme(self) -> str:
        """The scheme of the URL, in small letters."""
        return self.url.partition(":")[0].lower()

    @property
    def identity(self) -> str:
        """A digest of all that decides what is read; a renewed signature is no other source."""
        chosen = [self.include, self.exclude, self.max_files, self.format, self.pack]
        return sha256(dumps([self.name, public_url(self.url), *chosen]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive, and a record, may hold at most."""

    extracted_bytes: int = 16 * 1024**3
    extracted_ratio: int = 200
    extracted_files: int = 200_000
    record_bytes: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Split:
    """How records are divided: the fraction for validation, and the salt of the draw."""

    validation: float = 0.05
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read and found right."""

    sources: tuple[SourceSpec, ...]
    split: Split
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a key expects, in words and as a check."""

    expected: str
    holds: Callable[[Any], bool]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_fraction(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1


def _is_patterns(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)


def _is_url(value: object) -> bool:
    if not isinstance(value, str):
        return False
    scheme, _, rest = value.partition("://")
    return scheme.lower() in SCHEMES and bool(rest.strip("/"))


def _one_of(names: tuple[str, ...]) -> _Rule:
    return _Rule(f"one of {', '.join(names)}", lambda value: value in names)


_COUNT = _Rule("a whole number of at least 1", _is_count)
_PATTERNS = _Rule('a list of patterns such as ["*.json"]', _is_patterns)
_SOURCE_RULES: Mapping[str, _Rule] = {
    "name": _Rule(
        "a name of 1 to 128 of A-Z a-z 0-9 . _ -",
        lambda value: isinstance(value, str) and is_name(value),
    ),
    "url": _Rule("a URL that begins with file://, s3://, https:// or http://", _is_url),
    "include": _PATTERNS,
    "exclude": _PATTERNS,
    "max_files": _COUNT,
    "format": _one_of(FORMATS),
    "pack": _one_of(PACKINGS),
}
_SPLIT_RULES: Mapping[str, _Rule] = {
    "validation": _Rule("a number from 0 up to, not including, 1", _is_fraction),
    "salt": _Rule("a text", lambda value: isinstance(value, str)),
}
_LIMIT_RULES: Mapping[str, _Rule] = {
    "extracted_bytes": _COUNT, "extracted_ratio": _COUNT,
    "extracted_files": _COUNT, "record_bytes": _COUNT,
}  # fmt: skip
_TOP_RULES: Mapping[str, _Rule] = {
    "sources": _Rule(
        "at least one [[sources]] table",
        lambda value: (
            isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
        ),
    ),
    "split": _Rule("a table", lambda value: isinstance(value, dict)),
    "limits": _Rule("a table", lambda value: isinstance(value, dict)),
}


def load(path: Path) -> Manifest:
    """Read a manifest. Raises ManifestError, one line: file, line, key, what was expected."""
    shown = printable(str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{shown}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{shown}: expected UTF-8 text: {error}") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{shown}:{_syntax(str(error), text)}") from error
    return _Reader(shown, text, path.resolve().parent).manifest(document)


def _syntax(message: str, text: str) -> str:
    """Turn "… (at line 3, column 5)" into "3: …"."""
    what, _, place = printable(message).rpartition(" (at ")
    line = place.removeprefix("line ").split(",")[0]
    if not line.isdecimal():  # "at end of document"
        line = str(text.count("\n") + 1)
    return f"{line}: not TOML: {what or place}"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Holds what a message needs: the file's name and its text."""

    shown: str
    text: str
    here: Path

    def manifest(self, document: dict[str, Any]) -> Manifest:
        self._check("", 0, document, _TOP_RULES, ("sources",))
        for table, rules in (("split", _SPLIT_RULES), ("limits", _LIMIT_RULES)):
            self._check(table, 0, document.get(table, {}), rules, ())
        sources = [self._source(index, table) for index, table in enumerate(document["sources"])]
        names: set[str] = set()
        for index, source in enumerate(sources):
            if source.name in names:
                self._fail("sources", index, "name", "a name that no other source has", source.name)
            names.add(source.name)
        limits = Limits(**document.get("limits", {}))
        return Manifest(tuple(sources), Split(**document.get("split", {})), limits)

    def _source(self, index: int, table: dict[str, Any]) -> SourceSpec:
        self._check("sources", index, table, _SOURCE_RULES, ("name", "url"))
        scheme, _, rest = table["url"].partition("://")
        if scheme.lower() == "s3" and ("@" in rest.split("/")[0] or "?" in rest):
            self._fail("sources", index, "url", "an s3:// URL without credentials (set AWS_*)", ...)
        if "pack" in table and scheme.lower() != "file":
            self._fail("sources", index, "pack", "a file:// source to pack", table["pack"])
        try:
            url = expanded(table["url"], self.here) if scheme.lower() == "file" else table["url"]
        except LookupError as error:
            self._fail("sources", index, "url", str(error.args[0]), ...)
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        return SourceSpec(**{**values, "url": url})

    def _check(
        self,
        table: str,
        index: int,
        given: Mapping[str, Any],
        rules: Mapping[str, _Rule],
        required: tuple[str, ...],
    ) -> None:
        """Hold the keys of one table against its rules."""
        for key in given:
            if key not in rules:
                self._fail(table, index, key, f"one of the keys {', '.join(rules)}", ...)
        for key, rule in rules.items():
            if key not in given and key in required:
                self._fail(table, index, key, rule.expected, None)
            if key in given and not rule.holds(given[key]):
                self._fail(table, index, key, rule.expected, given[key])

    def _fail(self, table: str, index: int, key: str, expected: str, found: object) -> None:
        """Raise ManifestError; `found` is None for nothing, ... for what is not to be shown."""
        line = line_of(self.text, table, index, key)
        if found is None:
            ending = ", found none"
        elif found is ...:
            ending = ""
        else:
            value = public_url(found) if key == "url" and isinstance(found, str) else found
            ending = f", found {printable(repr(value), 60)}"
        raise ManifestError(
            f"{self.shown}:{line}: {printable(key, 60)}: expected {expected}{ending}"
        )
