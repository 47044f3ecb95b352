"""Any engine that reads JSON lines can query the log as it lies there."""

from pathlib import Path

import duckdb
import pytest
from recorder.processes import python, wait_until
from recorder.stored import records

WRITER = Path(__file__).with_name("writer.py")
LOG = "read_json('{}/**/*.jsonl', format='newline_delimited', union_by_name=true)"


def query(root, sql):
    with duckdb.connect() as connection:
        return connection.sql(sql.format(log=LOG.format(root))).fetchall()


def counted(child, root):
    """How many notes were acknowledged, and how many DuckDB finds right after."""
    acknowledged = int(child.said[-1])
    ((found,),) = query(root, "SELECT count(*) FROM {log} WHERE type = 'note'")
    return acknowledged, found


@pytest.fixture
def writer(local_root, spawn):
    child = spawn(python(WRITER, local_root, "0"))
    wait_until(lambda: len(child.said) > 3)
    return child


def test_every_acknowledged_event_of_a_live_run_is_found(writer, local_root):
    """Asked again and again while the log grows, DuckDB finds all that was acknowledged."""
    answers = [counted(writer, local_root) for _ in range(10)]

    assert all(found >= acknowledged for acknowledged, found in answers)


def test_a_query_gives_back_what_was_said(writer, local_root):
    """The columns of a query are the fields of the events."""
    writer.kill()
    found = query(local_root, "SELECT seq, number FROM {log} WHERE type = 'note' ORDER BY seq")

    stored = [line for line in records(local_root) if line["type"] == "note"]
    assert found == [(line["seq"], line["number"]) for line in stored]
