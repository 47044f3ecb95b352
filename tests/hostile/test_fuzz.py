"""The fuzzer finds nothing in a few seconds, goes on where it ended, and would find a fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.targets import TARGETS
from tools import fuzz

TOOL = Path(__file__).resolve().parents[2] / "tools" / "fuzz.py"


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_few_seconds_find_nothing_and_add_up(tmp_path: Path) -> None:
    first = run("--minutes", 5 / 60, "--state", tmp_path, "--seed", 7)
    second = run("--minutes", 1 / 60, "--state", tmp_path, "--target", "lines")

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    assert "seed 7" in second.stdout
    done = fuzz.State.load(tmp_path, 0)
    assert done.executions["snapshot"] > 0
    assert done.findings == {}


class Broken:
    """A target that falls over one byte, and takes its time over another."""

    def draw(self, chance: object) -> bytes:
        return b"a" * 500 + b"!" + b"b" * 500

    def run(self, data: bytes) -> None:
        if b"!" in data:
            raise KeyError("!")


@pytest.mark.parametrize("target", ["broken"])
def test_a_finding_is_made_small_and_saved(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TARGETS, target, Broken())
    options = fuzz.parse(["--state", str(tmp_path), "--minutes", "0.002"])
    options.target = target
    state = fuzz.State()

    fuzz.fuzz(options, state)

    ((path, fault),) = state.findings.items()
    assert fault.startswith("broken: KeyError at test_fuzz.py")
    assert Path(path).read_bytes() == b"!"


def test_a_call_that_takes_too_long_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "CALL_SECONDS", -1.0)

    assert str(fuzz.fault_of("printable", b"x")).startswith("slow")
