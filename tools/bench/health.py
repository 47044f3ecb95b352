"""Does the verdict tell dead, stuck and working apart? Ten thousand runs on a virtual clock.

    python -m tools.bench.health --runs 10000 --jobs 2 --seed 1
    python -m tools.bench.health --seed 4711 --trace

The first prints the confusion matrix of our verdict beside those of three other rules, and each
number with its limit; the second what one run was, and every change of what was said of it.
`python -m tools.bench health` does the first with fewer runs.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import monotonic

from tools.bench.lives import life, outcome
from tools.bench.lives.matrix import Matrix
from tools.bench.lives.outcome import JUDGES, OURS, Outcome
from tools.bench.lives.watch import Look
from tools.bench.measure import Effort
from tools.bench.result import Result

_RUNS = 2000
_QUICK_RUNS = 40
_CHUNK = 20  # lives between two processes' exchange of what they found


def run(effort: Effort) -> Iterator[Result]:
    """Measure with seeds from 1 on; the matrix goes to standard error."""
    matrix = measured(range(1, 1 + effort.of(_RUNS, _QUICK_RUNS)), jobs=2)
    print("\n".join(matrix.table()), file=sys.stderr)
    yield from results(matrix)


def measured(seeds: range, jobs: int) -> Matrix:
    """Let the lives of these seeds be watched, by several processes."""
    matrix = Matrix()
    if jobs == 1:
        for seed in seeds:
            matrix.add(lived(seed))
        return matrix
    with ProcessPoolExecutor(jobs) as pool:
        for one in pool.map(lived, seeds, chunksize=_CHUNK):
            matrix.add(one)
    return matrix


def lived(seed: int) -> Outcome:
    """Return what was said of the life of a seed."""
    return outcome.judged(life.drawn(seed))


def results(matrix: Matrix) -> Iterator[Result]:
    """Yield each number with its limit."""
    others = ", ".join(f"{judge} {matrix.falsely[judge]:,}" for judge in JUDGES if judge != OURS)
    how = (
        f"{matrix.lives:,} runs, {matrix.healthy_polls:,} polls of healthy ones; {others}; counted "
        f"apart: {matrix.apart:,} pauses and cut-offs longer than three beats, "
        f"{matrix.apart_alarmed:,} called lost meanwhile"
    )
    yield Result("health, false alarms", matrix.falsely[OURS], 0, "runs", how)
    strict = f"three promised silences and a poll ({matrix.strict_share():.1f} % within 3 beats)"
    for name, limit, condition, within in (
        ("dead called lost", 100.0, "dead", strict),
        ("hung called stalled", 99.0, "hung", "twice the limit in force"),
        ("livelocks called stalled", 99.0, "livelock", "twice their own limit"),
    ):
        beside = ", ".join(
            f"{judge} {matrix.share(condition, judge=judge):.1f} %"
            for judge in JUDGES
            if judge != OURS
        )
        how = f"of {matrix.count(condition):,}, within {within}; {beside}"
        yield Result(f"health, {name}", matrix.share(condition), limit, "%", how, is_floor=True)
    how = f"{matrix.blind_polls:,} polls of a reader that the store did not answer"
    yield Result("health, known without the store", matrix.blind_known, 0, "polls", how)
    how = f"{matrix.polls:,} polls: final states stay, nothing goes back"
    yield Result("health, contradictions", matrix.contradictions, 0, "runs", how)


def traced(seed: int) -> None:
    """Print the life of a seed, and every change of what was said of it."""
    one = life.drawn(seed)
    print(f"{one.fate.name}; {', '.join(sorted(one.features))}")
    print(f"read from the {'log' if one.reads_log else 'snapshot'}; promises {one.promised:.0f} s")
    for span in one.spans:
        print(f"{_minute(one, span.begin)} to {_minute(one, span.end)}: {span.condition}")
    for name, spans in (("apart", one.apart), ("store out", one.outages)):
        for begin, end in spans:
            print(f"{_minute(one, begin)} to {_minute(one, end)}: {name}")
    told: list[str] = []
    found = outcome.judged(one, partial(_tell, one, told))
    print(found)


def _tell(one: life.Life, told: list[str], look: Look, condition: str) -> None:
    verdict = look.verdict
    words = f"{condition:8} {verdict.state} {verdict.liveness} {verdict.progress}"
    if told[-1:] != [words]:
        print(f"{_minute(one, look.at)} {words}: {verdict.why}")
        told.append(words)


def _minute(one: life.Life, at: float) -> str:
    return f"{(at - one.begin) / 60:7.1f} min"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.health",
        description=str(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=10_000, metavar="N")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first one")
    parser.add_argument("--trace", action="store_true", help="show the run of this seed")
    options = parser.parse_args()
    if options.trace:
        traced(options.seed)
        return 0
    begun = monotonic()
    matrix = measured(range(options.seed, options.seed + options.runs), options.jobs)
    print("\n".join(matrix.table()), end="\n\n")
    found = list(results(matrix))
    for result in found:
        print(result.line(judged=True))
    for fault in matrix.faults():
        print(fault)
    print(f"{monotonic() - begun:.0f} s with {options.jobs} processes")
    return 0 if all(result.is_met for result in found) else 1


if __name__ == "__main__":
    sys.exit(main())
