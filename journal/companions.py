"""What may stand beside a run's document, if somebody wants it: `progress.json`, and copies.

They are made of the document and of nothing else, so neither is ever fresher than it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from journal import carried, layout, snapshot
from journal.errors import Conflict, Unavailable
from journal.stores import connect
from journal.stores.contract import ABSENT, Found, Store
from journal.stores.probe import ensure_probed

ENVIRONMENT: Final = "JOURNAL_COMPANIONS"

_PROGRESS: Final = "progress"
_COPY: Final = "copy="
_AUTHOR: Final = "journal"  # `by` of what the journal wrote
_TRIES: Final = 3

# From the document and what is there (None for nothing) to what is to be there; None leaves it.
Make = Callable[[bytes, bytes | None], bytes | None]


@dataclass(slots=True)
class Companion:
    """One object that follows a run's document."""

    name: str
    store: Store
    key: str
    make: Make
    is_probed: bool

    def write(self, document: bytes) -> bool:
        """Bring it up to a document; tell whether it was put. Raises Unavailable, Refused."""
        if not self.is_probed:
            ensure_probed(self.store)
            self.is_probed = True
        return rewrite(self.store, self.key, lambda there: self.make(document, there))


@dataclass(frozen=True, slots=True)
class Companions:
    """Which are wanted: `progress.json`, and copies of the document under these roots."""

    progress: bool = False
    copies: tuple[Store, ...] = ()

    def __bool__(self) -> bool:
        return self.progress or bool(self.copies)

    def beside(self, store: Store, run_id: str) -> Iterator[Companion]:
        """Yield the companions of a run that lies in a store. Raises ValueError."""
        if self.progress:
            key = layout.progress_key(run_id)
            yield Companion(layout.PROGRESS, store, key, progress, is_probed=True)
        for root in self.copies:
            if str(root) == str(store):
                raise ValueError(
                    f"companions: {root} is the run's own root, and no place to copy to"
                )
            key = layout.snapshot_key(run_id)
            yield Companion(f"copy under {root}", root, key, copy, is_probed=False)


def companions_of(text: object, environment: Mapping[str, str]) -> Companions:
    """Return what a text like `progress copy=ROOT` asks for, or the environment if it is None.

    Each ROOT is that of `start_run`, without blanks. No request is sent. Raises ValueError.
    """
    if text is not None:
        return _parsed("companions", text)
    return _parsed(ENVIRONMENT, environment.get(ENVIRONMENT, ""))


def _parsed(where: str, text: object) -> Companions:
    if not isinstance(text, str):
        raise ValueError(f"{where} must be text like `progress copy=s3://bucket/x`, not {text!r}")
    words, copies = text.split(), []
    for word in words:
        if words.count(word) > 1:
            raise ValueError(f"{where}: {word!a} is there more than once")
        if word.startswith(_COPY):
            try:
                copies.append(connect(word.removeprefix(_COPY)))
            except ValueError as wrong:
                raise ValueError(f"{where}: {wrong}") from None
        elif word != _PROGRESS:
            raise ValueError(f"{where}: {word!a} is neither `progress` nor `copy=ROOT`")
    return Companions(_PROGRESS in words, tuple(copies))


def progress(document: bytes, there: bytes | None) -> bytes | None:
    """Return `progress.json` for a document; one that another program wrote is left alone.

    Steps are sources, or the files of the only source there is.
    """
    shown = orjson.loads(document)
    if there is not None:
        stored = snapshot.decode(there).document
        if stored.get("by") != _AUTHOR:
            return None
        if str(stored.get("last_updated")) > shown["last_update"]:
            return None
    done, total, unit = _steps(shown)
    eta = shown["eta"]
    fields: dict[str, Any] = {
        "run_id": shown["run_id"],
        "current_step": done,
        "total_steps": total,
        "unit": unit,
        "last_updated": shown["last_update"],
    }
    if eta is not None:
        fields["eta_hours"] = round(eta["remaining_seconds"] / 3600, 3)
    return orjson.dumps({**fields, "by": _AUTHOR}, option=orjson.OPT_APPEND_NEWLINE)


def _steps(shown: Mapping[str, Any]) -> tuple[int, int, str]:
    """Return how many steps are done, of how many, and what a step is."""
    counted = shown["progress"]
    total = max(counted["sources_seen"], counted["policy_sources_total"], 1)
    if total == 1 and len(shown["sources"]) == 1:
        (source,) = shown["sources"]
        if source["files_total"]:
            return source["files"], max(source["files_total"], source["files"]), "files"
    return counted["sources_completed"], total, "sources"


def copy(document: bytes, there: bytes | None) -> bytes | None:
    """Return what is to lie beside a document's copy: the document, unless a newer one is there.

    Fields that others wrote there stay.
    """
    if there is None:
        return document
    shown, stored = orjson.loads(document), snapshot.decode(there)
    if (carried.updated(stored.document) or 0.0) > (carried.updated(shown) or 0.0):
        return None
    ours = snapshot.decode(document).streams or {}
    for name, folded in (stored.streams or {}).items():
        if name not in ours or ours[name].cursor < folded.cursor:
            return None
    others = {key: value for key, value in stored.document.items() if key not in shown}
    return snapshot.encode({**shown, **others}) if others else document


def rewrite(store: Store, key: str, make: Callable[[bytes | None], bytes | None]) -> bool:
    """Replace an object by what `make` makes of it; tell whether it was put.

    Raises Unavailable, Refused.
    """
    for _ in range(_TRIES):
        found = store.get(key)
        there = found.body if isinstance(found, Found) else None
        wanted = make(there)
        if wanted is None or wanted == there:
            return False
        try:
            store.put(key, wanted, expect=found.version if isinstance(found, Found) else ABSENT)
        except Conflict:
            continue
        return True
    raise Unavailable(f"{key} is being replaced by others too fast")
