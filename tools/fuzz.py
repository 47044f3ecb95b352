"""Fuzz what reads a journal and what hides secrets, with damaged, strange and busy inputs.

    python tools/fuzz.py --minutes 10 [--target snapshot] [--seed N] [--state DIR]
    python tools/fuzz.py --replay FILE

Inputs are drawn with a seed: the same seed and number give the same input. With a state directory
the same command goes on where it ended, and adds up. A finding is any error that is not documented,
a call that takes longer than it may, and memory that grows; its input is made as small as can be
and saved. Exits with 1 if there was ever one.
"""

import argparse
import faulthandler
import json
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from time import monotonic, process_time

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))

from tests.hostile.targets import TARGETS  # noqa: E402

CALL_SECONDS = 2.0  # of CPU for one input, and as much again for each megabyte of it
HANG_SECONDS = 120.0  # then the stack is printed and the process ends: nothing stops a pattern
GROWTH_BYTES = 128 * 1024 * 1024  # of resident memory, from when all has been used once
WARM_EXECUTIONS = 2000
SLICE_SECONDS = 2.0  # of one target, before the next one's turn
SHRINK_SECONDS = 20.0


@dataclass
class State:
    """What was done so far, over all calls with the same directory."""

    seed: int = 0
    seconds: float = 0.0
    executions: Counter[str] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)  # the saved input, and what it does

    @classmethod
    def load(cls, directory: Path | None, seed: int) -> "State":
        path = directory / "fuzz.json" if directory else None
        if path is None or not path.exists():
            return cls(seed)
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            stored["seed"],
            stored["seconds"],
            Counter(stored["executions"]),
            stored["findings"],
        )

    def save(self, directory: Path | None) -> None:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            fresh = directory / "fuzz.json.new"
            fresh.write_text(json.dumps(vars(self), indent=1), encoding="utf-8")
            fresh.replace(directory / "fuzz.json")


def fault_of(target: str, data: bytes) -> str | None:
    """Run one input; return what is wrong, None if nothing is."""
    before = process_time()
    try:
        TARGETS[target].run(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
    took = process_time() - before
    if took > CALL_SECONDS * (1 + len(data) / 1e6):
        return f"slow: more than {CALL_SECONDS:g} s, and as much for each megabyte"
    return None


def shrunk(target: str, data: bytes, fault: str) -> bytes:
    """Take away what the fault does not need, as far as time allows."""
    end = monotonic() + SHRINK_SECONDS
    part = len(data) // 2
    while part and monotonic() < end:
        at = 0
        while at < len(data) and monotonic() < end:
            smaller = data[:at] + data[at + part :]
            if fault_of(target, smaller) == fault:
                data = smaller
            else:
                at += part
        part //= 2
    return data


def resident_bytes() -> int:
    """Return this process's resident memory."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def fuzz(options: argparse.Namespace, state: State) -> None:
    """Give each target its turn until the time is over."""
    names = list(TARGETS) if options.target == "all" else [options.target]
    begin, before, done, warm = monotonic(), state.seconds, 0, 0
    end = begin + options.minutes * 60
    while monotonic() < end:
        for name in names:
            turn = min(end, monotonic() + SLICE_SECONDS)
            while monotonic() < turn:
                number = state.executions[name]
                state.executions[name] += 1
                done += 1
                chance = Random(f"{state.seed} {name} {number}")
                examine(options, state, name, TARGETS[name].draw(chance))
        state.seconds = before + monotonic() - begin
        warm = warm or (resident_bytes() if done > WARM_EXECUTIONS else 0)
        if warm and resident_bytes() > warm + GROWTH_BYTES:
            state.findings["memory"] = f"grew from {warm:,} to {resident_bytes():,} bytes"
            warm = resident_bytes()
        state.save(options.state)
        rate = done / (monotonic() - begin)
        line = f"\r{done:,} executions, {rate:,.0f}/s, {len(state.findings)} findings "
        print(line, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def examine(options: argparse.Namespace, state: State, target: str, data: bytes) -> None:
    """Run one input and keep it if something is wrong that is not known yet."""
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
    fault = fault_of(target, data)
    if fault is not None and f"{target}: {fault}" not in state.findings.values():
        faulthandler.cancel_dump_traceback_later()
        small = shrunk(target, data, fault)
        path = options.findings / f"{target}-{sha256(small).hexdigest()[:12]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(small)
        state.findings[str(path)] = f"{target}: {fault}"
    faulthandler.cancel_dump_traceback_later()


def replay(path: Path) -> int:
    """Run a saved input again, and show where it fails."""
    target = path.name.partition("-")[0]
    TARGETS[target].run(path.read_bytes())
    fault = fault_of(target, path.read_bytes())
    print(f"{path}: {fault or 'all is well'}")
    return 1 if fault else 0


def report(state: State) -> None:
    """Print the totals over all that was ever done."""
    total = sum(state.executions.values())
    by_target = ", ".join(f"{name} {number:,}" for name, number in state.executions.items())
    print(f"in all {total:,} executions in {state.seconds:.0f} s, seed {state.seed}: {by_target}")
    print(f"resident memory {resident_bytes() / 1e6:.0f} MB; findings: {len(state.findings)}")
    for path, fault in state.findings.items():
        print(f"  {fault}  {path}")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N")
    parser.add_argument("--target", choices=[*TARGETS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--state", type=Path, metavar="DIR", help="remember what was done here")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run a saved input again")
    options = parser.parse_args(arguments)
    options.findings = (options.state or Path()) / "findings"
    return options


RAW = argparse.RawDescriptionHelpFormatter


def main() -> int:
    options = parse()
    if options.replay is not None:
        return replay(options.replay)
    state = State.load(options.state, options.seed)
    fuzz(options, state)
    report(state)
    return 1 if state.findings else 0


if __name__ == "__main__":
    sys.exit(main())
