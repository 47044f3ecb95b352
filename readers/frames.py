"""Events as a table, for Polars and DuckDB; both are extras.

frame = frames.to_polars(replay.events("latest"))
frame.filter(pl.col("type") == "file_done").group_by("source").agg(pl.col("bytes").sum())
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import orjson

from journal.clock import StampReader
from journal.events import PLACE
from journal.foreign import instant
from journal.limits import COUNT_MAX
from readers.event import Event

if TYPE_CHECKING:
    import duckdb
    import polars as pl

# What has a column of its own; all else of a record is in `fields`, as JSON.
_TEXTS: Final = ("source", "path", "phase", "sub_phase", "status", "error", "message", "reason")
_COUNTS: Final = ("bytes", "files")
_TIMES: Final = ("seconds",)
COLUMNS: Final = (
    *("run_id", "stream", "seq", "ts", "type"),
    *(_TEXTS + _COUNTS + _TIMES),
    "fields",
)
_OWN: Final = frozenset((*PLACE, *_TEXTS, *_COUNTS, *_TIMES))


def row(event: Event, read: StampReader) -> tuple[Any, ...]:
    """Return an event as a row of COLUMNS; `ts` is in microseconds since the epoch, or None."""
    record = event.record
    at = instant(record["ts"], read)
    seq = record["seq"] if 0 <= record["seq"] <= COUNT_MAX else None
    texts = [value if isinstance(value := record.get(name), str) else None for name in _TEXTS]
    counts = [value if _is_count(value := record.get(name)) else None for name in _COUNTS]
    spans = [value if _is_time(value := record.get(name)) else None for name in _TIMES]
    times = [None if value is None else float(value) for value in spans]
    rest = {
        name: value for name, value in record.items() if name not in _OWN or _is_odd(name, value)
    }
    return (
        *(event.run_id, event.stream, seq),
        None if at is None else round(at * 1e6),
        record["type"],
        *(texts + counts + times),
        _json(rest) if rest else None,
    )


def _is_odd(name: str, value: Any) -> bool:
    """Whether a field is not of the kind that its column has: it is kept as JSON."""
    if value is None or name in PLACE:
        return False
    if name in _TEXTS:
        return not isinstance(value, str)
    return not (_is_count(value) if name in _COUNTS else _is_time(value))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= COUNT_MAX


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= COUNT_MAX


def _json(fields: dict[str, Any]) -> str:
    try:
        return orjson.dumps(fields).decode()
    except TypeError:
        return '{"truncated":true}'  # nested too deep


def to_polars(events: Iterable[Event]) -> "pl.DataFrame":
    """Return events as a frame of COLUMNS. Raises ImportError without the extra."""
    try:
        import polars as pl  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError('this needs the extra: pip install "progress-journal[polars]"') from None
    read = StampReader()
    kinds = {
        **dict.fromkeys(COLUMNS, pl.String),
        **dict.fromkeys(("seq", *_COUNTS), pl.Int64),
        **dict.fromkeys(_TIMES, pl.Float64),
        "ts": pl.Int64,
    }
    frame = pl.DataFrame([row(one, read) for one in events], schema=kinds, orient="row")
    return frame.with_columns(pl.from_epoch("ts", "us").dt.replace_time_zone("UTC"))


def write_parquet(events: Iterable[Event], path: str) -> None:
    """Write events as a Parquet file of COLUMNS, by whichever of the extras there is.

    Raises ImportError without either.
    """
    try:
        import polars  # noqa: F401, ICN001, PLC0415 - an extra
    except ImportError:
        to_duckdb(events).write_parquet(path)
    else:
        to_polars(events).write_parquet(path)


def to_duckdb(
    events: Iterable[Event], connection: "duckdb.DuckDBPyConnection | None" = None
) -> "duckdb.DuckDBPyRelation":
    """Return events as a relation of COLUMNS in a connection, a new one in memory by default.

    They lie in its temporary table `events`, which is replaced. Raises ImportError without the
    extra.
    """
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError('this needs the extra: pip install "progress-journal[duckdb]"') from None
    into = duckdb.connect() if connection is None else connection
    into.execute(_TABLE)
    read = StampReader()
    rows: list[tuple[Any, ...]] = []
    for event in events:
        rows.append(row(event, read))
        if len(rows) >= _TOGETHER:
            _insert(into, rows)
            rows = []
    _insert(into, rows)
    return into.table("events")


_TOGETHER: Final = 10_000
_TABLE: Final = f"""
    CREATE OR REPLACE TEMPORARY TABLE events (
        run_id VARCHAR, stream VARCHAR, seq BIGINT, ts TIMESTAMPTZ, type VARCHAR,
        {", ".join(f"{name} VARCHAR" for name in _TEXTS)},
        {", ".join(f"{name} BIGINT" for name in _COUNTS)},
        {", ".join(f"{name} DOUBLE" for name in _TIMES)},
        fields JSON
    )
"""


def _insert(into: "duckdb.DuckDBPyConnection", rows: list[tuple[Any, ...]]) -> None:
    """Put rows into the table by way of JSON, which DuckDB reads in bulk; row by row is slow."""
    if not rows:
        return
    import tempfile  # noqa: PLC0415 - as duckdb itself
    from pathlib import Path  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "rows.ndjson"
        names = [name if name != "fields" else "rest" for name in COLUMNS]
        path.write_bytes(
            b"".join(orjson.dumps(dict(zip(names, one, strict=True))) + b"\n" for one in rows)
        )
        kinds = dict.fromkeys(names, "VARCHAR") | dict.fromkeys(("seq", "ts", *_COUNTS), "BIGINT")
        kinds |= dict.fromkeys(_TIMES, "DOUBLE")
        shape = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
        chosen = ", ".join(_SHOWN.get(name, name) for name in COLUMNS)
        into.execute(
            f"INSERT INTO events SELECT {chosen} "  # noqa: S608 - nothing foreign is in it
            f"FROM read_json(?, format='newline_delimited', columns={{{shape}}})",
            [str(path)],
        )


_SHOWN: Final = {"ts": "make_timestamptz(ts)", "fields": "rest::JSON"}
