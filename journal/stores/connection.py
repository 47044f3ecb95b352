"""From a root's URL to its store."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from journal.stores.contract import Absent, Entry, Found, ReadStore, Store, Unchanged, Version
from journal.stores.keys import check_key
from journal.stores.local import LocalStore

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://|(s3|file):")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")


def default_root() -> Path:
    """Return where runs lie if nobody says otherwise: a directory under the user's data home.

    Raises ValueError for a user without a home.
    """
    home = os.environ.get("XDG_DATA_HOME", "")
    try:
        data = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError:
        raise ValueError("this user has no home: give a root, or set JOURNAL_ROOT") from None
    return data / "progress-journal" / "training-runs"


def connect(url: str | None = None) -> Store:
    """Return the store of a root: `s3://bucket/prefix`, a `file://` URL or a plain directory.

    None is the environment's JOURNAL_ROOT, without which it is `default_root()`. No request is sent
    and nothing is created. Raises ValueError for anything else.
    """
    place = _place_of(url)
    if isinstance(place, Path):
        return LocalStore(place)
    # Here and not above: it costs a third of a second that a local root need not pay.
    from journal.stores.s3 import S3Store  # noqa: PLC0415

    return S3Store(*place)


def root_of(url: str | None = None) -> str:
    """Return the root that `connect` would connect to, as that store names it.

    Raises ValueError as it does.
    """
    place = _place_of(url)
    return str(place) if isinstance(place, Path) else f"s3://{'/'.join(place)}".rstrip("/")


def endpoint_of(root: str) -> str:
    """Return the endpoint that the environment names for an S3 root, without credentials."""
    if not root.startswith("s3://"):
        return ""
    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    from urllib.parse import urlsplit  # noqa: PLC0415 - not for a directory

    parts = urlsplit(named)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if named else ""


def _place_of(url: str | None) -> Path | tuple[str, str]:
    """Return the directory, or the bucket and the prefix, that a root stands for."""
    if url is None:
        url = os.environ.get("JOURNAL_ROOT") or str(default_root())
    if not url.strip():
        raise ValueError("the root is empty: give s3://bucket/prefix, a file:// URL or a directory")
    scheme = _SCHEME.match(url)
    if scheme is None:
        return _directory(url, url)
    match (scheme[1] or scheme[2]).lower():
        case "s3":
            return _s3(url)
        case "file":
            return _file(url)
        case other:
            raise ValueError(
                f"root {url!a}: unknown scheme {other}; "
                "give s3://bucket/prefix, a file:// URL or a directory"
            )


class _ReadOnly:
    """Passes on what a reader may do, and has nothing else."""

    __slots__ = ("_store",)

    def __init__(self, store: ReadStore) -> None:
        self._store = store

    def __str__(self) -> str:
        return str(self._store)

    def get(
        self, key: str, *, start: int = 0, unless: Version | None = None
    ) -> Found | Unchanged | Absent:
        return self._store.get(key, start=start, unless=unless)

    def list(self, prefix: str, *, after: str = "", delimiter: str = "") -> Iterator[Entry]:
        return self._store.list(prefix, after=after, delimiter=delimiter)


def read_only(store: ReadStore) -> ReadStore:
    """Return the store without its `put` and `delete`: what a reader is handed."""
    return _ReadOnly(store)


def _s3(url: str) -> tuple[str, str]:
    bucket, _, prefix = url.removeprefix(url[:5]).partition("/")
    if not url.lower().startswith("s3://") or not _BUCKET.fullmatch(bucket):
        raise ValueError(f"root {url!a}: no bucket's name after s3://")
    prefix = prefix.strip("/")
    if re.search(r"[?#]", prefix):
        raise ValueError(f"root {url!a}: an S3 root takes no options after its prefix")
    if prefix:
        try:
            check_key(prefix)
        except ValueError as error:
            raise ValueError(f"root {url!a}: {error}") from None
    return bucket, prefix


def _file(url: str) -> Path:
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415 - not for a plain directory

    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ValueError(f"root {url!a}: a file URL is file:// and an absolute path")
    if parts.query or parts.fragment:
        raise ValueError(f"root {url!a}: a file URL takes no options; write ? and # as %3F, %23")
    return _directory(unquote(parts.path), url, expand=False)


def _directory(text: str, url: str, *, expand: bool = True) -> Path:
    if "\0" in text:
        raise ValueError(f"root {url!a}: a path holds no NUL")
    try:
        # Absolute now: the job may change its directory later.
        return (Path(text).expanduser() if expand else Path(text)).absolute()
    except RuntimeError:
        raise ValueError(f"root {url!a}: no such user's home") from None
