"""What lies in a store, read as bytes and JSON: not by the journal's own readers."""

import json
from typing import Any

from journal.stores import Found, ReadStore, connect


def body(root: str, key: str) -> bytes | None:
    return _body(connect(root), key)


def keys(root: str, run_id: str = "run-1") -> list[str]:
    return sorted(entry.key for entry in connect(root).list(f"{run_id}/"))


def everything(root: str) -> bytes:
    """All that was ever put under a root, in one piece."""
    store = connect(root)
    return b"\n".join(_body(store, entry.key) or b"" for entry in store.list(""))


def lines(root: str, stream: str = "main", run_id: str = "run-1") -> list[dict[str, Any]]:
    """The lines of a stream, control lines too."""
    store = connect(root)  # once: on S3 a client costs ten times as much as its request
    found = sorted(entry.key for entry in store.list(f"{run_id}/journal/stream={stream}/"))
    return [json.loads(line) for key in found for line in (_body(store, key) or b"").splitlines()]


def records(root: str, stream: str = "main", run_id: str = "run-1") -> list[dict[str, Any]]:
    """The records of a stream, without control lines."""
    control = ("segment_opened", "segment_sealed")
    return [line for line in lines(root, stream, run_id) if line["type"] not in control]


def types(root: str, stream: str = "main", run_id: str = "run-1") -> list[str]:
    return [record["type"] for record in records(root, stream, run_id)]


def of_type(root: str, kind: str, stream: str = "main", run_id: str = "run-1") -> Any:
    """The fields of the only record of a type, without its place."""
    (found,) = [line for line in lines(root, stream, run_id) if line["type"] == kind]
    return {key: value for key, value in found.items() if key not in ("seq", "ts", "type")}


def document(root: str, run_id: str = "run-1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body(root, f"{run_id}/metadata.json") or b"{}")
    return found


def marker(root: str, name: str, run_id: str = "run-1") -> str | None:
    """The first line of an end marker, None if there is none."""
    found = body(root, f"{run_id}/{name}")
    return None if found is None else found.decode().splitlines()[0]


def _body(store: ReadStore, key: str) -> bytes | None:
    answer = store.get(key)
    return answer.body if isinstance(answer, Found) else None
