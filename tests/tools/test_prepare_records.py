"""Files become records with provenance; equal contents stay once; what is bad is left out."""

import gzip
import json

import pytest

from tools.prepare.manifest import Split
from tools.prepare.split import is_validation


def test_each_format_gives_its_records_with_their_provenance(bench) -> None:
    bench.source(
        "all",
        {
            "a.csv": "x,y\n1,2\n3,4\n",
            "b.json": '[{"k": 1}, "two"]',
            "c.jsonl": '{"k": 3}\n\n{"k": 4}\n',
            "d.txt": "text\n",
            "e.json": '{"b": 1, "a": 2}',
            "f.jsonl.gz": gzip.compress(b'{"k": 5}\n'),
        },
    )
    assert bench.prepare().code == 0
    assert [(r["source"], r["path"], r["record"], r["content"]) for r in bench.records()] == [
        ("all", "a.csv", 0, {"x": "1", "y": "2"}),
        ("all", "a.csv", 1, {"x": "3", "y": "4"}),
        ("all", "b.json", 0, {"k": 1}),
        ("all", "b.json", 1, "two"),
        ("all", "c.jsonl", 0, {"k": 3}),
        ("all", "c.jsonl", 2, {"k": 4}),
        ("all", "d.txt", 0, "text\n"),
        ("all", "e.json", 0, {"a": 2, "b": 1}),
        ("all", "f.jsonl.gz/f.jsonl", 0, {"k": 5}),
    ]


def test_bad_records_are_errors_and_the_good_ones_stay(bench) -> None:
    bench.source(
        "s",
        {
            "a.jsonl": b'{"k": 1}\n{broken\n\xff\xfe\n{"k": NaN}\n"\\ud800"\n{"k": 2}\n',
            "b.csv": "x,y\n1,2\n3\n5,6,7\n8,9\n",
            "c.json": "{broken",
            "d.txt": b"\xff\xfe latin",
            "e.json": "[" * 100_000,
        },
    )
    assert bench.prepare().code == 0
    assert bench.contents() == [{"k": 1}, {"k": 2}, {"x": "1", "y": "2"}, {"x": "8", "y": "9"}]
    assert [path for _, path, _ in bench.errors()] == (
        ["a.jsonl"] * 4 + ["b.csv"] * 2 + ["c.json", "d.txt", "e.json"]
    )


def test_a_file_full_of_bad_records_does_not_flood_the_journal(bench) -> None:
    bench.source("s", {"a.jsonl": "{\n" * 500 + "1\n"})
    assert bench.prepare().code == 0
    assert bench.contents() == [1]
    assert len(bench.errors()) == 11
    assert bench.errors()[-1][2] == "490 more records were left out"


def test_a_record_that_is_too_large_is_left_out(bench) -> None:
    bench.source("s", {"a.jsonl": f'"{"x" * 2000}"\n"short"\n', "b.txt": "y" * 2000})
    bench.manifest.write_text("[limits]\nrecord_bytes = 1000\n" + bench.manifest.read_text())
    assert bench.prepare().code == 0
    assert bench.contents() == ["short"]
    assert len(bench.errors()) == 2


def test_of_equal_contents_the_first_stays_whatever_its_format(bench) -> None:
    bench.source("one", {"a.json": '{"b": 1, "a": 2}', "b.txt": "same"})
    bench.source("two", {"a.jsonl": '{"a": 2, "b": 1}\n{"a": 3}\n', "b.json": '"same"'})
    assert bench.prepare().code == 0
    assert [(r["source"], r["content"]) for r in bench.records()] == [
        ("one", {"a": 2, "b": 1}),
        ("one", "same"),
        ("two", {"a": 3}),
    ]
    assert "2 duplicates dropped" in bench.said("finished")[0]["message"]


def test_a_file_of_unknown_format_is_skipped_and_said_so(bench) -> None:
    bench.source("s", {"a.bin": b"\0\1", "b.txt": "b"})
    assert bench.prepare().code == 0
    assert [(s["path"], s["reason"]) for s in bench.said("file_skipped")] == [
        ("a.bin", "no format is known for its name")
    ]


def test_a_manifest_may_name_the_format_that_names_do_not_tell(bench) -> None:
    folder = bench.source("s", {"part-0": '{"k": 1}\n'})
    bench.manifest.unlink()
    bench.add("s", f"file://{folder}", 'format = "jsonl"')
    assert bench.prepare().code == 0
    assert bench.contents() == [{"k": 1}]


def test_integers_keep_all_their_digits(bench) -> None:
    bench.source("s", {"a.jsonl": "123456789012345678901234567890\n"})
    assert bench.prepare().code == 0
    assert b"123456789012345678901234567890}" in bench.work.joinpath("records.jsonl").read_bytes()


def test_every_record_goes_to_training_or_to_validation(bench) -> None:
    bench.source("s", {"a.jsonl": "".join(f"{n}\n" for n in range(2000))})
    assert bench.prepare().code == 0
    train, validation = bench.records("train.jsonl"), bench.records("validation.jsonl")
    assert 50 <= len(validation) <= 150
    assert sorted(int(str(r["content"])) for r in train + validation) == list(range(2000))


def test_where_a_record_goes_depends_on_its_content_alone() -> None:
    digests = [f"{n:064x}".encode() for n in range(1000)]
    drawn = [digest for digest in digests if is_validation(digest, Split(0.1))]
    more = [digest for digest in digests if is_validation(digest, Split(0.2))]
    assert set(drawn) < set(more)
    assert drawn != [digest for digest in digests if is_validation(digest, Split(0.1, "salt"))]


@pytest.mark.parametrize("fraction", [0, 0.999999])
def test_a_fraction_at_its_end_is_meant(fraction: float) -> None:
    digests = [f"{n:064x}".encode() for n in range(200)]
    assert {is_validation(digest, Split(fraction)) for digest in digests} == {fraction > 0}


def test_two_preparations_give_the_same_bytes(bench, tmp_path) -> None:
    bench.source("s", {f"{n}.json": json.dumps([n, n % 7]) for n in range(50)})
    assert bench.prepare("--jobs", "1").code == 0
    first = {p.name: p.read_bytes() for p in bench.work.glob("*.jsonl")}
    bench.work.rename(tmp_path / "before")
    assert bench.prepare("--run-id", "run-2", "--jobs", "8").code == 0
    assert {p.name: p.read_bytes() for p in bench.work.glob("*.jsonl")} == first
    assert set(first) == {"records.jsonl", "train.jsonl", "validation.jsonl"}
