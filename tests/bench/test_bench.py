"""Every bench runs and prints its line; whether limits are met is for a quiet machine to say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bench.__main__ import BENCHES
from tools.bench.result import Result

ROOT = Path(__file__).resolve().parents[2]


SLOW = ("eta", "tailcli", "tail", "idle")  # ten seconds each, however quick


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] * (name in SLOW)) for name in BENCHES],
)
def test_a_bench_prints_json_for_each_number(name):
    done = run(name, "--quick", "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["name"].startswith(name)
    assert {line["verdict"] for line in lines} == {"not judged"}


def test_the_line_for_people_has_value_limit_verdict_and_how():
    result = Result("idle", 0.4, 0.5, "%", "a minute")
    assert result.line(judged=True) == "idle: 0.4 % (≤ 0.5 %) ok; a minute"


def test_a_value_beyond_its_limit_is_missed():
    assert Result("idle", 0.6, 0.5, "%", "").verdict(judged=True) == "MISSED"


def test_a_floor_is_missed_from_below():
    assert Result("tail", 199.0, 200.0, "x", "", is_floor=True).verdict(judged=True) == "MISSED"


def test_a_name_that_is_no_bench_is_a_mistake_of_usage():
    assert run("nothing").returncode == 2


def run(*arguments):
    command = [sys.executable, "-m", "tools.bench", *arguments]
    return subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
