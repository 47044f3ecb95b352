"""Simulate histories of writers, readers and compactors over a store that fails; count and check.

    python tools/simulate.py --histories 100000 --state sim.json --jobs 2
    python tools/simulate.py --seed 1234 --trace

One seed is one history. With a state file what was done is remembered, so the same command goes on
with the next seeds and adds up. Exits with 1 if a promise was ever broken.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from time import monotonic

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))

from tests.simulation.history import simulate  # noqa: E402
from tests.simulation.mutants import MUTANTS  # noqa: E402

CHUNK = 100  # histories between two looks at the clock and writes of the state
SHOWN = 20  # breaches


@dataclass
class State:
    """What was done so far, over all calls with the same file."""

    done: list[tuple[int, int]] = field(default_factory=list)  # ranges of seeds, half-open
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    breaches: dict[int, str] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)  # histories by digest of the code

    @property
    def histories(self) -> int:
        return sum(end - first for first, end in self.done)

    def add(self, part: "State") -> None:
        """Add up what a part of the work found."""
        self.faults += part.faults
        self.counts += part.counts
        self.codes += part.codes
        self.breaches |= part.breaches
        merged: list[tuple[int, int]] = []
        for first, end in sorted([*self.done, *part.done]):
            if merged and merged[-1][1] >= first:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((first, end))
        self.done = merged

    def is_done(self, seed: int) -> bool:
        return any(first <= seed < end for first, end in self.done)

    @classmethod
    def load(cls, path: Path | None) -> "State":
        if path is None or not path.exists():
            return cls()
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            [(first, end) for first, end in stored["done"]],
            stored["seconds"],
            Counter(stored["faults"]),
            Counter(stored["counts"]),
            {int(seed): what for seed, what in stored["breaches"].items()},
            Counter(stored["codes"]),
        )

    def save(self, path: Path | None) -> None:
        if path is not None:
            fresh = path.with_name(path.name + ".new")
            fresh.write_text(json.dumps(vars(self), indent=1), encoding="utf-8")
            fresh.replace(path)


def code_digest() -> str:
    """Name the code that is tried: histories of several versions are no single proof."""
    digest = hashlib.sha256()
    for folder in ("journal", "tests/simulation"):
        for path in sorted((HOME / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def work(mutant: str | None, code: str, seeds: list[int]) -> State:
    """Run the histories of some seeds."""
    part = State(codes=Counter({code: len(seeds)}))
    with MUTANTS[mutant].alive() if mutant else nullcontext():
        for seed in seeds:
            outcome = simulate(seed)
            part.faults += outcome.faults
            part.counts += outcome.counts
            if outcome.breach is not None:
                part.breaches[seed] = outcome.breach
            part.add(State(done=[(seed, seed + 1)]))
    return part


def chunks(state: State, first_seed: int, histories: int) -> Iterator[list[int]]:
    """Yield the seeds that are to be done, in chunks."""
    fresh = (seed for seed in count(first_seed) if not state.is_done(seed))
    todo = iter(list(islice(fresh, histories)))
    while chunk := list(islice(todo, CHUNK)):
        yield chunk


def run(options: argparse.Namespace) -> State:
    """Run as many histories as are asked for, with a line about each chunk on standard error."""
    state = State.load(options.state)
    before, begin = state.seconds, monotonic()
    todo = list(chunks(state, options.first_seed, options.histories))
    job = partial(work, options.mutant, code_digest())
    done = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        parts = pool.map(job, todo) if options.jobs > 1 else map(job, todo)
        for part in parts:
            done += sum(end - first for first, end in part.done)
            state.add(part)
            state.seconds = before + monotonic() - begin
            state.save(options.state)
            rate = done / (monotonic() - begin)
            line = f"\r{done} of {options.histories}, {rate:.0f}/s, {len(state.breaches)} breaches "
            print(line, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{done} histories in {monotonic() - begin:.0f} s with {options.jobs} at a time")
    return state


def report(state: State) -> None:
    """Print the totals over all that was ever done."""
    print(f"in all {state.histories} histories, {state.seconds:.0f} s; seeds {ranges(state.done)}")
    if len(state.codes) > 1:
        print(f"by version of the code: {numbers(state.codes)}")
    print(f"faults: {numbers(state.faults)}")
    print(f"seen: {numbers(state.counts)}")
    print(f"promises broken: {len(state.breaches)}")
    for seed, what in sorted(state.breaches.items())[:SHOWN]:
        print(f"  seed {seed}: {what}")


def ranges(done: list[tuple[int, int]]) -> str:
    return ", ".join(f"{first} to {end - 1}" for first, end in done)


def numbers(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())


def replay(options: argparse.Namespace) -> int:
    """Run one history and print what became of it."""
    with MUTANTS[options.mutant].alive() if options.mutant else nullcontext():
        outcome = simulate(options.seed, print if options.trace else None)
    print(f"seed {outcome.seed}: {outcome.breach or 'all promises held'}")
    return 1 if outcome.breach else 0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("--histories", type=int, default=2000, metavar="N")
    parser.add_argument("--first-seed", type=int, default=0, metavar="S")
    parser.add_argument("--state", type=Path, metavar="FILE", help="remember what was done here")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--seed", type=int, metavar="S", help="replay one history")
    parser.add_argument("--trace", action="store_true", help="print what happens in it")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="switch one rule off")
    return parser.parse_args(arguments)


RAW = argparse.RawDescriptionHelpFormatter


def main() -> int:
    options = parse()
    if options.seed is not None:
        return replay(options)
    state = run(options)
    report(state)
    return 1 if state.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
