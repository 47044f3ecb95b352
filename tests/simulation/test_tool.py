"""`tools/simulate.py` goes on where it was stopped, and adds up."""

import subprocess
import sys
from pathlib import Path

from tools.simulate import State

TOOL = Path(__file__).resolve().parents[2] / "tools" / "simulate.py"


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_second_call_goes_on_with_the_seeds_that_follow(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    simulate("--histories", 5, "--state", state)

    second = simulate("--histories", 7, "--state", state)

    assert "in all 12 histories" in second.stdout
    assert "seeds 0 to 11" in second.stdout
    assert second.returncode == 0


def test_a_breach_is_reported_with_its_seed_and_fails(tmp_path: Path) -> None:
    done = simulate("--histories", 5, "--mutant", "conflict_is_fence")

    assert "\n  seed 1: main-" in done.stdout
    assert done.returncode == 1


def test_a_replay_shows_what_happens() -> None:
    done = simulate("--seed", 3, "--trace")

    assert "-- the faults stop --" in done.stdout
    assert done.stdout.endswith("seed 3: all promises held\n")


def test_ranges_of_seeds_are_merged() -> None:
    state = State(done=[(0, 10), (20, 30)])

    state.add(State(done=[(10, 20), (40, 50)]))

    assert state.done == [(0, 30), (40, 50)]
