"""A manifest is right, or the message says where and why not."""

# ruff: noqa: E501 - a message is one line, here too

from pathlib import Path

import pytest

from tools.prepare.errors import ManifestError
from tools.prepare.manifest import load
from tools.prepare.patterns import selected

GOOD = '[[sources]]\nname = "a"\nurl = "file:///data"\n'


def message(tmp_path: Path, text: str) -> str:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        load(path)
    return str(caught.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "/m.toml:1: sources: expected at least one [[sources]] table, found none"),
        ("sources = 3\n", "/m.toml:1: sources: expected at least one [[sources]] table, found 3"),
        ("x = [\n", "/m.toml:2: not TOML: Invalid value"),
        ('a = "\n', "/m.toml:1: not TOML: Illegal character '\\n'"),
        (GOOD + "max_files = 0\n", "/m.toml:4: max_files: expected a whole number of at least 1, found 0"),
        (GOOD + "max_files = true\n", "/m.toml:4: max_files: expected a whole number of at least 1, found True"),
        (GOOD + 'include = "*.py"\n', "/m.toml:4: include: expected a list of patterns such as [\"*.json\"], found '*.py'"),
        (GOOD + "includ = []\n", "/m.toml:4: includ: expected one of the keys name, url, include, exclude, max_files, format, pack"),
        (GOOD + 'format = "xml"\n', "/m.toml:4: format: expected one of jsonl, json, csv, text, found 'xml'"),
        (GOOD + "[split]\nvalidation = 1\n", "/m.toml:5: validation: expected a number from 0 up to, not including, 1, found 1"),
        (GOOD + "[limits]\nrecord_bytes = -1\n", "/m.toml:5: record_bytes: expected a whole number of at least 1, found -1"),
        (GOOD + GOOD, "/m.toml:5: name: expected a name that no other source has, found 'a'"),
        (GOOD + '[[sources]]\nname = "b"\n', "/m.toml:4: url: expected a URL that begins with file://, s3://, https:// or http://, found none"),
        (GOOD.replace("file", "ftp"), "/m.toml:3: url: expected a URL that begins with file://, s3://, https:// or http://, found 'ftp:///data'"),
        (GOOD.replace("/data", "{stdlibs}"), "/m.toml:3: url: expected {stdlib}, {package:NAME} or {here} as placeholder"),
        (GOOD.replace("/data", "{package:no_such}"), "/m.toml:3: url: expected an installed package, and no_such is none"),
        (GOOD.replace('"a"', '"../a"'), "/m.toml:2: name: expected a name of 1 to 128 of A-Z a-z 0-9 . _ -, found '../a'"),
        (GOOD.replace("file:///", "https://h/") + 'pack = "zip"\n', "/m.toml:4: pack: expected a file:// source to pack, found 'zip'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_key_and_what_was_expected(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert message(tmp_path, text) == expected


def test_a_mistake_ends_the_tool_with_code_2_and_one_line(bench) -> None:
    bench.manifest.write_text(GOOD + "max_files = 0\n")
    outcome = bench.prepare()
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


def test_a_manifest_that_is_not_there_is_told_on_one_line(bench) -> None:
    outcome = bench.prepare()
    assert outcome.code == 2
    assert outcome.err.endswith("manifest.toml: cannot be read: No such file or directory\n")


@pytest.mark.parametrize(
    "url", ["https://me:secret@host", "s3://key:secret@bucket/x", "ftp://me:secret@host/?a=secret"]
)
def test_no_message_shows_a_secret_of_a_url(tmp_path: Path, url: str) -> None:
    text = f'[[sources]]\nname = "a"\nmax_files = 0\nurl = "{url}"\n'
    assert "secret" not in message(tmp_path, text)


def test_the_manifest_that_comes_with_the_tool_names_eight_sources() -> None:
    path = Path(__file__).parents[2] / "tools" / "dataset" / "standard_library.toml"
    assert len(load(path).sources) == 8


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("a/b.json", "*.json", True),
        ("a/b.jsonl", "*.json", False),
        ("a/b/c.txt", "a/*.txt", False),
        ("a/c.txt", "a/*.txt", True),
        ("a/b/c.txt", "a/**/*.txt", True),
        ("a/c.txt", "a/**/*.txt", True),
        ("x/old/a", "old/", True),
        ("x/older/a", "old/", False),
        ("a.txt", "/*.txt", True),
        ("b/a.txt", "/*.txt", False),
        ("a1", "a[0-9]", True),
        ("aa", "a[!0-9]", True),
        ("a+b", "a+b", True),
        ("line\nbreak.txt", "*.txt", True),
    ],
)
def test_patterns_select_as_gitignore_does(path: str, pattern: str, matches: bool) -> None:  # noqa: FBT001
    assert selected(path, [pattern], []) is matches
