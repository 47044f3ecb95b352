"""An exported history without its store: a file of JSON lines, compressed or not, or a folder.

What a line says of run and stream is the event's. Lines that are no events are counted and told of,
never passed over in silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from typing import Any, Final

import orjson

from journal.errors import Corrupt, Missing
from readers.event import Event

SUFFIXES: Final = (".ndjson", ".jsonl")
COMPRESSED: Final = ("", ".gz", ".bz2", ".xz", ".zst")
_NAMES: Final = tuple(suffix + more for suffix in SUFFIXES for more in COMPRESSED)
_LINE_BYTES: Final = 16 * 1024 * 1024  # no line of a journal comes near it


def is_exported(text: str) -> bool:
    """Whether RUN names an exported file, or a folder that holds some and is no run's root.

    Raises ValueError for a file of another kind.
    """
    if text.endswith(_NAMES):
        return True
    path = Path(text)
    if path.suffix and path.is_file():
        known = " or ".join(SUFFIXES)
        raise ValueError(
            f"{text} does not end in {known}, compressed or not: of exports only these can be shown"
        )
    return "://" not in text and "/" in text and bool(_files(path))


@dataclass(slots=True)
class Exported:
    """Exported events, in the order of their times over all files; `complain` hears of damage."""

    path: str
    complain: Callable[[str], None]
    damaged: int = 0

    def events(self) -> Iterator[Event]:
        """Yield the events. Raises Missing, Corrupt (cut or not of its compression)."""
        path = Path(self.path)
        names = [str(one) for one in _files(path)] if path.is_dir() else [self.path]
        if not names:
            raise Missing(f"{self.path} holds none of {', '.join(f'*{one}' for one in SUFFIXES)}")
        yield from merge(*map(self._of_file, names), key=_moment)

    def _of_file(self, name: str) -> Iterator[Event]:
        import smart_open  # noqa: PLC0415 - only for files that were exported

        try:
            with smart_open.open(name, "rb") as file:
                number = 0
                while line := file.readline(_LINE_BYTES):
                    number += 1
                    event = _event(line)
                    if event is None:
                        self.damaged += 1
                        self.complain(f"{name}: line {number} is no event, left out")
                    else:
                        yield event
        except FileNotFoundError:
            raise Missing(f"there is no file {name}") from None
        except ImportError as lacking:
            raise ValueError(f"{name}: {lacking}") from lacking
        except (OSError, EOFError, ValueError) as wrong:
            raise Corrupt(f"{name}: {wrong}") from wrong
        except Exception as wrong:
            # Each compression has errors of its own, with no common parent.
            if type(wrong).__module__.split(".")[0] in ("lzma", "_lzma", "zlib", "zstandard"):
                raise Corrupt(f"{name}: {wrong}") from wrong
            raise


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted(one for one in path.iterdir() if one.name.endswith(_NAMES) and one.is_file())


def _event(line: bytes) -> Event | None:
    line = line.rstrip(b"\r\n")
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict):
        return None
    run_id, stream = record.get("run_id"), record.get("stream")
    kinds = (type(run_id), type(stream), type(record.get("type")), type(record.get("ts")))
    if kinds != (str, str, str, str) or type(record.get("seq")) is not int:
        return None
    # What was put behind the record is taken off; the few that hold both themselves stay as read.
    tail = b"," + orjson.dumps({"run_id": run_id, "stream": stream})[1:]
    if line.endswith(tail):
        line = line.removesuffix(tail) + b"}"
        del record["run_id"], record["stream"]
    return Event(str(run_id), str(stream), record, line)


def _moment(event: Event) -> str:
    ts: str = event.record["ts"]
    return ts
